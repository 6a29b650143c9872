/* sandbox TEST: filters of calls, and what becomes of calls that are not permitted; "ok" at the end.
 * As a child it does what its first word says. */
#include "tests/system/programs/control.h"

#define CALL_BIT(name) (1ul << PANDO_##name)
/* What the runtime and the C library call to start a program. */
#define STARTS  (CALL_BIT(mem_map) | CALL_BIT(mem_protect) | CALL_BIT(mem_unmap))
#define SPREADS (STARTS | CALL_BIT(cores_request) | CALL_BIT(vcore_halt) | CALL_BIT(vcore_notify))
enum { GUEST_CALL = 100, GUEST_CALLS = 50 };

/* Ends with the status of the first call that was not refused, or STATUS_CHILD. Those that its kernel
 * would answer are as those of the home. */
static int be_filtered(const char *vcores)
{
    static const long numbers[] = {PANDO_null,
                                   PANDO_console_write,
                                   PANDO_vcore_id,
                                   PANDO_proc_info,
                                   PANDO_handle_info,
                                   PANDO_channel_send,
                                   SYSCALLS,
                                   62,
                                   63,
                                   64,
                                   1000,
                                   0xffff};
    if (number_of(vcores))
        CHECK_IS(pando_vcores_request((unsigned)number_of(vcores)), number_of(vcores));
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (raw_call(numbers[i], 1, 1, 1) != -E_FILTERED)
            raw_call(PANDO_exit, 10 + i, 0, 0);
    if (raw_call(0x10000, 0, 0, 0) != -E_NO_CALL || raw_call(-1, 0, 0, 0) != -E_NO_CALL)
        raw_call(PANDO_exit, 100, 0, 0);
    return STATUS_CHILD;
}

static void run_filtered(const char *vcores, uint64_t permitted)
{
    long child = child_try("sandbox", "filtered", vcores, NULL);
    CHECK_IS(pando_proc_sandbox(child, permitted, FILTER_ERROR), 0);
    CHECK_IS(child_run(child), 0);
    CHECK_IS(child_wait(child), STATUS_CHILD);
}

static void test_filter_error(void)
{
    run_filtered("0", STARTS);
    run_filtered("1", SPREADS);
    long child = child_try("sandbox", "filtered", "0", NULL);
    CHECK_IS(pando_proc_sandbox(child, 0, FILTER_ERROR), 0); /* exit is permitted always */
    CHECK_IS(child_run(child), 0);
    expect_ending(child, STATUS_FAULT, END_EXIT); /* its runtime cannot load it */
}

static void test_filter_end(void)
{
    static char *const vcores[] = {"0", "1"};
    for (unsigned i = 0; i < 2; i++) {
        long child = child_try("sandbox", "filtered", vcores[i], NULL);
        CHECK_IS(pando_proc_sandbox(child, i ? SPREADS : STARTS, FILTER_END), 0);
        CHECK_IS(child_run(child), 0);
        expect_ending(child, STATUS_KILLED, END_FILTERED);
    }
}

/* What a controlling process makes of a call: any function of all that it is told. */
static long guest_answer(long number, const uint64_t *argument)
{
    return number * 1000000 + (long)(argument[0] ^ argument[1] << 3 ^ argument[2] << 5);
}

static void *guest_on(void *seed)
{
    uint64_t state = (uint64_t)seed;
    for (unsigned i = 0; i < GUEST_CALLS; i++) {
        uint64_t argument[] = {random_next(&state) >> 40, random_next(&state) >> 40, i, 0};
        long number = i % 5 ? GUEST_CALL + i : PANDO_null;
        CHECK_IS(raw_call(number, (long)argument[0], (long)argument[1], (long)argument[2]),
                 guest_answer(number, argument));
    }
    return NULL;
}

/* The processes of a guest system are processes, whose calls its kernel, a process, answers. */
static int be_guest(unsigned vcores)
{
    struct uthread *uthread[8];
    if (vcores)
        CHECK_IS(pando_vcores_request(vcores), vcores);
    for (unsigned long i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread[i], guest_on, (void *)(i + 1)), 0);
    guest_on((void *)1);
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_join(uthread[i], NULL), 0);
    return STATUS_CHILD;
}

