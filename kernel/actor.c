#include "kernel/actor.h"
#include "abi/error.h"
#include "kernel/kernel.h"
#include "kernel/probe.h"
#include "kernel/shared/core.h"
#include "kernel/shared/link.h"
#include "lib/string.h"

#define LIKELY(x)   __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

enum {
    CLASSES_MAX = 32,
    SLOTS_RESTING = 64, /* free slots kept back, so that generations do not come round soon */
};

_Static_assert((ACTORS_MAX & (ACTORS_MAX - 1)) == 0 && ACTORS_MAX <= 4096, "slots are masked");

/* Set up by constructors, inherited by every kernel. Id 0 is no class. */
static struct actor_class *classes[CLASSES_MAX];
static unsigned class_count;

static uint64_t class_messages[CLASSES_MAX];
static struct actor actors[ACTORS_MAX];
static uint16_t slots_touched = ACTOR_DYNAMIC; /* dynamic slots below this were in use once */
static uint16_t free_first, free_last, free_count;
static struct backlog local; /* messages from this kernel to itself */
static unsigned local_requests;
static struct actor_counts counts;

/* --- the table ------------------------------------------------------------------------------- */

/* The slot that was free longest, once enough rest; else one never used; 0: none. */
static unsigned slot_take(void)
{
    if (free_count && (free_count > SLOTS_RESTING || slots_touched == ACTORS_MAX)) {
        unsigned slot = free_first;
        free_first = actors[slot].next;
        free_count--;
        return slot;
    }
    return slots_touched < ACTORS_MAX ? slots_touched++ : 0;
}

static void slot_give(unsigned slot)
{
    actors[slot].next = 0;
    if (free_count++)
        actors[free_last].next = slot;
    else
        free_first = slot;
    free_last = slot;
}

/* Slot and generation in one word, with a bit for an actor that has ended: matches no target. */
enum { TAG_ENDED = 1 };

static inline uint32_t tag_of(uint64_t target)
{
    return (uint32_t)(target >> 32) << 8;
}

static uint64_t tag_target(uint32_t tag)
{
    return (uint64_t)(tag >> 8) << 32;
}

/* Slot 0 is nobody's, on every kernel. */
static void __attribute__((constructor)) actors_make(void)
{
    actors[0].tag = TAG_ENDED;
}

static void actor_set(struct actor *actor, uint64_t target, const struct actor_class *class,
                      void *state)
{
    ASSERT(class->id);
    *actor = (struct actor){.class = class, .state = state, .tag = tag_of(target)};
}

int actor_create(const struct actor_class *class, void *state, struct actor **made)
{
    unsigned slot = slot_take();
    if (!slot)
        return -E_LIMIT;
    struct actor *actor = &actors[slot];
    unsigned generation = target_generation(tag_target(actor->tag)) % TARGET_FIELD_MASK + 1;
    actor_set(actor, target_make(slot, generation), class, state);
    *made = actor;
    return 0;
}

int actor_create_at(unsigned slot, const struct actor_class *class, void *state,
                    struct actor **made)
{
    ASSERT(slot > 0 && slot < ACTOR_DYNAMIC);
    struct actor *actor = &actors[slot];
    if (actor->class)
        return -E_EXISTS;
    actor_set(actor, target_make(slot, 0), class, state);
    *made = actor;
    return 0;
}

uint64_t actor_address(const struct actor *actor)
{
    return address_make(this_core, core_incarnation(this_core), tag_target(actor->tag));
}

uint64_t actor_well_known(unsigned core, unsigned slot)
{
    return address_make(core, core_incarnation(core), target_make(slot, 0));
}

/* The actor that an address or a header means; NULL: it has ended. */
static inline struct actor *actor_find(uint64_t target)
{
    struct actor *actor = &actors[target_slot(target) % ACTORS_MAX];
    return LIKELY(actor->tag == tag_of(target)) ? actor : NULL;
}

static struct actor *actor_here(uint64_t address)
{
    int stale = address_incarnation(address) != core_incarnation(this_core);
    return stale ? NULL : actor_find(address);
}

/* --- sending --------------------------------------------------------------------------------- */

static int send_here(uint64_t to, const struct message *m, uint64_t kind,
                     enum backlog_account account)
{
    return backlog_push(&local, m, m->head | address_target(to) | kind, account);
}

/* Not over a link that is there already. */
static int __attribute__((noinline, cold)) send_other(uint64_t to, const struct message *m)
{
    if (address_core(to) != this_core)
        return channel_send(to, m);
    return actor_here(to) ? send_here(to, m, KIND_PLAIN, ACCOUNT_LOCAL) : -E_GONE;
}

int actor_send(uint64_t to, struct message *m)
{
    struct link *link = link_at(to);
    probe_send(m);
    if (UNLIKELY(link->peer != address_kernel(to)))
        return send_other(to, m);
    /* The lower halves are equal: this leaves the target. */
    return link_send(link, m, m->head | (to ^ link->peer), ACCOUNT_PLAIN);
}

