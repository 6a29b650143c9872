/* control TEST: what a process may do with others by its handles; "ok" at the end. As a child it does
 * what its first word says. */
#include "tests/system/programs/control.h"

extern char **environ;

#define ARENA 0x200000000000ull
enum { BIG_PAGES = 6000, WATCHES = 65 };
enum { /* docs/process.md */
       STATE_CREATED,
       STATE_RUNNABLE_S,
       STATE_RUNNING_S,
       STATE_WAITING,
       STATE_RUNNABLE_M,
       STATE_RUNNING_M,
       STATE_DYING,
       STATE_DYING_ABORT
};

static void close_all(const long *handles, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        CHECK_IS(pando_handle_close(handles[i]), 0);
}

/* --- rights and errors ------------------------------------------------------------------------ */

static const struct {
    long number, argument[2];
    unsigned right;
} controls[] = {
    {PANDO_proc_run, {0, 0}, RIGHT_CONTROL},
    {PANDO_proc_kill, {0, 0}, RIGHT_CONTROL},
    {PANDO_proc_give, {0, 0}, RIGHT_CONTROL},
    {PANDO_proc_limit, {0, 0}, RIGHT_CONTROL},
    {PANDO_proc_sandbox, {0, FILTER_ERROR}, RIGHT_CONTROL},
    {PANDO_proc_call, {0, 0}, RIGHT_CONTROL},
    {PANDO_proc_reply, {0, 0}, RIGHT_CONTROL},
    {PANDO_proc_arguments, {0, 0}, RIGHT_CONTROL},
    {PANDO_proc_image, {0, 0}, RIGHT_CONTROL},
    {PANDO_proc_wait, {0, 0}, RIGHT_READ},
    {PANDO_proc_watch, {0, 0}, RIGHT_READ},
    {PANDO_proc_info, {0, 0}, RIGHT_READ},
};
enum { CONTROLS = sizeof controls / sizeof *controls };

static long control(unsigned which, long handle)
{
    return pando_kernel_call(controls[which].number, handle, controls[which].argument[0],
                             controls[which].argument[1], 0);
}

/* Each call is refused with all rights but the one it needs, and not for lack of rights with that
 * one alone. */
static void test_rights(void)
{
    long partition = pando_partition_root();
    CHECK(partition > 0);
    for (unsigned i = 0; i < CONTROLS; i++) {
        long child = child_try("control", "exit", NULL);
        long all_but = pando_handle_duplicate(child, RIGHTS_ALL & ~controls[i].right);
        long only = pando_handle_duplicate(child, controls[i].right);
        CHECK(child > 0 && all_but > 0 && only > 0);
        CHECK_IS(control(i, all_but), -E_PERMISSION);
        CHECK_IS(control(i, partition), -E_KIND);
        const long strangers[] = {0, -1, only + 1, HANDLES_MAX + 1, 1l << 32 | child, 1l << 62};
        for (unsigned s = 0; s < sizeof strangers / sizeof *strangers; s++)
            CHECK_IS(control(i, strangers[s]), -E_NO_ENTRY);
        if (controls[i].number == PANDO_proc_wait)
            CHECK_IS(child_kill(child), 0); /* else it would wait for ever */
        long result = control(i, only);
        CHECK(result >= 0 || result == -E_INVALID || result == -E_NO_ENTRY ||
              (result == -E_PERMISSION && controls[i].number >= PANDO_proc_call));
        CHECK_IS(pando_handle_info(only), HANDLE_PROCESS | controls[i].right << 8);
        CHECK_IS(pando_handle_duplicate(only, RIGHTS_ALL), -E_PERMISSION);
        CHECK_IS(child_kill(child), 0);
        const long handles[] = {all_but, only, child};
        close_all(handles, 3);
        CHECK_IS(control(i, child), -E_NO_ENTRY);
    }
}

