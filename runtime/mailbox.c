#include "runtime/mailbox.h"

enum { WORDS = EVENT_TYPES / 64 };

static bool ring_has(const struct event_ring *ring)
{
    return __atomic_load_n(&ring->written, __ATOMIC_SEQ_CST) !=
           __atomic_load_n(&ring->taken, __ATOMIC_RELAXED);
}

static bool ring_take(struct event_ring *ring, struct event *event)
{
    if (!ring_has(ring))
        return false;
    const struct event *slots = (const struct event *)(uintptr_t)ring->address;
    *event = slots[ring->taken & (ring->events - 1)];
    __atomic_store_n(&ring->taken, ring->taken + 1, __ATOMIC_RELEASE);
    return true;
}

static bool bit_take(uint64_t *bits, struct event *event)
{
    for (unsigned word = 0; word < WORDS; word++) {
        uint64_t set = __atomic_load_n(&bits[word], __ATOMIC_SEQ_CST);
        if (!set)
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(set);
        __atomic_fetch_and(&bits[word], ~(1ull << bit), __ATOMIC_SEQ_CST);
        *event = (struct event){.type = (uint16_t)(word * 64 + bit), .flags = EVENT_OF_BITMAP};
        return true;
    }
    return false;
}

bool mailbox_take(struct mailbox *mailbox, struct event *event)
{
    return ring_take(&mailbox->home, event) || ring_take(&mailbox->driver, event) ||
           bit_take(mailbox->bits, event);
}

bool mailbox_has(const struct mailbox *mailbox)
{
    for (unsigned word = 0; word < WORDS; word++)
        if (__atomic_load_n(&mailbox->bits[word], __ATOMIC_SEQ_CST))
            return true;
    return ring_has(&mailbox->home) || ring_has(&mailbox->driver);
}
