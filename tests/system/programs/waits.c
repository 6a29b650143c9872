/* waits TEST [ARGUMENT...]: processes that yield to wait, and what wakes them; "ok" at the end.
 * turns HOW HOW ROUNDS: parent and child ring for each other, and wait in between as HOW says: single (in
 * _S), last (the last vcore of _M), or halt; a wake-up that is lost is waited for in vain.
 * yield: what yields return. kills FLAGS: children
 * are killed in every state; 2: twice, the second time with PROC_ABORT. */
#include "tests/system/programs/check.h"

enum { BELL = 1, MOST_DELAY = 4000, STATUS_CHILD = 7, MOVES = 20, LOOKS_MOST = 200 };
enum { CREATED, RUNNABLE_S, RUNNING_S, WAITING, RUNNABLE_M, RUNNING_M }; /* proc_info.state */

static const volatile struct procinfo *info;

/* --- waiting ---------------------------------------------------------------------------------- */

static void get_ready(long bell, const char *how)
{
    CHECK(pando_kernel_call(PANDO_channel_watch, bell, CHANNEL_ON_READABLE, 0, 0) >= 0);
    if (strcmp(how, "single"))
        CHECK_IS(pando_vcores_request(1), 1);
}

static void wait_for_ring(const char *how)
{
    struct event event = {0};
    while (event.type != EVENT_CHANNEL_READABLE)
        if (!strcmp(how, "halt"))
            pando_event_wait(&event);
        else if (!pando_event_poll(&event))
            CHECK_IS(pando_kernel_call(PANDO_vcore_yield, YIELD_WAIT, 0, 0, 0), 0);
}

/* At a moment that is another one each time. */
static void ring(long bell, unsigned round)
{
    compute(round * 7919 % MOST_DELAY);
    CHECK_IS(pando_kernel_call(PANDO_channel_ring, bell, 0, 0, 0), 0);
}

static long start_with_bell(long *bell, const char *word, const char *how, const char *rounds)
{
    long ends = pando_kernel_call(PANDO_channel_create, 1, 0, 0, 0);
    CHECK(ends > 0);
    *bell = ends & 0xffffffff;
    long child = child_try("waits", word, how, rounds, NULL);
    CHECK(child > 0);
    CHECK_IS(pando_kernel_call(PANDO_proc_give, child, ends >> 32, RIGHTS_ALL, 0), BELL);
    CHECK_IS(pando_kernel_call(PANDO_handle_close, ends >> 32, 0, 0, 0), 0);
    CHECK_IS(child_run(child), 0);
    return child;
}

/* Looks until it is there: it may have gone on by now. */
static void await_state(long child, unsigned state)
{
    struct proc_info now;
    do {
        if (!info->manycore)
            pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0);
        CHECK_IS(pando_proc_info(child, &now), 0);
    } while (now.state != state);
}

static void test_turns(const char *how, const char *childs, const char *rounds)
{
    long bell, child = start_with_bell(&bell, "answer", childs, rounds);
    get_ready(bell, how);
    for (unsigned round = 0; round < number_of(rounds); round++) {
        if (round % 2)
            await_state(child, strcmp(childs, "halt") ? WAITING : RUNNING_M);
        ring(bell, round);
        wait_for_ring(how);
    }
    CHECK_IS(child_wait(child), STATUS_CHILD);
}

static int answer(const char *how, const char *rounds)
{
    get_ready(BELL, how);
    for (unsigned round = 0; round < number_of(rounds); round++) {
        wait_for_ring(how);
        ring(BELL, round * 31);
    }
    return STATUS_CHILD;
}

/* --- what yields return ----------------------------------------------------------------------- */

static void check_pending(void)
{
    CHECK_IS(raw_call(PANDO_vcore_notify, 0, 0, 0), 0);
    CHECK_IS(raw_call(PANDO_vcore_yield, YIELD_WAIT, 0, 0), 0); /* it does not wait, */
    CHECK_IS(vcore_data_of(0)->notif_pending, 0);               /* and takes what was told */
}

/* One of the whole process, whatever vcore was told. */
static void check_pending_of_another(void)
{
    unsigned most = info->max_vcores;
    CHECK_IS(pando_vcores_request(most), most);
    CHECK_IS(pando_vcores_request(0), 0);
    unsigned other = pando_vcore_id() == (int)most - 1 ? 0 : most - 1;
    CHECK_IS(raw_call(PANDO_vcore_notify, other, 0, 0), 0);
    CHECK_IS(raw_call(PANDO_vcore_yield, YIELD_WAIT, 0, 0), 0);
    CHECK_IS(vcore_data_of(other)->notif_pending, 0);
    CHECK_IS(raw_call(PANDO_vcore_notify, most, 0, 0), -E_NO_ENTRY);
    CHECK_IS(raw_call(PANDO_vcore_notify, other, 0, 0), 0);
    CHECK_IS(pando_vcores_request(1), 1);
    CHECK_IS(raw_call(PANDO_vcore_yield, 0, 0, 0), 0); /* the last one stays */
    CHECK_IS(info->amt_granted, 1);
}