static void test_errors(void)
{
    static const char strings[] = "control\0exit\0A=1";
    const unsigned bytes = sizeof strings;
    CHECK_IS(pando_proc_create_of(bytes, 0, 2, 1, strings), -E_INVALID);
    CHECK_IS(pando_proc_create_of(bytes, 0, -1, 1, strings), -E_INVALID);
    CHECK_IS(pando_proc_create_of(bytes, 0, 0, 3, strings), -E_INVALID);
    CHECK_IS(pando_proc_create_of(bytes, 0, 0, -1, strings), -E_INVALID);
    CHECK_IS(pando_proc_create_of(bytes - 1, 0, 0, 1, strings), -E_INVALID);
    CHECK_IS(pando_proc_create_of(bytes, 99, 0, 1, strings), -E_NO_ENTRY);
    CHECK_IS(pando_proc_create_of(0, 0, 0, 0, NULL), -E_INVALID);
    long child = pando_proc_create_of(bytes, 0, 0, 1, strings);
    long reader = pando_handle_duplicate(child, RIGHT_READ);
    long partition = pando_partition_root();
    CHECK_IS(pando_proc_create_of(bytes, partition, 0, 1, strings), -E_KIND);
    CHECK_IS(pando_proc_kill(child, 2), -E_INVALID);
    CHECK_IS(pando_proc_kill(child, -1), -E_INVALID);
    CHECK_IS(pando_proc_give(child, child, RIGHTS_ALL), -E_INVALID);     /* to itself */
    CHECK_IS(pando_proc_give(child, reader, RIGHT_READ), -E_PERMISSION); /* not GIVE */
    CHECK_IS(pando_proc_give(child, partition, RIGHT_WRITE), -E_PERMISSION);
    CHECK_IS(pando_proc_give(child, partition, 1 << 16), -E_PERMISSION);
    CHECK_IS(pando_proc_give(child, 99, 0), -E_NO_ENTRY);
    CHECK_IS(pando_proc_limit(child, 1l << 32, 0), -E_INVALID);
    CHECK_IS(pando_proc_limit(child, 1000, 1l << 32), -E_INVALID);
    CHECK_IS(pando_proc_limit(child, info_of(child).frames - 1, 0), -E_INVALID);
    CHECK_IS(pando_proc_sandbox(child, ~0ul, FILTER_ACTIONS), -E_INVALID);
    CHECK_IS(pando_proc_sandbox(child, ~0ul, -1), -E_INVALID);
    CHECK_IS(pando_proc_call(child, 0, 0, (uint64_t[6]){0}), -E_PERMISSION); /* not the asker */
    CHECK_IS(pando_proc_reply(child, 0, 0, 0, NULL), -E_PERMISSION);
    CHECK_IS(pando_proc_sandbox(child, ~0ul, FILTER_ASK), 0);
    CHECK_IS(pando_proc_call(child, 0, 2, (uint64_t[6]){0}), -E_INVALID);
    CHECK_IS(pando_proc_reply(child, 0, 0, 2, NULL), -E_INVALID);
    for (long vcore = -1; vcore < 300; vcore += 50) {
        CHECK_IS(pando_proc_call(child, vcore, 0, (uint64_t[6]){0}), -E_EMPTY);
        CHECK_IS(pando_proc_reply(child, vcore, 0, 0, NULL), -E_EMPTY);
    }
    CHECK_IS(child_run(child), 0);
    CHECK_IS(child_run(child), -E_STATE);
    CHECK_IS(pando_proc_give(child, partition, 0), -E_STATE);
    CHECK_IS(pando_proc_limit(child, 100000, 0), -E_STATE);
    CHECK_IS(pando_proc_sandbox(child, 0, FILTER_ERROR), -E_STATE);
    for (unsigned gone = 0; gone < 2; gone++) {
        CHECK_IS(pando_end_status(child_ending(child)), STATUS_CHILD); /* any number of times */
        CHECK_IS(child_run(child), -E_STATE);
        CHECK_IS(child_kill(child), 0);
        CHECK_IS(pando_proc_give(child, partition, 0), -E_STATE);
        CHECK_IS(pando_proc_limit(child, 100000, 0), -E_STATE);
        CHECK_IS(pando_proc_sandbox(child, 0, FILTER_ERROR), -E_STATE);
        CHECK_IS(pando_proc_arguments(child, bytes, 1, strings), -E_STATE);
        CHECK_IS(pando_proc_image(child, 0), -E_STATE);
    }
    CHECK_IS(info_of(child).frames, 0);
}

