/* Rings in shared memory: small messages between two processes, without the kernel while both run.
 * docs/ring.md.
 *
 * Two processes share RING_BYTES of memory, zeroed at first, and the two ends of a channel, whose
 * doorbell (channel_ring) wakes who waits. Each way there is one sender and one receiver: of a
 * `struct ring` one uthread sends at a time, and one receives. What the other process writes there
 * can hold messages back or spoil them, and nothing else. */
#ifndef PANDO_RING_H
#define PANDO_RING_H

#include "pando.h"

enum {
    RING_WORDS = 6,       /* of a message: as many as a channel's */
    RING_MESSAGES = 32,   /* under way at most, each way */
    RING_TAKEN_EVERY = 8, /* messages: so often the receiver says how many it has taken */
    RING_POLLS = 1000,    /* looks before it waits, with cores of its own */
};

/* A message: one line. number: of all messages ever, from 1; published when the words are there. */
struct ring_line {
    uint64_t word[RING_WORDS];
    uint64_t spare;
    uint64_t number;
} __attribute__((aligned(64)));

/* One way, as both see it. */
struct ring_way {
    uint64_t taken __attribute__((aligned(64))); /* the receiver's: at least so many are */
    uint32_t receiver_waits __attribute__((aligned(64)));
    uint32_t sender_waits;
    struct ring_line line[RING_MESSAGES];
};
#define RING_BYTES 8192
_Static_assert(2 * sizeof(struct ring_way) <= RING_BYTES, "both ways");

/* One process's side, private to it. */
struct ring {
    struct ring_way *out, *in;
    long end;      /* of the channel */
    uint64_t sent; /* messages ever */
    uint64_t room; /* of `sent`, up to which there is room for certain */
    uint64_t received, published;
};

/* side: 0 for one process, 1 for the other. end: its end of the channel, with RIGHT_READ and
 * RIGHT_WRITE; the channel can carry messages all the same. */
static inline void ring_open(struct ring *ring, void *memory, int side, long end)
{
    struct ring_way *way = (struct ring_way *)memory;
    *ring = (struct ring){.out = way + side, .in = way + !side, .end = end, .room = RING_MESSAGES};
}

/* --- what is shared -------------------------------------------------------------------------- */

/* Who sets its `waits` and then looks again, and who publishes and then looks at `waits`, cannot
 * both see the old state. */
static inline void ring_fence(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static inline void ring_wake(struct ring *ring, uint32_t *waits)
{
    ring_fence();
    if (__atomic_load_n(waits, __ATOMIC_RELAXED) && __atomic_exchange_n(waits, 0, __ATOMIC_SEQ_CST))
        pando_channel_ring(ring->end);
}

static inline int ring_has_room(struct ring *ring)
{
    if (ring->sent < ring->room)
        return 1;
    uint64_t taken = __atomic_load_n(&ring->out->taken, __ATOMIC_ACQUIRE);
    if (ring->sent - taken >= RING_MESSAGES)
        return 0;
    ring->room = taken + RING_MESSAGES;
    return 1;
}

static inline struct ring_line *ring_next(struct ring *ring)
{
    return &ring->in->line[ring->received % RING_MESSAGES];
}

static inline int ring_has_message(struct ring *ring)
{
    return __atomic_load_n(&ring_next(ring)->number, __ATOMIC_ACQUIRE) == ring->received + 1;
}

static inline void ring_publish_taken(struct ring *ring)
{
    ring->published = ring->received;
    __atomic_store_n(&ring->in->taken, ring->received, __ATOMIC_RELEASE);
    ring_wake(ring, &ring->in->sender_waits);
}

/* --- without waiting ------------------------------------------------------------------------- */

/* 0, -E_FULL. */
static inline long ring_try_send(struct ring *ring, const uint64_t word[RING_WORDS])
{
    if (!ring_has_room(ring))
        return -E_FULL;
    struct ring_line *line = &ring->out->line[ring->sent % RING_MESSAGES];
    for (int i = 0; i < RING_WORDS; i++)
        line->word[i] = word[i];
    __atomic_store_n(&line->number, ++ring->sent, __ATOMIC_RELEASE);
    ring_wake(ring, &ring->out->receiver_waits);
    return 0;
}

/* 0, -E_EMPTY. */
static inline long ring_try_receive(struct ring *ring, uint64_t word[RING_WORDS])
{
    if (!ring_has_message(ring)) {
        if (ring->published != ring->received)
            ring_publish_taken(ring);
        return -E_EMPTY;
    }
    struct ring_line *line = ring_next(ring);
    for (int i = 0; i < RING_WORDS; i++)
        word[i] = __atomic_load_n(&line->word[i], __ATOMIC_RELAXED);
    if (++ring->received % RING_TAKEN_EVERY == 0)
        ring_publish_taken(ring);
    return 0;
}

/* --- waiting --------------------------------------------------------------------------------- */

/* Polls while the process has cores of its own; then waits for the doorbell, and other uthreads run
 * meanwhile. 0: ready. -E_CLOSED: the other end is closed, and not ready. Errors of
 * channel_watch. */
static inline long ring_wait(struct ring *ring, uint32_t *waits, int (*ready)(struct ring *ring))
{
    for (int polls = pando_procinfo()->manycore ? RING_POLLS : 0; polls > 0; polls--) {
        if (ready(ring))
            return 0;
        __builtin_ia32_pause();
    }
    long result = 0;
    while (!result) {
        uint32_t posted = pando_events_posted();
        __atomic_store_n(waits, 1, __ATOMIC_SEQ_CST);
        ring_fence();
        if (ready(ring))
            break;
        long state = pando_channel_watch(ring->end, CHANNEL_ON_CLOSED);
        if (ready(ring))
            break;
        if (state < 0 || (state & CHANNEL_ON_CLOSED))
            result = state < 0 ? state : -E_CLOSED;
        else
            pando_events_await(posted);
    }
    __atomic_store_n(waits, 0, __ATOMIC_RELAXED);
    return result;
}

/* 0, or an error of ring_wait: nothing was sent. */
static inline long ring_send(struct ring *ring, const uint64_t word[RING_WORDS])
{
    while (ring_try_send(ring, word)) {
        long error = ring_wait(ring, &ring->out->sender_waits, ring_has_room);
        if (error)
            return error;
    }
    return 0;
}

/* 0, or an error of ring_wait: nothing was there. */
static inline long ring_receive(struct ring *ring, uint64_t word[RING_WORDS])
{
    while (ring_try_receive(ring, word)) {
        long error = ring_wait(ring, &ring->in->receiver_waits, ring_has_message);
        if (error)
            return error;
    }
    return 0;
}

#endif
