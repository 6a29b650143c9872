/* siege TEST: what should do no harm; "ok" at the end. self: processes with handles to themselves.
 * murder: one that is ended by its child. gone: nothing is changed of one that is gone.
 * vcores-beyond-limit: vcores for which a process's limit leaves no frames. arguments: odd strings.
 * images: an image whose head changes while it is read. As a child it does what its first word says.
 */
#include "abi/runtime.h"
#include "tests/system/programs/control.h"

#define ARENA 0x200000000000ull
enum { STATE_DYING = 6, MANY_IMAGES = 3000 };

static unsigned steps; /* of threads that wait for one another */

static void step_is(unsigned step)
{
    __atomic_store_n(&steps, step, __ATOMIC_SEQ_CST);
}

static void await_step(unsigned step)
{
    while (__atomic_load_n(&steps, __ATOMIC_SEQ_CST) < step)
        ;
}

/* Waits until the call is made of which that step tells, most likely. */
static void await_call(unsigned step)
{
    await_step(step);
    compute(1000000);
}

/* --- handles to oneself and to one's creator ----------------------------------------------------- */

/* A child that gets, by a message, a handle to a process: by default to itself. */
static long start_with_handle(const char *what, long named)
{
    long ends = pando_channel_create(2);
    struct channel_message message = {.rights = RIGHTS_ALL};
    long child = child_try("siege", what, NULL);
    CHECK(child > 0);
    CHECK_IS(pando_proc_give(child, ends >> 32, RIGHTS_ALL), 1);
    CHECK_IS(child_run(child), 0);
    long sent = pando_handle_duplicate(named ? named : child, RIGHTS_ALL);
    CHECK(sent > 0);
    message.handle[0] = (uint32_t)sent;
    CHECK_IS(pando_channel_send(ends & 0xffffffff, CHANNEL_WAIT, &message), 0);
    CHECK_IS(pando_handle_close(ends & 0xffffffff), 0);
    CHECK_IS(pando_handle_close(ends >> 32), 0);
    return child;
}

static long receive_handle(void)
{
    struct channel_message message;
    CHECK_IS(pando_channel_receive(1, 0, 0, CHANNEL_WAIT, &message), 0);
    CHECK(message.handle[0] > 0);
    return message.handle[0];
}

static void use_self(long self)
{
    CHECK_IS(info_of(self).pid, pando_procinfo()->pid);
    CHECK_IS(child_run(self), -E_STATE);
    CHECK_IS(pando_proc_give(self, self, 0), -E_INVALID);
    CHECK_IS(pando_proc_give(self, 1, 0), -E_STATE);
    CHECK_IS(pando_proc_limit(self, UINT32_MAX, 0), -E_STATE);
    CHECK_IS(pando_proc_sandbox(self, 0, FILTER_ASK), -E_STATE);
    CHECK_IS(pando_proc_watch(self), 0);
    CHECK_IS(pando_proc_watch(self), 0);
    CHECK_IS(pando_proc_watch(pando_handle_duplicate(self, RIGHT_READ)), 0);
    CHECK_IS(pando_proc_reply(self, 0, 0, 0, NULL), -E_PERMISSION);
}

static void *wait_for_self(void *self)
{
    step_is(1);
    raw_call(PANDO_proc_wait, (long)self, 0, 0);
    return NULL;
}

static _Noreturn void be_self(const char *what)
{
    struct uthread *uthread;
    long self = receive_handle();
    use_self(self);
    if (strstr(what, "many") && pando_procinfo()->max_vcores > 1) {
        CHECK_IS(pando_vcores_request(2), 2);
        CHECK_IS(uthread_create(&uthread, wait_for_self, (void *)self), 0);
        await_call(1);
        CHECK_IS(raw_call(PANDO_proc_wait, self, 0, 0), -E_STATE);
        if (strstr(what, "single"))
            CHECK_IS(raw_call(PANDO_cores_request, 0, 0, 0), 0);
    }
    if (strstr(what, "kill"))
        raw_call(PANDO_proc_kill, self, 0, 0);
    if (strstr(what, "abort"))
        raw_call(PANDO_proc_kill, self, PROC_ABORT, 0);
    if (strstr(what, "wait"))
        raw_call(PANDO_proc_wait, self, 0, 0);
    for (;;)
        compute(~0ul);
}