/* --- what a child is given --------------------------------------------------------------------- */

/* It may see the process of handle 1, and no more; it has a partition, and nothing else. */
static int be_holder(void)
{
    CHECK_IS(pando_handle_info(1), HANDLE_PROCESS | (RIGHT_READ | RIGHT_GIVE) << 8);
    CHECK_IS(pando_handle_info(2), HANDLE_PARTITION);
    CHECK_IS(pando_handle_info(3), -E_NO_ENTRY);
    CHECK_IS(child_kill(1), -E_PERMISSION);
    CHECK_IS(child_run(1), -E_PERMISSION);
    CHECK_IS(pando_handle_duplicate(1, RIGHT_CONTROL), -E_PERMISSION);
    CHECK_IS(pando_handle_duplicate(2, RIGHT_READ), -E_PERMISSION);
    CHECK_IS(pando_end_status(child_ending(1)), STATUS_CHILD);
    return STATUS_CHILD;
}

static void test_give(void)
{
    long target = child_try("control", "exit", NULL), holder = child_try("control", "holder", NULL);
    CHECK_IS(pando_proc_give(holder, target, RIGHT_READ | RIGHT_GIVE), 1);
    CHECK_IS(pando_proc_give(holder, pando_partition_root(), 0), 2);
    CHECK_IS(info_of(holder).handles, 2);
    CHECK_IS(child_run(holder), 0);
    CHECK_IS(child_run(target), 0);
    CHECK_IS(pando_handle_close(target), 0); /* the holder's handle keeps what it waits for */
    CHECK_IS(child_wait(holder), STATUS_CHILD);
}

/* More than one page of handles; each names what it did. */
static void test_table(void)
{
    long child = child_try("control", "exit", NULL), made = 0, last = child;
    while ((made = pando_handle_duplicate(child, RIGHT_READ)) > 0)
        CHECK_IS(made, ++last);
    CHECK_IS(made, -E_LIMIT);
    CHECK_IS(last, HANDLES_MAX);
    CHECK_IS(child_try("control", "exit", NULL), -E_LIMIT);
    CHECK_IS(pando_handle_info(HANDLES_MAX), HANDLE_PROCESS | RIGHT_READ << 8);
    CHECK_IS(pando_handle_close(700), 0);
    CHECK_IS(pando_handle_close(700), -E_NO_ENTRY);
    CHECK_IS(pando_handle_duplicate(child, 0), 700); /* the lowest that is free */
    CHECK_IS(child_kill(child), 0);
    CHECK_IS(pando_end_status(child_ending(HANDLES_MAX)), STATUS_KILLED);
    for (long handle = child; handle <= HANDLES_MAX; handle++)
        CHECK_IS(pando_handle_close(handle), 0);
}

static int be_environment(int argc, char *argv[])
{
    CHECK_IS(argc, 4);
    CHECK(!strcmp(argv[2], "") && !strcmp(argv[3], "last"));
    CHECK(!argv[4]);
    CHECK(!strcmp(getenv("COLOUR"), "green") && !strcmp(getenv("EMPTY"), ""));
    CHECK(!environ[2]);
    return STATUS_CHILD;
}

