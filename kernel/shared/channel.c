#include "kernel/shared/channel.h"
#include "abi/error.h"
#include "kernel/kernel.h"
#include "kernel/shared/core.h"
#include "kernel/shared/frame.h"
#include "kernel/shared/link.h"

_Static_assert(sizeof(struct inbox) <= 4096, "an inbox is one frame");
_Static_assert(sizeof(struct ring) == 4096, "a ring is one frame");

SHARED frame_t channel_inbox[CORES_MAX + 1]; /* FRAME_NONE: the core was never started */

struct link links[CORES_MAX + 1];
struct inbox *inbox_own;
unsigned link_burst = CHANNEL_BURST;

/* Stands for a link until there is one: nothing ever comes on it. */
static struct ring silence;
static struct link nobody = {.end = {.in = &silence}, .next = &nobody};
struct link *link_current = &nobody;

static struct channel_counts counts;

static struct inbox *inbox_of(unsigned core)
{
    frame_t frame = __atomic_load_n(&channel_inbox[core], __ATOMIC_ACQUIRE);
    return frame == FRAME_NONE ? NULL : frame_pointer(frame);
}

int channel_inbox_make(unsigned core)
{
    struct frame_owner owner = {.core = core};
    frame_t frame = frame_alloc(ZONE_GENERAL, FRAME_RING, owner);
    if (frame == FRAME_NONE)
        return -E_NO_MEMORY;
    __builtin_memset(frame_pointer(frame), 0, sizeof(struct inbox));
    __atomic_store_n(&channel_inbox[core], frame, __ATOMIC_RELEASE);
    return 0;
}

void channel_start(void)
{
    inbox_own = inbox_of(this_core);
    ASSERT(inbox_own);
}

/* --- making links ---------------------------------------------------------------------------- */

static frame_t ring_make(unsigned owner_core)
{
    struct frame_owner owner = {.core = owner_core};
    frame_t frame = frame_alloc(ZONE_GENERAL, FRAME_RING, owner);
    if (frame == FRAME_NONE)
        return FRAME_NONE;
    struct ring *ring = frame_pointer(frame);
    for (unsigned i = 0; i < RING_SLOTS; i++)
        ring->slot[i].head = 0;
    return frame;
}

/* Tells the peer on which ring this core sends. The doorbell follows with the first message. */
static void ring_announce(struct inbox *peer, frame_t ring, frame_t gift)
{
    peer->from[this_core].ring = ring;
    peer->from[this_core].gift = gift;
    __atomic_fetch_or(&peer->fresh[this_core / 64], 1ull << this_core % 64, __ATOMIC_RELEASE);
    __atomic_store_n(&peer->news, 1, __ATOMIC_RELEASE);
}

static int link_made(const struct link *link)
{
    return (link->peer & ADDRESS_VALID) != 0;
}

/* A link not made is all zeroes; but ADDRESS_NONE, which names core 0, must not match one. */
static void __attribute__((constructor)) links_make(void)
{
    links[0].peer = ~ADDRESS_VALID;
}

static void link_set(unsigned core, struct inbox *peer, frame_t out)
{
    struct link *link = &links[core];
    ring_open(&link->end, frame_pointer(out), NULL);
    link->bell = &peer->bell;
    link->peer = address_kernel_make(core, core_incarnation(core));
    counts.links++;
}

/* First use, from this side. The peer gets a ring for its way back with it, so that taking up a new
 * ring never lacks memory and replies are never refused. */
static int link_open(unsigned core)
{
    struct inbox *peer = inbox_of(core);
    if (!peer || link_made(&links[core]))
        return -E_GONE;
    frame_t out = ring_make(this_core);
    if (out == FRAME_NONE)
        return -E_NO_MEMORY;
    frame_t gift = ring_make(core);
    if (gift == FRAME_NONE) {
        frame_free(out);
        return -E_NO_MEMORY;
    }
    link_set(core, peer, out);
    ring_announce(peer, out, gift);
    return 0;
}

/* A peer has made its ring known. When both began at once, each has a ring already and frees the
 * other's gift. */
static void link_adopt(unsigned core)
{
    frame_t ring = inbox_own->from[core].ring, gift = inbox_own->from[core].gift;
    struct link *link = &links[core];
    ASSERT(!link->end.in);
    if (!link_made(link)) {
        struct inbox *peer = inbox_of(core);
        link_set(core, peer, gift);
        ring_announce(peer, gift, FRAME_NONE);
    } else if (gift != FRAME_NONE) {
        frame_free(gift);
    }
    link->end.in = frame_pointer(ring);
    if (link_current == &nobody)
        link_current = link->next = link;
    link->next = link_current->next;
    link_current->next = link;
}

static void links_adopt(void)
{
    __atomic_exchange_n(&inbox_own->news, 0, __ATOMIC_SEQ_CST);
    for (unsigned word = 0; word < (CORES_MAX + 1) / 64; word++) {
        uint64_t bits = __atomic_exchange_n(&inbox_own->fresh[word], 0, __ATOMIC_ACQUIRE);
        for (; bits; bits &= bits - 1)
            link_adopt(word * 64 + __builtin_ctzll(bits));
    }
}

