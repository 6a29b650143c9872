/* A mutex for uthreads: who waits for it gives its vcore to another. */
#ifndef RUNTIME_MUTEX_H
#define RUNTIME_MUTEX_H

#include <stdbool.h>
#include "runtime/uthread.h"

struct mutex {
    struct lock lock; /* for these: */
    bool held;
    struct uthread_queue waiters; /* empty unless held; the first is the next holder */
};

/* Uthread context. */
void mutex_take(struct mutex *mutex);
void mutex_release(struct mutex *mutex);

/* The same as mutex_release, masked: for functions given to uthread_block. */
void mutex_release_masked(struct mutex *mutex);

#endif
