#include "runtime/mutex.h"
#include "runtime/scheduler.h"

static bool try_take(struct mutex *mutex)
{
    lock_take(&mutex->lock);
    bool taken = !mutex->held;
    mutex->held = true;
    lock_release(&mutex->lock);
    return taken;
}

/* The mutex may have become free while the uthread was stopping: then it is taken here. */
static void after_wait(struct uthread *uthread, void *arg)
{
    struct mutex *mutex = arg;

    lock_take(&mutex->lock);
    bool taken = !mutex->held;
    mutex->held = true;
    if (!taken)
        uthread_queue_add(&mutex->waiters, uthread);
    lock_release(&mutex->lock);
    if (taken)
        scheduler_add_first(uthread);
}

void mutex_take(struct mutex *mutex)
{
    vcore_mask();
    bool taken = try_take(mutex);
    vcore_unmask();
    if (!taken)
        uthread_block(after_wait, mutex);
}

void mutex_release_masked(struct mutex *mutex)
{
    lock_take(&mutex->lock);
    struct uthread *next = uthread_queue_take(&mutex->waiters);
    mutex->held = next != NULL;
    lock_release(&mutex->lock);
    if (next)
        scheduler_add(next);
}

void mutex_release(struct mutex *mutex)
{
    vcore_mask();
    mutex_release_masked(mutex);
    vcore_unmask();
}