enum { REQUEST_ASKER = 5 }; /* the word of a request that says who asks */

static int request_from(uint64_t asker, uint64_t to, struct message *m)
{
    m->word[REQUEST_ASKER] = asker;
    probe_send(m);
    if (address_core(to) != this_core)
        return channel_send_request(to, m);
    if (!actor_here(to))
        return -E_GONE;
    if (local_requests == LOCAL_REQUESTS)
        return -E_LIMIT;
    int error = send_here(to, m, KIND_REQUEST, ACCOUNT_LOCAL);
    if (!error)
        local_requests++;
    return error;
}

int actor_send_request(struct actor *self, uint64_t to, struct message *m)
{
    return request_from(actor_address(self), to, m);
}

/* Answers for an actor or, when there is none to ask, in its stead. */
static void reply_to(uint64_t asker, struct message *m)
{
    probe_send(m);
    if (address_core(asker) == this_core)
        send_here(asker, m, KIND_REPLY, ACCOUNT_REPLY);
    else
        channel_reply(asker, m);
}

void actor_reply(struct actor *self, uint64_t asker, struct message *m)
{
    ASSERT(self->owes);
    self->owes--;
    reply_to(asker, m);
}

/* Sends the message in a node, whose place was reserved with it. */
static void send_node(uint64_t to, uint16_t node)
{
    probe_send(node_message(node));
    if (address_core(to) != this_core) {
        channel_send_node(to, node);
        return;
    }
    node_head_set(node, node_head(node) | address_target(to));
    backlog_append(&local, node);
}

/* --- watching and ending --------------------------------------------------------------------- */

static struct message down_message(uint64_t address, uint64_t cookie, uint64_t reason,
                                   uint64_t value)
{
    return (struct message){.word = {address, cookie, reason, value},
                            .head = message_head(MESSAGE_DOWN)};
}

/* While it waits, a watch's node holds the watcher's address and the cookie; then it becomes the
 * DOWN. */
enum { WATCH_WATCHER, WATCH_COOKIE };

static void watch_end(uint16_t node, uint64_t address, uint64_t reason, uint64_t value)
{
    struct message *m = node_message(node);
    uint64_t watcher = m->word[WATCH_WATCHER];
    struct message down = down_message(address, m->word[WATCH_COOKIE], reason, value);
    memcpy(m->word, down.word, sizeof(m->word));
    node_head_set(node, down.head);
    send_node(watcher, node);
}

static uint16_t watch_make(uint64_t watcher, uint64_t cookie)
{
    uint16_t node = node_alloc(ACCOUNT_WATCH);
    if (node) {
        node_message(node)->word[WATCH_WATCHER] = watcher;
        node_message(node)->word[WATCH_COOKIE] = cookie;
    }
    return node;
}

static void watch_add(struct actor *actor, uint16_t node)
{
    node_next_set(node, actor->watches);
    actor->watches = node;
}

static void watch_remove(struct actor *actor, uint64_t watcher, uint64_t cookie)
{
    uint16_t before = 0, node = actor->watches;
    for (; node; before = node, node = node_next(node)) {
        const struct message *m = node_message(node);
        if (m->word[WATCH_WATCHER] == watcher && m->word[WATCH_COOKIE] == cookie)
            break;
    }
    if (!node)
        return;
    if (before)
        node_next_set(before, node_next(node));
    else
        actor->watches = node_next(node);
    node_free(node);
}

void actor_end(struct actor *actor, uint64_t reason, uint64_t value)
{
    ASSERT(actor->class && !actor->owes);
    uint64_t address = actor_address(actor);
    unsigned slot = target_slot(tag_target(actor->tag));
    const struct actor_class *class = actor->class;
    for (uint16_t node = actor->watches, next; node; node = next) {
        next = node_next(node);
        watch_end(node, address, reason, value);
    }
    actor->watches = 0;
    actor->class = NULL;
    actor->tag |= TAG_ENDED;
    if (class->ended)
        class->ended(actor);
    if (slot >= ACTOR_DYNAMIC)
        slot_give(slot);
}

static int watch_here(uint64_t target, uint64_t watcher, uint64_t cookie)
{
    struct actor *actor = actor_here(target);
    uint16_t node = watch_make(watcher, cookie);
    if (!node)
        return -E_LIMIT;
    if (actor)
        watch_add(actor, node);
    else
        watch_end(node, target, E_GONE, 0);
    return 0;
}

int actor_watch(uint64_t target, const struct actor *watcher, uint64_t cookie)
{
    uint64_t address = actor_address(watcher);
    struct message m = {.word = {address, cookie}, .head = message_head(MESSAGE_WATCH)};
    if (address_core(target) == this_core)
        return watch_here(target, address, cookie);
    int error = request_from(address, target, &m);
    if (error != -E_GONE)
        return error;
    uint16_t node = watch_make(address, cookie); /* its kernel is gone: told from here */
    if (!node)
        return -E_LIMIT;
    watch_end(node, target, E_GONE, 0);
    return 0;
}