static void test_self(void)
{
    static char *const ways[] = {"self-kill", "self-abort", "self-many-kill", "self-many-abort",
                                 "self-many-single-kill"};
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
        expect_ending(start_with_handle(ways[i], 0), STATUS_KILLED, END_KILLED);
    long child = start_with_handle("self-wait", 0);
    compute(3000000);
    end(child);
}

/* Gives the handle to itself to a child, which ends it, and by that itself. */
static _Noreturn void be_victim(const char *what)
{
    long self = receive_handle();
    long child = start_with_handle(strstr(what, "abort") ? "murderer-abort" : "murderer", self);
    if (strstr(what, "close"))
        CHECK_IS(pando_handle_close(child), 0);
    if (strstr(what, "wait"))
        child_wait(child);
    for (;;)
        raw_call(PANDO_vcore_yield, 0, 0, 0);
}

static _Noreturn void be_murderer(long flags)
{
    long other = receive_handle();
    CHECK_IS(pando_proc_watch(other), 0);
    raw_call(PANDO_proc_kill, other, flags, 0);
    raw_call(PANDO_proc_wait, other, 0, 0);
    for (;;)
        raw_call(PANDO_vcore_yield, YIELD_WAIT, 0, 0);
}

static void test_murder(void)
{
    static char *const ways[] = {"victim", "victim-abort", "victim-wait", "victim-close",
                                 "victim-abort-close-wait"};
    for (unsigned i = 0; i < sizeof ways / sizeof *ways; i++)
        expect_ending(start_with_handle(ways[i], 0), STATUS_KILLED, END_KILLED);
}

/* Of one that is gone nothing is changed. */
static void test_gone(void)
{
    long child = child_start("siege", "exit", NULL);
    CHECK_IS(pando_end_status(child_ending(child)), STATUS_CHILD);
    CHECK_IS(info_of(child).state, STATE_DYING);
    CHECK_IS(pando_proc_kill(child, PROC_ABORT), 0);
    CHECK_IS(info_of(child).state, STATE_DYING);
    expect_ending(child, STATUS_CHILD, END_EXIT);
}

/* --- limits ------------------------------------------------------------------------------------- */

/* Whatever it is that its limit does not allow, the machine has memory enough. */
static void test_vcores_beyond_limit(void)
{
    unsigned count[END_REASONS] = {0};
    for (long frames = 0; frames < 120; frames += 2) {
        long child = child_try("siege", "spread", NULL);
        CHECK_IS(pando_proc_limit(child, info_of(child).frames + frames, 0), 0);
        CHECK_IS(child_run(child), 0);
        count[pando_end_reason(child_ending(child))]++;
        CHECK_IS(pando_handle_close(child), 0);
    }
    CHECK(count[END_EXIT] && count[END_LIMIT]);
    CHECK_IS(count[END_EXIT] + count[END_LIMIT], 60);
}

/* --- arguments ----------------------------------------------------------------------------------- */

static void test_arguments(void)
{
    static char strings[PAGE_BYTES];
    memset(strings, 'a', sizeof strings);
    CHECK_IS(pando_proc_create_of(PAGE_BYTES, 0, 0, 0, strings), -E_INVALID); /* no end */
    CHECK_IS(pando_proc_create_of(1, 0, 0, 0, strings), -E_INVALID);
    strings[PAGE_BYTES - 1] = 0;
    end(pando_proc_create_of(PAGE_BYTES, 0, 0, 0, strings)); /* one that is long */
    memset(strings, 0, sizeof strings);
    CHECK_IS(pando_proc_create_of(PAGE_BYTES, 0, 0, 0, strings), -E_INVALID); /* no name */
    memcpy(strings, "siege\0args", 10);
    for (unsigned env = 0; env < PAGE_BYTES - 10; env += 1000) {
        long child = pando_proc_create_of(PAGE_BYTES, 0, 0, env, strings);
        CHECK(child > 0);
        CHECK_IS(child_run(child), 0);
        CHECK_IS(child_wait(child), STATUS_CHILD);
    }
    CHECK_IS(pando_proc_create_of(PAGE_BYTES, 0, 0, PAGE_BYTES, strings), -E_INVALID);
    long only = pando_proc_create_of(PAGE_BYTES, 0, 0, PAGE_BYTES - 10, strings); /* no argv[1] */
    end(only);
}

