/* A link: this kernel's end of the channels with one peer, and the paths that every message takes.
 * docs/channel.md. For channel.c and actor.c. */
#ifndef KERNEL_SHARED_LINK_H
#define KERNEL_SHARED_LINK_H

#include <stdint.h>
#include "arch/arch.h"
#include "kernel/address.h"
#include "kernel/backlog.h"
#include "kernel/shared/channel.h"
#include "kernel/shared/doorbell.h"
#include "kernel/shared/ring.h"
#include "kernel/shared/shared.h"

/* Where others make their rings known to a core. One frame. An entry of `from` is written by the
 * core that it is of, before its bit in `fresh` is set; then it is the receiver's. */
struct inbox {
    struct doorbell bell;
    /* written by senders, once each, taken by the receiver */
    uint32_t news __attribute__((aligned(CACHE_LINE))); /* some bit of fresh is or was set */
    uint64_t fresh[(CORES_MAX + 1) / 64];
    struct {
        frame_t ring; /* on which that core sends */
        frame_t gift; /* a cleared ring for the way back, owned by the receiver, or FRAME_NONE */
    } from[CORES_MAX + 1] __attribute__((aligned(CACHE_LINE)));
};

/* Private. Invariants: while the backlog is not empty, the ring has no credit; at most
 * PEER_REQUESTS requests are under way. */
struct link {
    struct ring_end end;
    struct doorbell *bell; /* the peer's */
    struct link *next;     /* of those that are polled, in a circle */
    uint32_t peer;         /* address_kernel of the peer; no link: not ADDRESS_VALID */
    struct backlog backlog;
    uint16_t requests; /* sent, and the replies not here yet */
} __attribute__((aligned(CACHE_LINE)));

_Static_assert(sizeof(struct link) == CACHE_LINE, "a link is a cache line");

extern struct link links[CORES_MAX + 1]; /* by core */
extern struct link *link_current; /* whose turn it is, of those whose ring is known; never NULL */
extern unsigned link_burst;       /* how many messages more it may have */
extern struct inbox *inbox_own;

/* --- the rare cases -------------------------------------------------------------------------- */

int link_wait(struct link *link, const struct message *m, uint64_t head,
              enum backlog_account account); /* no credit: to the backlog. 0 or -E_LIMIT */
void link_flush(struct link *link);          /* credit has come: from the backlog */
void link_acknowledge(struct link *link);    /* a pure acknowledgement is due */
void link_bell(struct link *link);           /* the peer is away */
void link_request_done(struct link *link);   /* a reply has come */
void link_take_ack(struct link *link, const struct message *m); /* a pure one has come */
const struct message *
links_search(void);      /* makes the next that has a message current; NULL: none */
void links_rotate(void); /* the current one has had its burst */
_Noreturn void link_damaged(struct link *link);

/* --- the usual ones -------------------------------------------------------------------------- */

/* Where the link with the core of an address stands, if there is one. */
static inline struct link *link_at(uint64_t address)
{
    uintptr_t offset = address_core(address) * sizeof(struct link);
    return (struct link *)((uintptr_t)links + offset);
}

static inline void link_ring(struct link *link)
{
    if (doorbell_needed(link->bell))
        link_bell(link);
}

static inline int link_send(struct link *link, const struct message *m, uint64_t head,
                            enum backlog_account account)
{
    if (!ring_has_credit(&link->end))
        return link_wait(link, m, head, account);
    ring_publish(&link->end, m, head);
    link_ring(link);
    return 0;
}

/* A message was handled. */
static inline void link_take(struct link *link, const struct message *m)
{
    if (!ring_take(&link->end, m))
        link_damaged(link);
    if (ring_owe_ack(&link->end))
        link_acknowledge(link);
    else if (__builtin_expect(link->backlog.first, 0))
        link_flush(link);
}

/* Handles one that is not plain. */
static __attribute__((noinline, cold, unused)) void
link_handle_other(struct link *link, const struct message *m,
                  void (*deliver)(const struct message *m, uint64_t kind, unsigned from_core))
{
    uint64_t kind = message_kind(m);
    if (kind == KIND_ACK) {
        link_take_ack(link, m);
        return;
    }
    if (kind == KIND_REPLY)
        link_request_done(link);
    deliver(m, kind, address_core(link->peer));
    link_take(link, m);
}

/* Hands a message that has come to `deliver`, if it is for an actor. */
static inline void link_handle(struct link *link, const struct message *m,
                               void (*deliver)(const struct message *m, uint64_t kind,
                                               unsigned from_core))
{
    if (__builtin_expect(message_kind(m) == KIND_PLAIN, 1)) {
        deliver(m, KIND_PLAIN, address_core(link->peer));
        link_take(link, m);
    } else {
        link_handle_other(link, m, deliver);
    }
    if (__builtin_expect(--link_burst == 0, 0))
        links_rotate();
}

/* The current link has nothing: on to the next that has. */
static __attribute__((noinline, unused)) unsigned
links_poll_next(void (*deliver)(const struct message *m, uint64_t kind, unsigned from_core))
{
    const struct message *m = links_search();
    if (m)
        link_handle(link_current, m, deliver);
    return m != NULL;
}

/* Takes at most one message, and hands it to `deliver`, if it is for an actor, in place: it is
 * valid until `deliver` returns. Each link in turn, for as long as it has messages, but for no more
 * than CHANNEL_BURST. Returns 1 when a message was taken. From the event loop only. */
static inline unsigned links_poll(void (*deliver)(const struct message *m, uint64_t kind,
                                                  unsigned from_core))
{
    struct link *link = link_current;
    const struct message *m = ring_next(&link->end);
    if (__builtin_expect(!m, 0))
        return links_poll_next(deliver);
    link_handle(link, m, deliver);
    return 1;
}

#endif