int actor_unwatch(uint64_t target, const struct actor *watcher, uint64_t cookie)
{
    uint64_t address = actor_address(watcher);
    struct message m = {.word = {address, cookie}, .head = message_head(MESSAGE_UNWATCH)};
    if (address_core(target) != this_core)
        return actor_send(target, &m);
    struct actor *actor = actor_here(target);
    if (actor)
        watch_remove(actor, address, cookie);
    return actor ? 0 : -E_GONE;
}

/* --- receiving ------------------------------------------------------------------------------- */

static uint64_t address_here(const struct message *m)
{
    return address_make(this_core, core_incarnation(this_core), address_target(m->head));
}

/* A watch from another kernel. Its reply says DOWN if it cannot be kept, else nothing. */
static void take_watch(struct actor *actor, const struct message *m, unsigned from_core)
{
    uint64_t watcher = m->word[WATCH_WATCHER], cookie = m->word[WATCH_COOKIE];
    struct message reply = {.head = message_head(MESSAGE_NONE)};
    uint16_t node = watch_make(watcher, cookie);
    if (node)
        watch_add(actor, node);
    else
        reply = down_message(address_here(m), cookie, E_LIMIT, 0);
    actor_reply(actor, watcher, &reply);
}

static void take_unwatch(struct actor *actor, const struct message *m, unsigned from_core)
{
    watch_remove(actor, m->word[WATCH_WATCHER], m->word[WATCH_COOKIE]);
}

/* A reply that only gives its request's place back. */
static void take_none(struct actor *actor, const struct message *m, unsigned from_core)
{
}

/* Nobody handles it. A request is answered all the same: asker and, of a watch, the cookie stand
 * where they always do. */
static void drop(const struct message *m, uint64_t kind, uint64_t reason)
{
    uint64_t cookie = message_type(m) == MESSAGE_WATCH ? m->word[WATCH_COOKIE] : 0;
    struct message reply = down_message(address_here(m), cookie, reason, 0);
    if (kind == KIND_REQUEST)
        reply_to(m->word[REQUEST_ASKER], &reply);
}

static void take_unhandled(struct actor *actor, const struct message *m, unsigned from_core)
{
    counts.unhandled++;
    if (message_kind(m) == KIND_REQUEST)
        actor->owes--;
    drop(m, message_kind(m), E_NO_CALL);
}

static void __attribute__((noinline, cold)) take_gone(const struct message *m, uint64_t kind)
{
    counts.gone++;
    drop(m, kind, E_GONE);
}

/* --- classes --------------------------------------------------------------------------------- */

/* Completes the table of handlers by what is the same for all, so that no entry is NULL. */
void actor_class_register(struct actor_class *class)
{
    ASSERT(class_count + 1 < CLASSES_MAX && !class->id);
    class->id = ++class_count;
    classes[class->id] = class;
    for (unsigned type = 0; type < MESSAGE_TYPES; type++)
        if (!class->handler[type])
            class->handler[type] = take_unhandled;
    class->handler[MESSAGE_NONE] = take_none;
    class->handler[MESSAGE_WATCH] = take_watch;
    class->handler[MESSAGE_UNWATCH] = take_unwatch;
}

const struct actor_class *actor_class_find(const char *name)
{
    for (unsigned id = 1; id <= class_count; id++)
        if (strcmp(classes[id]->name, name) == 0)
            return classes[id];
    return NULL;
}

uint64_t actor_class_messages(const struct actor_class *class)
{
    return class_messages[class->id];
}

/* --- the loop -------------------------------------------------------------------------------- */

static inline void actor_receive(const struct message *m, uint64_t kind, unsigned from_core)
{
    struct actor *actor = actor_find(m->head);
    unsigned type = message_type(m);
    probe_receive(m);
    if (UNLIKELY(!actor || type >= MESSAGE_TYPES)) {
        take_gone(m, kind);
        return;
    }
    if (kind == KIND_REQUEST)
        actor->owes++;
    class_messages[actor->class->id]++;
    actor->class->handler[type](actor, m, from_core);
}

static void local_take(void)
{
    uint16_t node = backlog_shift(&local);
    const struct message *m = node_message(node);
    uint64_t kind = message_kind(m);
    if (kind == KIND_REPLY) {
        ASSERT(local_requests);
        local_requests--;
    }
    actor_receive(m, kind, this_core);
    node_free(node);
}

static unsigned __attribute__((noinline)) turn_with_local(void)
{
    local_take();
    return 1 + links_poll(actor_receive);
}

unsigned actor_turn(void)
{
    if (UNLIKELY(local.first))
        return turn_with_local();
    return links_poll(actor_receive);
}

int actor_prepare_to_leave(void)
{
    return !local.first && channel_prepare_to_leave();
}

int actor_local_waits(void)
{
    return local.first != 0;
}

struct actor_counts actor_counts(void)
{
    return counts;
}
