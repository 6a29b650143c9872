/* Futexes: queues in user space. A waiter compares, notes itself and stops without letting go of
 * the mutex in between; it is released when the waiter can be woken, so no wake-up falls in
 * between. */
#include "runtime/call.h"
#include "runtime/mutex.h"
#include "runtime/scheduler.h"

enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_WAIT_BITSET = 9, FUTEX_WAKE_BITSET = 10 };
enum { FUTEX_COMMAND = 0x7f };

static struct mutex mutex; /* for this: */
static struct uthread_queue waiters;

static void after_wait(struct uthread *uthread, void *arg)
{
    (void)uthread;
    mutex_release_masked(arg);
}

static int64_t futex_wait(const volatile uint32_t *word, uint32_t value)
{
    struct uthread *self = user_current();

    mutex_take(&mutex);
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value) {
        mutex_release(&mutex);
        return -LINUX_EAGAIN;
    }
    self->futex = word;
    uthread_queue_add(&waiters, self);
    uthread_block(after_wait, &mutex);
    return 0;
}

/* With a time-out the waiter looks for itself, giving its vcore to others in between; it may return
 * without having been woken, as a futex may. */
static int64_t futex_wait_until(const volatile uint32_t *word, uint32_t value, uint64_t end_ns)
{
    if (__atomic_load_n(word, __ATOMIC_SEQ_CST) != value)
        return -LINUX_EAGAIN;
    while (__atomic_load_n(word, __ATOMIC_SEQ_CST) == value) {
        if (time_now_ns() >= end_ns)
            return -LINUX_ETIMEDOUT;
        runtime_uthread_yield();
        cpu_relax();
    }
    return 0;
}

static int64_t futex_wake(const volatile uint32_t *word, uint32_t limit)
{
    struct uthread_queue others = {0};
    struct uthread *uthread;
    uint32_t woken = 0;

    mutex_take(&mutex);
    while ((uthread = uthread_queue_take(&waiters))) {
        if (uthread->futex != word || woken == limit) {
            uthread_queue_add(&others, uthread);
            continue;
        }
        woken++;
        vcore_mask();
        scheduler_add(uthread);
        vcore_unmask();
    }
    waiters = others;
    mutex_release(&mutex);
    return woken;
}

/* The time-out of FUTEX_WAIT counts from now, that of FUTEX_WAIT_BITSET is a time. */
static int64_t wait_any(const uint64_t *args, bool absolute)
{
    const struct linux_timespec *timeout = (const struct linux_timespec *)args[3];

    if (!timeout)
        return futex_wait((const uint32_t *)args[0], args[2]);
    uint64_t end_ns = timeout->s * 1000000000ull + timeout->ns + (absolute ? 0 : time_now_ns());
    return futex_wait_until((const uint32_t *)args[0], args[2], end_ns);
}

/* futex(word, command, value, timeout) */
int64_t answer_futex(const uint64_t *args)
{
    switch (args[1] & FUTEX_COMMAND) {
    case FUTEX_WAIT:
        return wait_any(args, false);
    case FUTEX_WAIT_BITSET:
        return wait_any(args, true);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        return futex_wake((const uint32_t *)args[0], args[2]);
    default:
        return -LINUX_ENOSYS;
    }
}
