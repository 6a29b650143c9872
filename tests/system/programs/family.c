/* family TEST [ARGUMENT]: creating, running, awaiting and killing processes; "ok" at the end. */
#include <stdarg.h>
#include <time.h>
#include "tests/system/programs/check.h"

enum { WORDS_MAX = 8 };

/* A child, CREATED: its words up to NULL. */
static int create(const char *word, ...)
{
    char *words[WORDS_MAX];
    int count = 0;
    va_list list;
    va_start(list, word);
    for (; word; word = va_arg(list, const char *))
        words[count++] = (char *)word;
    va_end(list);
    int child = pando_proc_create(count, words);
    CHECK(child > 0);
    return child;
}

static long run(long child)
{
    return pando_kernel_call(PANDO_proc_run, child, 0, 0, 0);
}
static long await(long child)
{
    return child_wait(child);
}
static long kill(long child)
{
    return child_kill(child);
}

static void pause_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};
    nanosleep(&time, NULL);
}

static void test_errors(void)
{
    static char long_word[5000];
    char *none[] = {NULL}, *empty[] = {""}, *much[] = {"hello", long_word};
    memset(long_word, 'x', sizeof long_word - 1);
    CHECK_IS(pando_proc_create(0, none), -E_INVALID);
    CHECK_IS(pando_proc_create(1, empty), -E_INVALID);
    CHECK_IS(pando_proc_create(2, much), -E_TOO_LONG);
    CHECK_IS(pando_kernel_call(PANDO_proc_create, 0, 0, 0, 0), -E_INVALID);
    CHECK_IS(pando_kernel_call(PANDO_proc_create, 4097, 0, 0, 0), -E_INVALID);
    CHECK_IS(pando_kernel_call(PANDO_proc_create, -1, 0, 0, 0), -E_INVALID);
    const long strangers[] = {0, -1, 999, 1l << 32 | 2, 1l << 62, 1025};
    for (unsigned i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        CHECK_IS(run(strangers[i]), -E_NO_ENTRY);
        CHECK_IS(await(strangers[i]), -E_NO_ENTRY);
        CHECK_IS(kill(strangers[i]), -E_NO_ENTRY);
    }
    int child = create("ends", "exit", "3", NULL);
    CHECK_IS(run(child), 0);
    CHECK_IS(run(child), -E_STATE);
    CHECK_IS(await(child), 3);
    CHECK_IS(await(child), -E_NO_ENTRY);
    CHECK_IS(run(child), -E_NO_ENTRY);
    CHECK_IS(kill(child), -E_NO_ENTRY);
    child = create("nowhere", NULL);
    CHECK_IS(run(child), 0);
    CHECK_IS(await(child), 127);
}

static void test_statuses(void)
{
    const char *const statuses[] = {"0", "1", "77", "255"};
    for (unsigned i = 0; i < 4; i++) {
        int child = create("ends", "exit", statuses[i], NULL);
        CHECK_IS(run(child), 0);
        CHECK_IS(await(child), number_of(statuses[i]));
    }
    int child = create("ends", "exit", "5", NULL);
    CHECK_IS(run(child), 0);
    pause_ms(50); /* it has ended by now, or not: the same must come out */
    CHECK_IS(await(child), 5);
}

static void test_kill(void)
{
    int child = create("hello", NULL); /* CREATED */
    CHECK_IS(kill(child), 0);
    CHECK_IS(run(child), -E_STATE);
    CHECK_IS(await(child), STATUS_KILLED);
    child = create("ends", "exit", "6", NULL); /* gone, perhaps */
    CHECK_IS(run(child), 0);
    pause_ms(50);
    CHECK_IS(kill(child), 0);
    long status = await(child);
    CHECK(status == 6 || status == STATUS_KILLED);
    for (long ms = 0; ms < 40; ms += 4) { /* at all moments of its start */
        child = create("spin", "1", NULL);
        CHECK_IS(run(child), 0);
        pause_ms(ms);
        CHECK_IS(kill(child), 0);
        CHECK_IS(await(child), STATUS_KILLED);
    }
}

static long spin_on(long turns)
{
    volatile long turn = 0;
    while (turn < turns)
        turn++;
    return turn;
}

/* One that computes and never waits leaves others their turns: some day the child has ended by
 * itself. */
static void test_turns(void)
{
    for (long turns = 1 << 16; turns < 1l << 33; turns *= 2) {
        int child = create("ends", "exit", "6", NULL);
        CHECK_IS(run(child), 0);
        spin_on(turns);
        CHECK_IS(kill(child), 0);
        if (await(child) == 6)
            return;
    }
    CHECK(!"a child that got no turn");
}

/* While one process computes on all cores, another waits for them, and gets all when the first is
 * killed. */
static void test_cores(void)
{
    char most[24];
    snprintf(most, sizeof most, "%u", pando_procinfo()->max_vcores);
    for (unsigned round = 0; round < 5; round++) {
        int first = create("spin", most, NULL);
        CHECK_IS(run(first), 0);
        pause_ms(40);
        int second = create("cores", most, "gather", NULL);
        CHECK_IS(run(second), 0);
        pause_ms(20);
        CHECK_IS(kill(first), 0);
        CHECK_IS(await(first), STATUS_KILLED);
        CHECK_IS(await(second), 0);
    }
}