static void test_environment(void)
{
    char *argv[] = {"control", "environment", "", "last"},
         *env[] = {"COLOUR=green", "EMPTY=", NULL};
    CHECK(!environ[0]); /* the first process has none */
    long child = pando_proc_create_with(4, argv, env, 0, 0);
    CHECK(child > 0);
    CHECK_IS(child_run(child), 0);
    CHECK_IS(child_wait(child), STATUS_CHILD);
}

/* Other strings than it was created with; what is refused changes nothing. */
static void test_arguments(void)
{
    static const char strings[] = "control\0environment\0\0last\0COLOUR=green\0EMPTY=";
    const unsigned bytes = sizeof strings;
    static char page[PAGE_BYTES];
    long child = child_try("none", "at", "all", NULL);
    long setter = pando_handle_duplicate(child, RIGHT_CONTROL);
    memset(page, 'x', PAGE_BYTES - 1);
    CHECK_IS(pando_proc_arguments(setter, PAGE_BYTES, 0, page), 0);
    CHECK_IS(pando_proc_arguments(setter, bytes, 2, strings), 0);
    CHECK_IS(pando_proc_arguments(setter, 0, 0, strings), -E_INVALID);
    CHECK_IS(pando_proc_arguments(setter, PAGE_BYTES + 1, 0, NULL), -E_INVALID);
    CHECK_IS(pando_proc_arguments(setter, bytes - 1, 2, strings), -E_INVALID);
    CHECK_IS(pando_proc_arguments(setter, 4, 4, "a\0b"), -E_INVALID);
    CHECK_IS(pando_proc_arguments(setter, 1, 0, ""), -E_INVALID);
    CHECK_IS(child_run(child), 0);
    CHECK_IS(child_wait(child), STATUS_CHILD);
}

static void test_info(void)
{
    long child = child_try("control", "spin", NULL);
    struct proc_info own, info = info_of(child);
    CHECK(info.pid > pando_procinfo()->pid);
    CHECK_IS(info.state, STATE_CREATED);
    CHECK_IS(info.vcores, 0);
    CHECK_IS(info.permitted, ~0ul);
    CHECK(info.frames > 10 && info.frames < info.frames_limit);
    CHECK_IS(info.frames_limit, UINT32_MAX);
    CHECK_IS(pando_proc_limit(child, 5000, 17), 0);
    CHECK_IS(pando_proc_sandbox(child, ~0ul & ~(1ul << PANDO_null), FILTER_ERROR), 0);
    CHECK_IS(pando_proc_sandbox(child, ~(1ul << PANDO_exit), FILTER_ERROR), 0); /* not widened */
    CHECK_IS(child_run(child), 0);
    own = info_of(child);
    CHECK(own.state == STATE_RUNNABLE_S || own.state == STATE_RUNNING_S);
    CHECK_IS(own.vcores, 1);
    CHECK_IS(own.frames_limit, 5000);
    CHECK_IS(own.pinned_limit, 17);
    CHECK_IS(own.permitted, ~(1ul << PANDO_null));
    CHECK_IS(child_kill(child), 0);
    CHECK_IS(pando_end_reason(child_ending(child)), END_KILLED);
    info = info_of(child);
    CHECK_IS(info.pid, own.pid);
    CHECK_IS(info.state, STATE_DYING);
    CHECK_IS(info.status, STATUS_KILLED);
    CHECK_IS(info.reason, END_KILLED);
    CHECK(info.frames == 0 && info.vcores == 0 && info.handles == 0 && info.pinned == 0);
    CHECK_IS(pando_handle_close(child), 0);
}

/* Its limits are those of what it creates, and it gives no more. */
static int be_limited(void)
{
    long child = child_try("control", "exit", NULL);
    struct proc_info info = info_of(child);
    CHECK_IS(info.frames_limit, 3000);
    CHECK_IS(info.pinned_limit, 5);
    CHECK_IS(pando_proc_limit(child, 3001, 5), -E_INVALID);
    CHECK_IS(pando_proc_limit(child, 3000, 6), -E_INVALID);
    CHECK_IS(pando_proc_limit(child, 2000, 4), 0);
    CHECK_IS(pando_proc_limit(child, 3000, 5), 0);
    end(child);
    return STATUS_CHILD;
}

