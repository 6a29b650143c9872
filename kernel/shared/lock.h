/* The spin lock of the shared allocator. Interrupts are off in the kernel, so a holder is never
 * interrupted on its own core; nothing that can fault for copying is written while one is held. */
#ifndef KERNEL_SHARED_LOCK_H
#define KERNEL_SHARED_LOCK_H

#include <stdint.h>
#include "arch/arch.h"

struct spin_lock {
    uint32_t held;
};

static inline void spin_lock(struct spin_lock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
            arch_pause();
}

static inline void spin_unlock(struct spin_lock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
