/* A spin lock, for masked code only: its holder cannot be taken off its vcore by a notification, so
 * that nobody spins for a uthread that does not run. */
#ifndef RUNTIME_LOCK_H
#define RUNTIME_LOCK_H

#include <stdint.h>
#include "user/user.h"

struct lock {
    uint32_t held;
};

static inline void lock_take(struct lock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE)) {
        while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED))
            cpu_relax();
    }
}

static inline void lock_release(struct lock *lock)
{
    __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE);
}

#endif