static void test_limited(void)
{
    long child = child_try("control", "limited", NULL);
    CHECK_IS(pando_proc_limit(child, 3000, 5), 0);
    CHECK_IS(child_run(child), 0);
    CHECK_IS(child_wait(child), STATUS_CHILD);
}

/* --- ends --------------------------------------------------------------------------------------- */

static void touch(unsigned long pages)
{
    CHECK_IS(pando_mem_map(ARENA, pages * PAGE_BYTES, PROT_R | PROT_W, 0), 0);
    for (unsigned long i = 0; i < pages; i++)
        *(volatile char *)(ARENA + i * PAGE_BYTES) = 1;
}

static void test_reasons(void)
{
    expect_ending(child_start("control", "exit", NULL), STATUS_CHILD, END_EXIT);
    expect_ending(child_start("control", "fault", NULL), STATUS_FAULT, END_FAULT);
    long child = child_start("control", "spin", NULL);
    CHECK_IS(child_kill(child), 0);
    expect_ending(child, STATUS_KILLED, END_KILLED);
    child = child_try("control", "big", NULL);
    CHECK_IS(pando_proc_limit(child, BIG_PAGES / 2, 0), 0);
    CHECK_IS(child_run(child), 0);
    long ending = child_ending(child);
    CHECK_IS(pando_end_reason(ending), END_LIMIT);
    CHECK_IS(pando_handle_close(child), 0);
}

static void test_out_of_memory(void)
{
    CHECK_IS(pando_end_reason(child_ending(child_start("control", "endless", NULL))), END_MEMORY);
}

/* Waits until it is in this state, and has this many vcores. */
static void await_state(long child, unsigned state, unsigned vcores)
{
    struct proc_info info;
    do
        info = info_of(child);
    while (info.state != state || info.vcores != vcores);
}

/* Kills it twice, differently, and waits; the state shows which end it took. */
static void kill_twice(long child, long first, long second)
{
    CHECK_IS(pando_proc_kill(child, first), 0);
    CHECK_IS(pando_proc_kill(child, second), 0);
    long ending = child_ending(child);
    CHECK_IS(pando_end_status(ending), STATUS_KILLED);
    CHECK_IS(pando_end_reason(ending), END_KILLED);
    if (first == PROC_ABORT)
        CHECK_IS(info_of(child).state, STATE_DYING_ABORT);
    if (second != PROC_ABORT && first != PROC_ABORT)
        CHECK_IS(info_of(child).state, STATE_DYING);
    CHECK_IS(pando_proc_kill(child, PROC_ABORT), 0); /* gone: nothing happens */
    CHECK_IS(child_ending(child), ending);
    CHECK_IS(pando_handle_close(child), 0);
}

static void test_states(const char *cores)
{
    unsigned many = (unsigned)number_of(cores);
    for (long which = 0; which < 4; which++) {
        long first = which & 1, second = which >> 1;
        kill_twice(child_try("control", "exit", NULL), first, second);
        kill_twice(child_start("control", "spin", NULL), first, second);
        kill_twice(child_start("control", "halt", NULL), first, second);
        long child = child_start("control", "wait", NULL); /* for a child of its own */
        await_state(child, STATE_RUNNING_S, 1);
        kill_twice(child, first, second);
        if (many < 2)
            continue;
        child = child_start("control", "spread", NULL);
        await_state(child, STATE_RUNNING_M, many - 1);
        kill_twice(child, first, second);
        child = child_start("control", "spread", NULL);
        await_state(child, STATE_RUNNING_M, many - 1);
        long late = child_start("control", "spread", NULL); /* no core is left for it */
        await_state(late, STATE_WAITING, 1);
        kill_twice(late, first, second);
        kill_twice(child, first, second);
    }
}

