/* The ring of one-line messages from one core to another, and its two ends. docs/channel.md.
 *
 * A ring is one frame: 64 messages of a cache line each. Of the two rings between a pair of cores,
 * each core writes one and reads the other; its end of both is private to it. The sender writes the
 * payload, then the header with release; the receiver polls only the header of the slot that comes
 * next, for the sequence number that comes next. What was consumed is told back in `ack` of
 * whatever goes the other way. Plain C: it is also built on the host.
 *
 * The header word:
 *
 *   63  56 55  44 43        32 31 18 17  16 15       0
 *   | type | slot | generation | ack | kind | sequence |
 *
 * sequence counts messages on this ring from 1, modulo 2^16. Until the awaited message is written,
 * its slot holds either zeroes (only in the first round, which awaits 1 to 64) or the number that
 * is 64 less: a stale slot never matches, across the wrap too.
 *
 * ack counts messages consumed on the reverse ring, modulo 2^14: unambiguous, since at most 64 are
 * under way. */
#ifndef KERNEL_SHARED_RING_H
#define KERNEL_SHARED_RING_H

#include <stddef.h>
#include <stdint.h>
#include "kernel/message.h"

#define HEAD_KIND_SHIFT 16
#define HEAD_KIND_MASK  (3ull << HEAD_KIND_SHIFT)
#define HEAD_ACK_SHIFT  18
#define HEAD_ACK_MASK   0x3fffu
#define HEAD_TYPE_SHIFT 56
#define HEAD_RING_MASK  (0xffffffffull & ~HEAD_KIND_MASK) /* what ring_publish fills in */

#define KIND_PLAIN   (0ull << HEAD_KIND_SHIFT)
#define KIND_REQUEST (1ull << HEAD_KIND_SHIFT) /* the place of one reply is reserved for it */
#define KIND_REPLY   (2ull << HEAD_KIND_SHIFT) /* gives that place back */
#define KIND_ACK     (3ull << HEAD_KIND_SHIFT) /* carries nothing but `ack` */

/* The header of a message that is to be sent: its type. The rest is filled in on the way. */
static inline uint64_t message_head(enum message_type type)
{
    return (uint64_t)type << HEAD_TYPE_SHIFT;
}

static inline unsigned message_type(const struct message *m)
{
    return m->head >> HEAD_TYPE_SHIFT;
}

static inline uint64_t message_kind(const struct message *m)
{
    return m->head & HEAD_KIND_MASK;
}

/* A window of messages other than pure acknowledgements may be under way; two slots beyond it are
 * kept for those. One is sent when half a window was consumed and nothing went back meanwhile; two
 * halves make a window, so a third is never sent before the first is known to have been consumed.
 */
#define RING_SLOTS     64
#define RING_ACK_SLOTS 2
#define RING_WINDOW    (RING_SLOTS - RING_ACK_SLOTS)
#define RING_ACK_EVERY (RING_WINDOW / 2)

struct ring {
    struct message slot[RING_SLOTS];
};

_Static_assert(sizeof(struct message) == 64, "a message is a cache line");
_Static_assert(65536 % RING_SLOTS == 0, "slots follow the sequence across its wrap");

/* A core's end of the two rings it has with another. Private to it. Counts run modulo 2^32.
 * Invariants: under_way <= RING_SLOTS; 0 < until_ack <= RING_ACK_EVERY between messages. */
struct ring_end {
    struct ring *out;   /* written here */
    struct ring *in;    /* read here; NULL until the peer has made it known */
    uint32_t sent;      /* messages published on out */
    uint32_t under_way; /* of these, not known to have been consumed */
    uint32_t taken;     /* messages consumed from in */
    uint32_t until_ack; /* how many more may be, before a pure acknowledgement is due */
};

/* The end of a pair on which no message has passed yet. */
static inline void ring_open(struct ring_end *end, struct ring *out, struct ring *in)
{
    *end = (struct ring_end){.out = out, .in = in, .until_ack = RING_ACK_EVERY};
}

/* May a message other than a pure acknowledgement be published? */
static inline int ring_has_credit(const struct ring_end *end)
{
    return __builtin_expect(end->under_way < RING_WINDOW, 1);
}

/* Publishes the words of `m` under `head` (type, kind, target; zero in HEAD_RING_MASK). The caller
 * has checked the credit. Afterwards the receiver's doorbell is to be looked at. */
static inline void ring_publish(struct ring_end *end, const struct message *m, uint64_t head)
{
    uint32_t sequence = ++end->sent;
    struct message *slot = &end->out->slot[sequence % RING_SLOTS];
    end->under_way++;
    __builtin_memcpy(slot->word, m->word, sizeof(m->word));
    head |= end->taken << HEAD_ACK_SHIFT | (uint16_t)sequence;
    end->until_ack = RING_ACK_EVERY;
    __atomic_store_n(&slot->head, head, __ATOMIC_RELEASE);
}

/* Publishes a pure acknowledgement. Returns 0 when there is no slot, which cannot be if both ends
 * keep to the rules. */
static inline int ring_publish_ack(struct ring_end *end)
{
    static const struct message nothing;
    if (end->under_way >= RING_SLOTS)
        return 0;
    ring_publish(end, &nothing, message_head(MESSAGE_ACK) | KIND_ACK);
    return 1;
}

/* The message that comes next, or NULL while it has not come. It stays readable in its slot until
 * ring_take; what is published meanwhile does not acknowledge it. */
static inline const struct message *ring_next(const struct ring_end *end)
{
    uint32_t sequence = end->taken + 1;
    const struct message *slot = &end->in->slot[sequence % RING_SLOTS];
    uint64_t head = __atomic_load_n(&slot->head, __ATOMIC_ACQUIRE);
    if (!slot)
        __builtin_unreachable(); /* so that callers test once */
    return ((head ^ sequence) & 0xffff) == 0 ? slot : NULL;
}

/* Consumes the message that ring_next gave: its slot is the sender's again once told; and takes up
 * the acknowledgement that it carries. The two are one step: whatever uses the credit acknowledges
 * the message that brought it, on which the number of slots for pure acknowledgements rests.
 * Returns 0 when what is acknowledged goes back or was never sent: the rings are damaged. */
static inline int ring_take(struct ring_end *end, const struct message *m)
{
    uint32_t ack = (uint32_t)m->head >> HEAD_ACK_SHIFT;
    uint32_t under_way = (end->sent - ack) & HEAD_ACK_MASK;
    int sound = under_way <= end->under_way;
    end->under_way = under_way;
    end->taken++;
    return __builtin_expect(sound, 1);
}

/* Counts a message that was taken, if it was no pure acknowledgement: those do not themselves make
 * one due. Returns 1 when one is due now: it is to be published before the next message is taken,
 * unless something else is. */
static inline int ring_owe_ack(struct ring_end *end)
{
    return __builtin_expect(--end->until_ack == 0, 0);
}

static inline int ring_ack_due(const struct ring_end *end)
{
    return end->until_ack == 0;
}

#endif
