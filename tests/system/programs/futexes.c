/* futexes turns VCORES | lock VCORES | count | values | timed: uthreads that wait on words; "ok" at
 * the end. */
#include <errno.h>
#include <limits.h>
#include <time.h>
#include "tests/system/programs/calls.h"
#include "tests/system/programs/check.h"

enum { WAIT = 0, WAKE = 1, TURNS = 500, LOCKERS = 8, WAITERS = 5 };
enum { TIMEOUT_NS = 20000000 };

static int words[2], lock_word;
static unsigned long counted, waiting, returned;

static long futex_wait(const int *word, int value, const struct timespec *timeout)
{
    return instruction_call(CALL_FUTEX, (long)word, WAIT, value, (long)timeout);
}

static long futex_wake(const int *word, int limit)
{
    return instruction_call(CALL_FUTEX, (long)word, WAKE, limit, 0);
}

static void *take_turns(void *arg)
{
    long me = (long)arg;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        while (__atomic_load_n(&words[me], __ATOMIC_SEQ_CST) == 0)
            futex_wait(&words[me], 0, NULL);
        __atomic_store_n(&words[me], 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&words[!me], 1, __ATOMIC_SEQ_CST);
        futex_wake(&words[!me], 1);
    }
    return NULL;
}

static void test_turns(void)
{
    struct uthread *uthreads[2];
    words[0] = 1;
    for (long i = 0; i < 2; i++)
        CHECK_IS(uthread_create(&uthreads[i], take_turns, (void *)i), 0);
    for (int i = 0; i < 2; i++)
        CHECK_IS(uthread_join(uthreads[i], NULL), 0);
    CHECK_IS(words[0], 1);
    CHECK_IS(words[1], 0);
}

/* 0: free; 1: taken; 2: taken, and someone may wait. */
static void lock_take(void)
{
    int state = 0;
    if (__atomic_compare_exchange_n(&lock_word, &state, 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return;
    while (__atomic_exchange_n(&lock_word, 2, __ATOMIC_SEQ_CST) != 0)
        futex_wait(&lock_word, 2, NULL);
}

static void lock_release(void)
{
    if (__atomic_exchange_n(&lock_word, 0, __ATOMIC_SEQ_CST) == 2)
        futex_wake(&lock_word, 1);
}

static void *count_locked(void *arg)
{
    for (unsigned turn = 0; turn < TURNS; turn++) {
        lock_take();
        unsigned long before = counted;
        if (turn % 16 == 0)
            uthread_yield();
        counted = before + 1;
        lock_release();
    }
    return arg;
}

static void test_lock(void)
{
    struct uthread *uthreads[LOCKERS];
    for (int i = 0; i < LOCKERS; i++)
        CHECK_IS(uthread_create(&uthreads[i], count_locked, NULL), 0);
    for (int i = 0; i < LOCKERS; i++)
        CHECK_IS(uthread_join(uthreads[i], NULL), 0);
    CHECK_IS(counted, LOCKERS * TURNS);
}

static void *wait_once(void *arg)
{
    waiting++;
    CHECK_IS(futex_wait(&words[0], 0, NULL), 0);
    returned++;
    return arg;
}

static void yield_much(void)
{
    for (int i = 0; i < 10 * WAITERS; i++)
        uthread_yield();
}

/* On one vcore, and without preemption: a uthread that yields finds the others waiting. */
static void test_count(void)
{
    static const struct {
        int limit, woken, returned;
    } steps[] = {{0, 0, 0}, {2, 2, 2}, {1, 1, 3}, {INT_MAX, 2, 5}, {INT_MAX, 0, 5}};
    struct uthread *uthreads[WAITERS];
    for (int i = 0; i < WAITERS; i++)
        CHECK_IS(uthread_create(&uthreads[i], wait_once, NULL), 0);
    yield_much();
    CHECK_IS(waiting, WAITERS);
    CHECK_IS(futex_wake(&words[1], INT_MAX), 0);
    for (unsigned i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        CHECK_IS(futex_wake(&words[0], steps[i].limit), steps[i].woken);
        yield_much();
        CHECK_IS(returned, steps[i].returned);
    }
    for (int i = 0; i < WAITERS; i++)
        CHECK_IS(uthread_join(uthreads[i], NULL), 0);
}

static void test_values(void)
{
    CHECK_IS(futex_wait(&words[0], 1, NULL), -EAGAIN);
    words[0] = -1;
    CHECK_IS(futex_wait(&words[0], 0, NULL), -EAGAIN);
    CHECK_IS(futex_wake(&words[0], INT_MAX), 0);
    CHECK_IS(instruction_call(CALL_FUTEX, (long)words, 77, 0, 0), -ENOSYS);
}

static long now_ns(void)
{
    struct timespec now;
    CHECK_IS(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static void *release_word(void *arg)
{
    __atomic_store_n(&words[0], 1, __ATOMIC_SEQ_CST);
    futex_wake(&words[0], 1);
    return arg;
}

static void test_timed(void)
{
    const struct timespec brief = {0, TIMEOUT_NS}, very_long = {1000, 0};
    struct uthread *uthread;
    long start = now_ns();
    CHECK_IS(futex_wait(&words[0], 0, &brief), -ETIMEDOUT);
    CHECK(now_ns() - start >= TIMEOUT_NS);
    CHECK_IS(uthread_create(&uthread, release_word, NULL), 0);
    CHECK_IS(futex_wait(&words[0], 0, &very_long), 0);
    CHECK_IS(words[0], 1);
    CHECK_IS(uthread_join(uthread, NULL), 0);
}

int main(int argc, char *argv[])
{
    if (argc > 2)
        CHECK_IS(pando_vcores_request(number_of(argv[2])), number_of(argv[2]));
    if (!strcmp(argv[1], "turns"))
        test_turns();
    else if (!strcmp(argv[1], "lock"))
        test_lock();
    else if (!strcmp(argv[1], "count"))
        test_count();
    else if (!strcmp(argv[1], "values"))
        test_values();
    else
        test_timed();
    printf("ok\n");
    return 0;
}
