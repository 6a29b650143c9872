/* The doorbell of a kernel: how a sender knows whether it must interrupt. docs/channel.md.
 *
 * `away` is 0 while the kernel is in its event loop, where it polls, and 1 while it may be halted
 * or in user mode. A sender publishes, then looks at `away`; a kernel that leaves sets `away`, then
 * looks for messages. Between the two steps each has a full fence, so at least one sees the other.
 * Of all senders that see 1 the exchange lets one ring, once for each stay away. */
#ifndef KERNEL_SHARED_DOORBELL_H
#define KERNEL_SHARED_DOORBELL_H

#include <stdint.h>

struct doorbell {
    uint32_t away;
} __attribute__((aligned(64)));

/* The sender's half, after publishing: must the bell be rung? */
static inline int doorbell_needed(struct doorbell *bell)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(__atomic_load_n(&bell->away, __ATOMIC_RELAXED) == 0, 1))
        return 0;
    return __atomic_exchange_n(&bell->away, 0, __ATOMIC_SEQ_CST) == 1;
}

/* The receiver's half: after this it polls everything once more before it leaves. */
static inline void doorbell_leave(struct doorbell *bell)
{
    __atomic_exchange_n(&bell->away, 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* The receiver is in its loop again. A sender that still sees 1 rings once in vain; no order with
 * the polling that follows is needed, since the loop polls again after each doorbell_leave. */
static inline void doorbell_back(struct doorbell *bell)
{
    __atomic_store_n(&bell->away, 0, __ATOMIC_RELAXED);
}

#endif