/* One that takes many turns to die; its killer, on a core of its own, comes a second time meanwhile. */
static void test_dying(void)
{
    unsigned met = 0;
    CHECK_IS(pando_vcores_request(1), 1);
    for (unsigned round = 0; round < 20 && !met; round++) {
        long child = child_start("control", "big", NULL);
        while (info_of(child).frames < BIG_PAGES)
            ;
        CHECK_IS(pando_proc_kill(child, 0), 0);
        met = info_of(child).frames > 0;
        CHECK_IS(info_of(child).state, STATE_DYING);
        CHECK_IS(pando_proc_kill(child, PROC_ABORT), 0);
        if (info_of(child).frames > 0)
            CHECK_IS(info_of(child).state, STATE_DYING_ABORT);
        expect_ending(child, STATUS_KILLED, END_KILLED);
    }
    CHECK(met);
}

/* Leaves a process that writes when the one of handle 1 has ended. */
static int be_creator(unsigned flags)
{
    char *words[] = {"control", "outlive"};
    long child = pando_proc_create_with(2, words, NULL, 0, flags);
    CHECK_IS(pando_proc_give(child, 1, RIGHT_READ), 1);
    CHECK_IS(pando_proc_give(child, 2, 0), 2);
    CHECK_IS(child_run(child), 0);
    return STATUS_CHILD;
}

static void test_creator_ends(const char *how)
{
    long target = child_start("control", "spin", NULL), creator = child_try("control", how, NULL);
    struct tether tether = tether_make();
    CHECK_IS(pando_proc_give(creator, target, RIGHTS_ALL), 1);
    CHECK_IS(pando_proc_give(creator, tether.given, RIGHTS_ALL), 2);
    CHECK_IS(pando_handle_close(tether.given), 0);
    CHECK_IS(child_run(creator), 0);
    CHECK_IS(child_wait(creator), STATUS_CHILD);
    CHECK_IS(child_kill(target), 0); /* who outlives waits for it, and writes */
    tether_await(&tether);
}

/* --- watches ------------------------------------------------------------------------------------ */

static void expect_ended(unsigned source, int status, enum end_reason reason)
{
    struct event event;
    CHECK(event_take(&event));
    CHECK_IS(event.type, EVENT_CHILD_ENDED);
    CHECK_IS(event.source, source);
    CHECK_IS(event.payload[0], status);
    CHECK_IS(event.payload[1], reason);
}

static void test_watch(void)
{
    struct event event;
    long child = child_try("control", "exit", NULL);
    long second = pando_handle_duplicate(child, RIGHT_READ);
    long closed = pando_handle_duplicate(child, RIGHT_READ);
    CHECK_IS(pando_proc_watch(child), 0);
    CHECK_IS(pando_proc_watch(child), 0); /* is told once */
    CHECK_IS(pando_proc_watch(closed), 0);
    CHECK_IS(pando_proc_watch(second), 0);
    CHECK_IS(pando_handle_close(closed), 0);
    CHECK_IS(pando_handle_duplicate(child, RIGHT_READ), closed); /* the number again, no watch */
    CHECK_IS(child_run(child), 0);
    CHECK_IS(pando_end_status(child_ending(child)), STATUS_CHILD);
    expect_ended((unsigned)child, STATUS_CHILD, END_EXIT);
    expect_ended((unsigned)second, STATUS_CHILD, END_EXIT);
    CHECK(!event_take(&event));
    CHECK_IS(pando_proc_watch(closed), 0); /* gone: at once */
    expect_ended((unsigned)closed, STATUS_CHILD, END_EXIT);
    CHECK(!event_take(&event));
    CHECK_IS(child_wait(child), STATUS_CHILD);
    const long handles[] = {second, closed};
    close_all(handles, 2);

    child = child_start("control", "spin", NULL);
    long more[WATCHES];
    for (unsigned i = 0; i < WATCHES; i++)
        more[i] = pando_handle_duplicate(child, RIGHT_READ);
    for (unsigned i = 0; i < WATCHES - 1; i++)
        CHECK_IS(pando_proc_watch(more[i]), 0);
    CHECK_IS(pando_proc_watch(more[WATCHES - 1]), -E_LIMIT);
    close_all(more, WATCHES);
    CHECK_IS(pando_proc_watch(child), 0);
    CHECK_IS(child_kill(child), 0);
    CHECK_IS(pando_end_status(child_ending(child)), STATUS_KILLED);
    expect_ended((unsigned)child, STATUS_KILLED, END_KILLED);
    CHECK(!event_take(&event));
}