static void *await_in_vain(void *arg)
{
    return (void *)await((long)arg);
}

static void test_two_waiters(void)
{
    struct uthread *uthread;
    void *result;
    CHECK_IS(pando_vcores_request(2), 2);
    int child = create("spin", "1", NULL);
    CHECK_IS(run(child), 0);
    CHECK_IS(uthread_create(&uthread, await_in_vain, (void *)(long)child), 0);
    pause_ms(50);
    long second = await(child); /* whoever comes second is refused */
    CHECK_IS(second, -E_STATE);
    CHECK_IS(kill(child), 0);
    CHECK_IS(uthread_join(uthread, &result), 0);
    CHECK_IS((long)result, STATUS_KILLED);
}

static void test_many(long count)
{
    for (long i = 0; i < count; i++) {
        int child = create("ends", "exit", "9", NULL);
        CHECK_IS(run(child), 0);
        CHECK_IS(await(child), 9);
    }
}

static void test_at_once(long count)
{
    int children[100];
    char status[24];
    CHECK(count <= 100);
    for (long i = 0; i < count; i++) {
        snprintf(status, sizeof status, "%ld", i);
        children[i] = create("slow", status, NULL);
    }
    for (long i = 0; i < count; i++)
        CHECK_IS(run(children[i]), 0);
    for (long i = count - 1; i >= 0; i--)
        CHECK_IS(await(children[i]), i);
}

/* A child faults; one that computes at the same time ends as if nothing had been. */
static void test_beside(const char *kind)
{
    int steady = create("slow", "88", NULL), faulty = create("ends", kind, NULL);
    CHECK_IS(run(steady), 0);
    CHECK_IS(run(faulty), 0);
    CHECK_IS(await(faulty), STATUS_FAULT);
    CHECK_IS(await(steady), 88);
}

static void test_exhausted_child(void)
{
    int steady = create("slow", "88", NULL), greedy = create("memory", "touch", NULL);
    CHECK_IS(run(steady), 0);
    CHECK_IS(run(greedy), 0);
    CHECK_IS(await(greedy), STATUS_FAULT);
    CHECK_IS(await(steady), 88);
    int next = create("memory", "zero", NULL);
    CHECK_IS(run(next), 0);
    CHECK_IS(await(next), 0);
}

/* No more can be created at some point, and what was created works. */
static void test_crowd(void)
{
    static int children[4000];
    char *words[] = {"ends", "exit", "9"};
    int count = 0, child;
    while (count < 4000 && (child = pando_proc_create(3, words)) > 0)
        children[count++] = child;
    CHECK(count == 4000 || child == -E_NO_MEMORY || child == -E_LIMIT);
    CHECK(count > 20);
    for (int i = 0; i < count; i++) {
        CHECK_IS(kill(children[i]), 0);
        CHECK_IS(await(children[i]), STATUS_KILLED);
    }
    test_many(3);
}

/* A process that ends while its memory is being changed is gone in the end. */
static void test_churn(long rounds)
{
    char most[24], turns[24];
    snprintf(most, sizeof most, "%u", pando_procinfo()->max_vcores);
    for (long i = 1; i <= rounds; i++) {
        snprintf(turns, sizeof turns, "%ld", i);
        int child = create("stale", "churn", most, turns, NULL);
        CHECK_IS(run(child), 0);
        CHECK_IS(await(child), STATUS_FAULT);
    }
}

/* Children that make calls at random, do anything to their own memory, and are killed in the end.
 */
static void test_wild(long seeds)
{
    char seed[24];
    long faults = 0;
    for (long i = 1; i <= seeds; i++) {
        snprintf(seed, sizeof seed, "%ld", i);
        int child = create("random", "wild", seed, NULL);
        CHECK_IS(run(child), 0);
        pause_ms(30);
        CHECK_IS(kill(child), 0);
        long status = await(child);
        faults += status == STATUS_FAULT;
        CHECK(status >= 0);
    }
    CHECK(seeds < 10 || faults > 0); /* else they were not wild */
}

int main(int argc, char *argv[])
{
    const char *test = argv[1];
    if (!strcmp(test, "errors"))
        test_errors();
    else if (!strcmp(test, "statuses"))
        test_statuses();
    else if (!strcmp(test, "kill"))
        test_kill();
    else if (!strcmp(test, "turns"))
        test_turns();
    else if (!strcmp(test, "cores"))
        test_cores();
    else if (!strcmp(test, "two-waiters"))
        test_two_waiters();
    else if (!strcmp(test, "many"))
        test_many(number_of(argv[2]));
    else if (!strcmp(test, "at-once"))
        test_at_once(number_of(argv[2]));
    else if (!strcmp(test, "beside"))
        test_beside(argv[2]);
    else if (!strcmp(test, "exhausted"))
        test_exhausted_child();
    else if (!strcmp(test, "crowd"))
        test_crowd();
    else if (!strcmp(test, "churn"))
        test_churn(number_of(argv[2]));
    else if (!strcmp(test, "wild"))
        test_wild(number_of(argv[2]));
    else
        return 2;
    printf("ok\n");
    return 0;
}
