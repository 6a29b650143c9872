#include "kernel/cores.h"
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/shared/shared.h"
#include "abi/error.h"

/* What a process wants and has. Served in the order in which they first asked. */
struct claim {
    struct claim *next;
    uint64_t home;
    uint32_t pid;
    unsigned wanted, granted;
    uint8_t kept; /* even if it wants and has none */
};

enum core_use { CORE_NOT_OURS, CORE_IDLE, CORE_GRANTED };

static struct pool claim_pool = POOL_OF(struct claim);
static struct claim *claims;
static uint8_t use[CORES_MAX];
static uint32_t holder[CORES_MAX];

static struct claim **claim_find(uint32_t pid)
{
    struct claim **at = &claims;
    while (*at && (*at)->pid != pid)
        at = &(*at)->next;
    return at;
}

/* Grants a claim as many idle cores as it wants and there are, the lowest first, in one message. */
static void serve(struct claim *claim, enum grant_answers kind)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_GRANT)};
    unsigned given = 0;
    for (unsigned core = 0; core < CORES_MAX && claim->granted + given < claim->wanted; core++)
        if (use[core] == CORE_IDLE) {
            m.word[1 + core / 64] |= 1ull << core % 64;
            given++;
        }
    m.word[0] = claim->pid;
    m.word[GRANT_KIND_WORD] = kind;
    if (!given && kind == GRANT_LATER)
        return;
    int refused = actor_send(claim->home, &m);
    ASSERT(!refused); /* a home does not end before its wants are answered */
    claim->granted += given;
    for (unsigned core = 0; core < CORES_MAX; core++)
        if (core_set_has(&m.word[1], core)) {
            use[core] = CORE_GRANTED;
            holder[core] = claim->pid;
        }
}

static void serve_all(void)
{
    for (struct claim *claim = claims; claim; claim = claim->next)
        serve(claim, GRANT_LATER);
}

static void forget_if_done(struct claim **at)
{
    struct claim *claim = *at;
    if (claim->wanted || claim->granted || claim->kept)
        return;
    *at = claim->next;
    pool_put(&claim_pool, claim);
}

/* Answers a want with no cores. */
static void answer(uint64_t home, uint32_t pid, enum grant_answers kind)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_GRANT), .word = {pid}};
    m.word[GRANT_KIND_WORD] = kind;
    int refused = actor_send(home, &m);
    ASSERT(!refused);
}

static void on_want(struct actor *self, const struct message *m, unsigned from)
{
    struct claim **at = claim_find((uint32_t)m->word[1]);
    if (!*at) {
        if (m->word[2] == 0) {
            if (m->word[WANT_KIND_WORD] == WANT_ANSWERED)
                answer(m->word[0], (uint32_t)m->word[1], GRANT_ANSWER);
            return;
        }
        struct claim *claim = pool_get(&claim_pool);
        if (!claim) {
            answer(m->word[0], (uint32_t)m->word[1], GRANT_REFUSAL);
            return;
        }
        claim->home = m->word[0];
        claim->pid = (uint32_t)m->word[1];
        *at = claim;
    }
    (*at)->wanted = (unsigned)m->word[2];
    (*at)->kept = m->word[WANT_KIND_WORD] == WANT_KEPT;
    if (m->word[WANT_KIND_WORD] == WANT_ANSWERED)
        serve(*at, GRANT_ANSWER);
    forget_if_done(at);
}

static void on_return(struct actor *self, const struct message *m, unsigned from)
{
    unsigned core = (unsigned)m->word[1];
    struct claim **at = claim_find((uint32_t)m->word[0]);
    ASSERT(core < CORES_MAX && use[core] == CORE_GRANTED && *at && holder[core] == (*at)->pid);
    use[core] = CORE_IDLE;
    (*at)->granted--;
    (*at)->wanted = (unsigned)m->word[2];
    forget_if_done(at);
    serve_all();
}

static struct actor_class allocator_class = {
    .name = "core allocator",
    .handler = {[MESSAGE_ALLOC_WANT] = on_want, [MESSAGE_ALLOC_RETURN] = on_return},
};
ACTOR_CLASS(allocator_class)

void allocator_start(const uint64_t *granted)
{
    struct actor *made;
    ASSERT(actor_create_at(ACTOR_ALLOCATOR, &allocator_class, NULL, &made) == 0);
    for (unsigned core = 0; core < CORES_MAX; core++)
        if (core_set_has(granted, core))
            use[core] = CORE_IDLE;
}