static long guest_start(const char *what, const char *vcores)
{
    long child = child_try("sandbox", what, vcores, NULL);
    CHECK_IS(pando_proc_sandbox(child, ~(1ul << FILTER_OTHERS | CALL_BIT(null)), FILTER_ASK), 0);
    CHECK_IS(pando_proc_watch(child), 0);
    CHECK_IS(child_run(child), 0);
    return child;
}

static void answer(const struct event *event)
{
    uint64_t argument[CALL_ARGUMENTS];
    CHECK_IS(event->type, EVENT_CHILD_CALL);
    long vcore = CHILD_CALL_VCORE(event->payload[0]), number = CHILD_CALL_NUMBER(event->payload[0]);
    CHECK_IS(pando_proc_call(event->source, vcore, 0, argument), number);
    CHECK(!memcmp(argument, &event->payload[1], 5 * sizeof argument[0]));
    CHECK_IS(pando_proc_reply(event->source, vcore, guest_answer(number, argument), 0, NULL), 0);
}

static void test_guest(const char *vcores)
{
    long child = guest_start("guest", vcores);
    unsigned count = number_of(vcores) ? (unsigned)number_of(vcores) : 1;
    for (unsigned i = 0; i < count * GUEST_CALLS; i++) {
        struct event event = event_await();
        CHECK_IS(event.source, child);
        CHECK_IS(pando_proc_reply(child, VCORES_MAX, 0, 0, NULL), -E_EMPTY);
        answer(&event);
    }
    struct event last = event_await();
    CHECK_IS(last.type, EVENT_CHILD_ENDED);
    CHECK_IS(last.payload[0], STATUS_CHILD);
    CHECK_IS(child_wait(child), STATUS_CHILD);
}

/* Writes when a call of it is refused after all. */
static int be_asking(void)
{
    long first = raw_call(GUEST_CALL, 1, 2, 3), second = raw_call(GUEST_CALL, 1, 2, 3);
    CHECK_IS(first, -E_FILTERED);
    CHECK_IS(second, -E_FILTERED);
    printf("refused\n");
    return STATUS_CHILD;
}

static void test_asker_leaves(void)
{
    long child = guest_start("asking", "0"), other = pando_handle_duplicate(child, RIGHTS_ALL);
    struct event event = event_await();
    CHECK_IS(event.payload[0], CHILD_CALL(0, GUEST_CALL));
    CHECK_IS(pando_proc_call(other, 0, 0, event.payload),
             GUEST_CALL); /* any handle of the asker's */
    CHECK_IS(pando_handle_close(child), 0);
    CHECK_IS(pando_proc_reply(other, 0, 0, 0, NULL), -E_PERMISSION);
    CHECK_IS(child_wait(other), STATUS_CHILD);

    child = guest_start("asking", "0"); /* killed while it waits for an answer */
    event = event_await();
    CHECK_IS(event.type, EVENT_CHILD_CALL);
    CHECK_IS(child_kill(child), 0);
    CHECK_IS(pando_proc_reply(child, 0, 0, 0, NULL), -E_EMPTY);
    CHECK_IS(child_wait(child), STATUS_KILLED);
    event = event_await();
    CHECK_IS(event.type, EVENT_CHILD_ENDED);

    child = child_try("sandbox", "asker", NULL);
    struct tether tether = tether_make();
    CHECK_IS(pando_proc_give(child, tether.given, RIGHTS_ALL), 1);
    CHECK_IS(pando_handle_close(tether.given), 0);
    CHECK_IS(child_run(child), 0);
    CHECK_IS(child_wait(child), STATUS_CHILD);
    tether_await(&tether);
}

/* Ends while a process that outlives it waits for its answer. */
static int be_asker(void)
{
    char *words[] = {"sandbox", "asking"};
    long child = pando_proc_create_with(2, words, NULL, 0, PROC_DETACHED);
    CHECK_IS(pando_proc_give(child, 1, 0), 1);
    CHECK_IS(pando_proc_sandbox(child, ~(1ul << FILTER_OTHERS), FILTER_ASK), 0);
    CHECK_IS(child_run(child), 0);
    CHECK_IS(event_await().type, EVENT_CHILD_CALL);
    return STATUS_CHILD;
}

