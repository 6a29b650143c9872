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
    struct link *next;     /* of those that are polled */
    uint32_t peer;         /* address_kernel of the peer; no link: not ADDRESS_VALID */
    struct backlog backlog;
    uint16_t requests; /* sent, and the replies not here yet */
} __attribute__((aligned(CACHE_LINE)));

_Static_assert(sizeof(struct link) == CACHE_LINE, "a link is a cache line");

extern struct link links[CORES_MAX + 1]; /* by core */
extern struct link *links_polled;        /* those whose ring is known */
extern struct inbox *inbox_own;

/* --- the rare cases -------------------------------------------------------------------------- */

int link_wait(struct link *link, const struct message *m, uint64_t head,
              enum backlog_account account); /* no credit: to the backlog. 0 or -E_LIMIT */
void link_flush(struct link *link);          /* credit has come: from the backlog */
void link_acknowledge(struct link *link);    /* a pure acknowledgement is due */
void link_bell(struct link *link);           /* the peer is away */
void link_request_done(struct link *link);   /* a reply has come */
void links_adopt(void);                      /* rings are new */
_Noreturn void link_damaged(struct link *link);

/* --- the usual ones -------------------------------------------------------------------------- */

static inline int links_news(void)
{
    return __builtin_expect(__atomic_load_n(&inbox_own->news, __ATOMIC_ACQUIRE) != 0, 0);
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

/* A message was handled, or was a pure acknowledgement. What waits goes first: it carries the
 * acknowledgement too. */
static inline void link_take(struct link *link, const struct message *m)
{
    if (!ring_take(&link->end, m))
        link_damaged(link);
    if (__builtin_expect(link->backlog.first, 0))
        link_flush(link);
    if (ring_ack_due(&link->end))
        link_acknowledge(link);
}

/* Handles a message that is not plain. */
static __attribute__((noinline, cold, unused)) void
link_take_other(struct link *link, const struct message *m,
                void (*deliver)(const struct message *m, uint64_t kind, unsigned from_core))
{
    uint64_t kind = message_kind(m);
    if (kind == KIND_REPLY)
        link_request_done(link);
    if (kind != KIND_ACK) {
        deliver(m, kind, address_core(link->peer));
        ring_owe_ack(&link->end);
    }
    link_take(link, m);
}

/* Takes up new rings, then takes at most CHANNEL_BURST messages from each link and hands those for
 * actors to `deliver`, in place: each is valid until `deliver` returns. Returns how many were
 * taken. From the event loop only. */
static inline unsigned links_poll(void (*deliver)(const struct message *m, uint64_t kind,
                                                  unsigned from_core))
{
    unsigned taken = 0;
    if (links_news())
        links_adopt();
    for (struct link *link = links_polled; link; link = link->next) {
        const struct message *m;
        unsigned most = taken + CHANNEL_BURST;
        for (; taken != most && (m = ring_next(&link->end)); taken++) {
            if (__builtin_expect(message_kind(m) != KIND_PLAIN, 0)) {
                link_take_other(link, m, deliver);
                continue;
            }
            deliver(m, KIND_PLAIN, address_core(link->peer));
            ring_owe_ack(&link->end);
            link_take(link, m);
        }
    }
    return taken;
}

#endif