static void test_yield(void)
{
    for (unsigned i = 0; i < 20; i++)
        CHECK_IS(pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0), 0);
    CHECK_IS(pando_kernel_call(PANDO_vcore_yield, 2, 0, 0, 0), -E_INVALID);
    check_pending();
    if (info->max_vcores > 1)
        check_pending_of_another();
}

/* --- kills ------------------------------------------------------------------------------------ */

static int is_many(const char *what)
{
    return !strcmp(what, "many") || !strcmp(what, "last");
}

/* Rings when it has its core: it was WAITING for that, too. */
static int be_in(const char *state)
{
    struct event event;
    get_ready(BELL, "single");
    if (is_many(state)) {
        CHECK(pando_vcores_request(1) == 1);
        ring(BELL, 0);
    }
    while (!strcmp(state, "waiting") || !strcmp(state, "last"))
        if (!pando_event_poll(&event))
            pando_kernel_call(PANDO_vcore_yield, YIELD_WAIT, 0, 0, 0);
    for (;;)
        ;
}

static void kill_and_await(long child, long flags)
{
    CHECK_IS(pando_kernel_call(PANDO_proc_kill, child, flags & PROC_ABORT, 0, 0), 0);
    CHECK_IS(pando_kernel_call(PANDO_proc_kill, child, flags != 0, 0, 0), 0);
    CHECK_IS(child_wait(child), STATUS_KILLED);
}

static long start_in(long *bell, const char *what, unsigned state)
{
    long child = start_with_bell(bell, "be", what, "0");
    get_ready(*bell, "single");
    if (is_many(what))
        wait_for_ring("single");
    await_state(child, state);
    return child;
}

static void kill_in(const char *what, unsigned state, long flags)
{
    long bell;
    kill_and_await(start_in(&bell, what, state), flags);
}

/* With all cores taken a child waits for its first ones in vain; one that had some, waited, and is
 * woken, too. */
static void kill_without_cores(long flags)
{
    long first, bell, sleeper = start_in(&bell, "last", WAITING);
    CHECK_IS(pando_vcores_request(info->max_vcores), info->max_vcores);
    long asker = start_with_bell(&first, "be", "last", "0");
    CHECK_IS(pando_kernel_call(PANDO_channel_ring, bell, 0, 0, 0), 0);
    struct proc_info now;
    do
        CHECK_IS(pando_proc_info(asker, &now), 0);
    while (now.state != WAITING);
    CHECK_IS(pando_proc_info(sleeper, &now), 0);
    CHECK_IS(now.state, RUNNABLE_M);
    kill_and_await(sleeper, flags);
    kill_and_await(asker, flags);
    CHECK_IS(pando_vcores_request(0), 0);
}

/* On its way from many cores to one, if it is seen there in a while. */
static void kill_amid_moves(long flags)
{
    for (unsigned i = 0; i < MOVES; i++) {
        long child = child_try("states", "storm", NULL);
        CHECK(child > 0);
        CHECK_IS(child_run(child), 0);
        struct proc_info now = {0};
        for (unsigned look = 0; look < LOOKS_MOST && now.state != RUNNABLE_S; look++) {
            pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0);
            CHECK_IS(pando_proc_info(child, &now), 0);
        }
        kill_and_await(child, flags);
    }
}

static void test_kills(long flags)
{
    long child = child_try("waits", NULL); /* CREATED */
    CHECK(child > 0);
    kill_and_await(child, flags);
    kill_in("running", RUNNING_S, flags);
    kill_in("waiting", WAITING, flags);
    kill_in("many", RUNNING_M, flags);
    kill_in("last", WAITING, flags);
    if (info->cores > 1)
        kill_without_cores(flags);
    if (info->cores > 2)
        kill_amid_moves(flags);
    CHECK_IS(pando_vcores_request(info->max_vcores), info->max_vcores); /* all came back */
}

int main(int argc, char *argv[])
{
    info = pando_procinfo();
    const char *test = argv[1];
    if (!strcmp(test, "answer"))
        return answer(argv[2], argv[3]);
    if (!strcmp(test, "be"))
        return be_in(argv[2]);
    if (!strcmp(test, "turns"))
        test_turns(argv[2], argv[3], argv[4]);
    else if (!strcmp(test, "yield"))
        test_yield();
    else if (!strcmp(test, "kills"))
        test_kills(number_of(argv[2]));
    else
        return 2;
    (void)argc;
    printf("ok\n");
    return 0;
}