/* One that watches ends first: nobody is told. */
static void test_watcher_ends(void)
{
    long target = child_start("control", "spin", NULL),
         watcher = child_try("control", "watch", NULL);
    CHECK_IS(pando_proc_give(watcher, target, RIGHT_READ), 1);
    CHECK_IS(child_run(watcher), 0);
    CHECK_IS(child_wait(watcher), STATUS_CHILD);
    end(target);
}

/* --- what it does ------------------------------------------------------------------------------- */

static void be_spread(void)
{
    pando_vcores_request(pando_procinfo()->max_vcores);
    compute(~0ul);
}

static int be_child(int argc, char *argv[])
{
    const char *what = argv[1];
    if (!strcmp(what, "fault"))
        *(volatile char *)ARENA = 1;
    if (!strcmp(what, "spin"))
        compute(~0ul);
    if (!strcmp(what, "halt"))
        for (;;)
            raw_call(PANDO_vcore_halt, 0, 0, 0);
    if (!strcmp(what, "wait"))
        child_wait(child_start("control", "spin", NULL));
    if (!strcmp(what, "spread"))
        be_spread();
    if (!strcmp(what, "big")) {
        touch(BIG_PAGES);
        compute(~0ul);
    }
    if (!strcmp(what, "endless"))
        touch(1ul << 30);
    if (!strcmp(what, "holder"))
        return be_holder();
    if (!strcmp(what, "environment"))
        return be_environment(argc, argv);
    if (!strcmp(what, "limited"))
        return be_limited();
    if (!strcmp(what, "creator"))
        return be_creator(0);
    if (!strcmp(what, "creator-detaches"))
        return be_creator(PROC_DETACHED);
    if (!strcmp(what, "outlive")) {
        CHECK_IS(pando_end_status(child_ending(1)), STATUS_KILLED);
        printf("outlived\n");
    }
    if (!strcmp(what, "watch"))
        CHECK_IS(pando_proc_watch(1), 0);
    return STATUS_CHILD;
}

static int test(const char *what, const char *argument)
{
    if (!strcmp(what, "rights"))
        test_rights();
    else if (!strcmp(what, "errors"))
        test_errors();
    else if (!strcmp(what, "give"))
        test_give();
    else if (!strcmp(what, "table"))
        test_table();
    else if (!strcmp(what, "environments"))
        test_environment();
    else if (!strcmp(what, "arguments"))
        test_arguments();
    else if (!strcmp(what, "info"))
        test_info();
    else if (!strcmp(what, "limits"))
        test_limited();
    else if (!strcmp(what, "reasons"))
        test_reasons();
    else if (!strcmp(what, "out-of-memory"))
        test_out_of_memory();
    else if (!strcmp(what, "states"))
        test_states(argument);
    else if (!strcmp(what, "dying"))
        test_dying();
    else if (!strcmp(what, "creator-ends"))
        test_creator_ends(argument);
    else if (!strcmp(what, "watches"))
        test_watch();
    else if (!strcmp(what, "watcher-ends"))
        test_watcher_ends();
    else
        return 0;
    printf("ok\n");
    return 1;
}

int main(int argc, char *argv[])
{
    return test(argv[1], argv[2]) ? 0 : be_child(argc, argv);
}