/* --- sending --------------------------------------------------------------------------------- */

void link_bell(struct link *link)
{
    counts.bells++;
    arch_doorbell(address_core(link->peer));
}

int link_wait(struct link *link, const struct message *m, uint64_t head,
              enum backlog_account account)
{
    int error = backlog_push(&link->backlog, m, head, account);
    if (!error)
        counts.backlogged++;
    return error;
}

void link_flush(struct link *link)
{
    unsigned published = 0;
    for (; link->backlog.first && ring_has_credit(&link->end); published++) {
        uint16_t node = backlog_shift(&link->backlog);
        ring_publish(&link->end, node_message(node), node_head(node));
        node_free(node);
    }
    if (published)
        link_ring(link);
}

/* What waits goes first: it carries the acknowledgement too. */
void link_acknowledge(struct link *link)
{
    if (link->backlog.first)
        link_flush(link);
    if (!ring_ack_due(&link->end))
        return;
    int published = ring_publish_ack(&link->end);
    ASSERT(published);
    counts.acks++;
    link_ring(link);
}

/* The link with the kernel that `to` means, NULL if there is none: of that core and incarnation. */
static struct link *link_find(uint64_t to)
{
    struct link *link = link_at(to);
    return link->peer == address_kernel(to) ? link : NULL;
}

/* The same, made now if this is the first use; NULL and *error when it cannot be. */
static struct link *link_get(uint64_t to, int *error)
{
    unsigned core = address_core(to);
    struct link *link = link_find(to);
    if (link)
        return link;
    *error = -E_GONE;
    if (core != this_core && core_incarnation(core) == address_incarnation(to))
        *error = link_open(core);
    return *error ? NULL : link_find(to);
}

int channel_send(uint64_t to, const struct message *m)
{
    int error;
    struct link *link = link_get(to, &error);
    return link ? link_send(link, m, m->head | address_target(to), ACCOUNT_PLAIN) : error;
}

int channel_send_multicast(uint64_t to, const struct message *m)
{
    int error;
    struct link *link = link_get(to, &error);
    return link ? link_send(link, m, m->head | address_target(to), ACCOUNT_MULTICAST) : error;
}

int channel_send_request(uint64_t to, const struct message *m)
{
    int error;
    struct link *link = link_get(to, &error);
    if (!link)
        return error;
    if (link->requests == PEER_REQUESTS)
        return -E_LIMIT;
    error = link_send(link, m, m->head | address_target(to) | KIND_REQUEST, ACCOUNT_PLAIN);
    if (!error)
        link->requests++;
    return error;
}

int channel_reply(uint64_t to, const struct message *m)
{
    struct link *link = link_find(to);
    if (!link)
        return -E_GONE;
    return link_send(link, m, m->head | address_target(to) | KIND_REPLY, ACCOUNT_REPLY);
}

void channel_send_node(uint64_t to, uint16_t node)
{
    struct link *link = link_find(to);
    uint64_t head = node_head(node) | address_target(to);
    if (link && !ring_has_credit(&link->end)) {
        node_head_set(node, head);
        backlog_append(&link->backlog, node);
        counts.backlogged++;
        return;
    }
    if (link) {
        ring_publish(&link->end, node_message(node), head);
        link_ring(link);
    }
    node_free(node);
}

/* --- receiving ------------------------------------------------------------------------------- */

void link_request_done(struct link *link)
{
    ASSERT(link->requests);
    link->requests--;
}

void link_damaged(struct link *link)
{
    panic("core %u acknowledged messages that were never sent", address_core(link->peer));
}

void link_take_ack(struct link *link, const struct message *m)
{
    if (!ring_take(&link->end, m))
        link_damaged(link);
    if (link->backlog.first)
        link_flush(link);
}

static int news(void)
{
    return __atomic_load_n(&inbox_own->news, __ATOMIC_ACQUIRE) != 0;
}

void links_rotate(void)
{
    if (news())
        links_adopt();
    link_current = link_current->next;
    link_burst = CHANNEL_BURST;
}

const struct message *links_search(void)
{
    links_rotate();
    struct link *first = link_current;
    do {
        const struct message *m = ring_next(&link_current->end);
        if (m)
            return m;
        link_current = link_current->next;
    } while (link_current != first);
    return NULL;
}

static int pending(void)
{
    struct link *link = link_current;
    if (news())
        return 1;
    do {
        if (ring_next(&link->end))
            return 1;
        link = link->next;
    } while (link != link_current);
    return 0;
}

int channel_prepare_to_leave(void)
{
    doorbell_leave(&inbox_own->bell);
    if (!pending())
        return 1;
    doorbell_back(&inbox_own->bell);
    return 0;
}

void channel_back(void)
{
    doorbell_back(&inbox_own->bell);
}

struct channel_counts channel_counts(void)
{
    return counts;
}