/* --- all of a call: six arguments, and the message page ------------------------------------------ */

static long call_of_six(long number, const uint64_t argument[CALL_ARGUMENTS])
{
    register uint64_t r10 __asm__("r10") = argument[3];
    register uint64_t r8 __asm__("r8") = argument[4];
    register uint64_t r9 __asm__("r9") = argument[5];
    long result;
    __asm__ volatile("movb $1, %%gs:0\n\t"
                     "syscall\n\t"
                     "movb $0, %%gs:0"
                     : "=a"(result)
                     : "a"(number), "D"(argument[0]), "S"(argument[1]), "d"(argument[2]), "r"(r10),
                       "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static void page_fill(uint64_t *page, uint64_t seed)
{
    for (unsigned i = 0; i < PAGE_BYTES / sizeof *page; i++)
        page[i] = random_next(&seed);
}

static int page_holds(const uint64_t *page, uint64_t seed)
{
    for (unsigned i = 0; i < PAGE_BYTES / sizeof *page; i++)
        if (page[i] != random_next(&seed))
            return 0;
    return 1;
}

/* Its last call is answered without a page: its own stays. */
static int be_messenger(unsigned vcores)
{
    uint64_t *page = (uint64_t *)((char *)vcore_data_of(0) + VCORE_MESSAGE_OFFSET);
    if (vcores)
        CHECK_IS(pando_vcores_request(vcores), vcores);
    for (uint64_t i = 1; i <= GUEST_CALLS; i++) {
        const uint64_t argument[CALL_ARGUMENTS] = {i, i << 8, i << 16, i << 24, i << 32, ~i};
        page_fill(page, i);
        if (call_of_six(GUEST_CALL, argument) != (long)i ||
            !page_holds(page, i == GUEST_CALLS ? i : ~i))
            raw_call(PANDO_exit, (long)i, 0, 0);
    }
    raw_call(PANDO_exit, STATUS_CHILD, 0, 0);
    return 0;
}

static void test_messages(const char *vcores)
{
    uint64_t page[PAGE_BYTES / sizeof(uint64_t)], argument[CALL_ARGUMENTS];
    long child = guest_start("messenger", vcores);
    for (uint64_t i = 1; i <= GUEST_CALLS; i++) {
        const uint64_t wanted[CALL_ARGUMENTS] = {i, i << 8, i << 16, i << 24, i << 32, ~i};
        struct event event = event_await();
        CHECK_IS(event.payload[0], CHILD_CALL(0, GUEST_CALL));
        CHECK(!memcmp(&event.payload[1], wanted, 5 * sizeof wanted[0]));
        CHECK_IS(pando_proc_call(child, 0, 0, argument), GUEST_CALL);
        CHECK(!memcmp(argument, wanted, sizeof wanted));
        CHECK_IS(pando_proc_call(child, 0, CALL_MESSAGE, page), GUEST_CALL);
        CHECK(page_holds(page, i));
        page_fill(page, ~i);
        CHECK_IS(pando_proc_reply(child, 0, (long)i, i == GUEST_CALLS ? 0 : REPLY_MESSAGE, page),
                 0);
    }
    CHECK_IS(child_wait(child), STATUS_CHILD);
}

/* --- filters over filters ------------------------------------------------------------------------ */

static long filtered_twice(uint64_t first, long first_action, uint64_t second, long second_action)
{
    long child = child_try("sandbox", "null", NULL);
    CHECK_IS(pando_proc_sandbox(child, first, first_action), 0);
    CHECK_IS(pando_proc_sandbox(child, second, second_action), 0);
    return child;
}

static void test_tighten(void)
{
    static const uint64_t masks[] = {~0ul, ~CALL_BIT(null)};
    const uint64_t none = ~CALL_BIT(null);
    for (unsigned m = 0; m < 2; m++)
        for (long action = 0; action < FILTER_ACTIONS; action++) {
            long child = filtered_twice(none, FILTER_END, masks[m], action);
            CHECK_IS(child_run(child), 0);
            expect_ending(child, STATUS_KILLED, END_FILTERED);
        }
    for (long action = 0; action < FILTER_END; action++) { /* the stricter comes second */
        long child = filtered_twice(none, action, none, FILTER_END);
        CHECK_IS(child_run(child), 0);
        expect_ending(child, STATUS_KILLED, END_FILTERED);
    }
    long child = filtered_twice(none, FILTER_ERROR, ~CALL_BIT(vcore_id), FILTER_END);
    CHECK_IS(child_run(child), 0); /* one does not act on what the other refuses */
    expect_ending(child, E_FILTERED, END_EXIT);
    for (unsigned order = 0; order < 2; order++) { /* who asks goes before an error */
        child = filtered_twice(none, order ? FILTER_ASK : FILTER_ERROR, none,
                               order ? FILTER_ERROR : FILTER_ASK);
        CHECK_IS(child_run(child), 0);
        CHECK_IS(event_await().payload[0], CHILD_CALL(0, PANDO_null));
        CHECK_IS(pando_proc_reply(child, 0, -STATUS_CHILD, 0, NULL), 0);
        expect_ending(child, STATUS_CHILD, END_EXIT);
    }
    child = child_try("sandbox", "null", NULL);
    CHECK_IS(pando_proc_sandbox(child, none, FILTER_ASK), 0);
    long second = child_try("sandbox", "second", NULL);
    CHECK_IS(pando_proc_give(second, child, RIGHTS_ALL), 1);
    CHECK_IS(child_run(second), 0);
    CHECK_IS(child_wait(second), STATUS_CHILD);
    end(child);
}

/* What it creates is in its sandbox. */
static int be_heir(int ends)
{
    long child = child_try("sandbox", "null", NULL);
    CHECK_IS(info_of(child).permitted, ~CALL_BIT(null));
    CHECK_IS(pando_proc_sandbox(child, ~0ul, FILTER_ERROR), 0);
    end(child);
    child = child_start("sandbox", "null", NULL);
    expect_ending(child, ends ? STATUS_KILLED : E_FILTERED, ends ? END_FILTERED : END_EXIT);
    return STATUS_CHILD;
}

static void test_inherited(void)
{
    for (long action = 0; action < FILTER_ACTIONS; action++) {
        char *what = action == FILTER_END ? "heir-ends" : "heir";
        long child = child_try("sandbox", what, NULL);
        CHECK_IS(pando_proc_sandbox(child, ~CALL_BIT(null), action), 0);
        CHECK_IS(child_run(child), 0);
        CHECK_IS(child_wait(child), STATUS_CHILD);
    }
}

/* --- what it does ------------------------------------------------------------------------------- */

static int be_child(int argc, char *argv[])
{
    const char *what = argv[1];
    if (!strcmp(what, "filtered"))
        return be_filtered(argv[2]);
    if (!strcmp(what, "guest"))
        return be_guest((unsigned)number_of(argv[2]));
    if (!strcmp(what, "messenger"))
        return be_messenger((unsigned)number_of(argv[2]));
    if (!strcmp(what, "second")) /* another asks already */
        CHECK_IS(pando_proc_sandbox(1, ~0ul, FILTER_ASK), -E_PERMISSION);
    if (!strcmp(what, "asking"))
        return be_asking();
    if (!strcmp(what, "asker"))
        return be_asker();
    if (!strcmp(what, "heir") || !strcmp(what, "heir-ends"))
        return be_heir(what[4] != 0);
    if (!strcmp(what, "null"))
        return (int)-raw_call(PANDO_null, 0, 0, 0);
    return STATUS_CHILD;
}

static int test(const char *what, const char *argument)
{
    if (!strcmp(what, "filter-error"))
        test_filter_error();
    else if (!strcmp(what, "filter-end"))
        test_filter_end();
    else if (!strcmp(what, "guests"))
        test_guest(argument);
    else if (!strcmp(what, "messages"))
        test_messages(argument);
    else if (!strcmp(what, "tighten"))
        test_tighten();
    else if (!strcmp(what, "asker-leaves"))
        test_asker_leaves();
    else if (!strcmp(what, "inherited"))
        test_inherited();
    else
        return 0;
    printf("ok\n");
    return 1;
}

int main(int argc, char *argv[])
{
    return test(argv[1], argv[2]) ? 0 : be_child(argc, argv);
}