/* --- images that change while they are read ------------------------------------------------------ */

static void *flip(void *object)
{
    volatile uint64_t *words = (volatile uint64_t *)ARENA;
    uint64_t state = 4711;
    static const uint64_t values[] = {0,
                                      100,
                                      PAGE_BYTES,
                                      2 * PAGE_BYTES,
                                      1ul << 22,
                                      1ul << 23,
                                      -1ul,
                                      -(uint64_t)PAGE_BYTES,
                                      RUNTIME_BASE + 64};
    while (!__atomic_load_n(&steps, __ATOMIC_RELAXED)) {
        words[1 + random_next(&state) % 5] = values[random_next(&state) % 9];
        words[1 + random_next(&state) % 5] = PAGE_BYTES;
        words[1] = RUNTIME_BASE + 64;
    }
    return object;
}

static void test_images(void)
{
    struct uthread *uthread;
    struct map_request request = {.addr = ARENA, .bytes = 4 * PAGE_BYTES, .prot = PROT_R | PROT_W};
    long object = pando_object_create(4 * PAGE_BYTES), made = 0, refused = 0;
    char *words[] = {"image"};
    CHECK_IS(pando_object_map(object, 0, &request), 0);
    for (unsigned i = 0; i < 4; i++)
        memset((void *)(ARENA + i * PAGE_BYTES), 0xf4, PAGE_BYTES);
    *(struct runtime_head *)ARENA =
        (struct runtime_head){RUNTIME_MAGIC, RUNTIME_BASE + 64, PAGE_BYTES, PAGE_BYTES, 0, 0};
    CHECK_IS(pando_vcores_request(2), 2);
    CHECK_IS(uthread_create(&uthread, flip, NULL), 0);
    for (unsigned i = 0; i < MANY_IMAGES; i++) {
        long child = pando_proc_create_with(1, words, NULL, (uint32_t)object, 0);
        CHECK(child > 0 || child == -E_DAMAGED || child == -E_TOO_LONG);
        made += child > 0;
        refused += child < 0;
        if (child < 0)
            continue;
        CHECK_IS(child_run(child), 0);
        CHECK_IS(child_wait(child), STATUS_FAULT);
    }
    step_is(1);
    CHECK_IS(uthread_join(uthread, NULL), 0);
    CHECK(made && refused);
}

static int be_child(const char *what)
{
    if (!strncmp(what, "self-", 5))
        be_self(what);
    if (!strncmp(what, "victim", 6))
        be_victim(what);
    if (!strncmp(what, "murderer", 8))
        be_murderer(strstr(what, "abort") ? PROC_ABORT : 0);
    if (!strcmp(what, "spread"))
        return pando_vcores_request(pando_procinfo()->max_vcores) > 0 ? STATUS_CHILD : 1;
    return STATUS_CHILD;
}

static int test(const char *what)
{
    if (!strcmp(what, "self"))
        test_self();
    else if (!strcmp(what, "murder"))
        test_murder();
    else if (!strcmp(what, "gone"))
        test_gone();
    else if (!strcmp(what, "vcores-beyond-limit"))
        test_vcores_beyond_limit();
    else if (!strcmp(what, "arguments"))
        test_arguments();
    else if (!strcmp(what, "images"))
        test_images();
    else
        return 0;
    printf("ok\n");
    return 1;
}

int main(int argc, char *argv[])
{
    return test(argv[1]) ? 0 : be_child(argv[1]);
}
