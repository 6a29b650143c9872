/* greed TEST: processes that want what they must not have, or keep what must come back; "ok" at the
 * end. A child is this program too. */
#include "tests/system/programs/control.h"

enum { ROUNDS = 180 /* more processes than there can be */, HOARDERS_MAX = 80, TRIES = 100 };
enum { STATE_CREATED = 0, STATE_WAITING = 3, STATE_DYING = 6 }; /* of proc_info */

/* --- what was never run ---------------------------------------------------------------------- */

static long never_run(unsigned flags)
{
    char *words[] = {"greed", "child"};
    long child = pando_proc_create_with(2, words, NULL, 0, flags);
    CHECK(child > 0);
    return child;
}

static void give(long process, long handle)
{
    CHECK(pando_proc_give(process, handle, RIGHTS_ALL) > 0);
}

/* Two that were never run have handles to each other, and nobody else has one. */
static void leave_two(void)
{
    long one = never_run(PROC_DETACHED), other = never_run(PROC_DETACHED);
    give(one, other);
    give(other, one);
}

/* One that was never run has the end at which a handle to it waits. */
static void leave_one(void)
{
    long one = never_run(PROC_DETACHED), made = pando_channel_create(1);
    struct channel_message message = {.rights = RIGHTS_ALL, .handle = {(uint32_t)one}};
    give(one, made >> 32);
    CHECK_IS(pando_channel_send(made & 0xffffffff, 0, &message), 0);
}

static void child_leave(void)
{
    leave_two();
    leave_one();
}

/* They do not stay: in all they are more than there can be. */
static void test_leave(void)
{
    for (int i = 0; i < ROUNDS; i++)
        CHECK_IS(child_wait(child_start("greed", "child-leave", NULL)), 0);
}

/* --- all of the home's own memory ------------------------------------------------------------ */

#define REGION_AT 0x200000000000ull

/* Regions, objects and letters, as many as can be. */
static void child_hoard(void)
{
    struct channel_message message = {0};
    long error = 0, channel = pando_channel_create(CHANNEL_MAX_DEPTH);
    for (uint64_t at = REGION_AT; !error; at += 2 * PAGE_BYTES)
        error = pando_mem_map(at, PAGE_BYTES, PROT_R, 0);
    CHECK(error == -E_LIMIT || error == -E_NO_MEMORY);
    while (channel > 0 && pando_channel_send(channel >> 32, 0, &message) == 0)
        ;
    while (pando_object_create(PAGE_BYTES) > 0)
        ;
    for (;;)
        pando_vcore_yield(YIELD_WAIT);
}

/* Until one has all that it can have, or has ended for want of memory. */
static void hoarder_await(long child)
{
    unsigned state;
    do {
        pando_vcore_yield(0);
        state = info_of(child).state;
    } while (state != STATE_WAITING && state < STATE_DYING);
}

static int hoarders_start(long child[HOARDERS_MAX])
{
    int count = 0;
    while (count < HOARDERS_MAX && (child[count] = child_try("greed", "child-hoard", NULL)) > 0) {
        long error = child_run(child[count]);
        if (!error)
            hoarder_await(child[count]);
        count++;
        if (error)
            break;
    }
    CHECK(count > 2 && count < HOARDERS_MAX);
    return count;
}

/* Children of which each is refused, or is run, watched and ended. */
static void try_children(void)
{
    for (int i = 0; i < TRIES; i++) {
        long child = child_try("greed", "child", NULL);
        if (child < 0)
            continue;
        child_run(child);
        pando_proc_watch(child);
        child_kill(child);
        child_wait(child);
    }
}

/* Refused for want of memory, a process is as it was; where the home drives its context, too. */
static void run_refused(long child)
{
    long error = child_run(child);
    if (pando_procinfo()->cores == 1)
        CHECK_IS(error, -E_NO_MEMORY);
    if (error)
        CHECK_IS(info_of(child).state, STATE_CREATED);
}

/* Whatever is asked for while there is none is refused; then all goes on. */
static void test_heap(void)
{
    long child[HOARDERS_MAX], late = child_try("greed", "child", NULL);
    int count = hoarders_start(child);
    uint64_t at = REGION_AT;
    while (pando_mem_map(at, PAGE_BYTES, PROT_R | PROT_W, 0) == 0)
        at += 2 * PAGE_BYTES;
    struct channel_message message = {.addr = REGION_AT, .pages = 1, .page_mode = PAGES_MOVE};
    long channel = pando_channel_create(CHANNEL_MAX_DEPTH);
    for (; channel > 0 && message.addr < at; message.addr += 2 * PAGE_BYTES)
        pando_channel_send(channel >> 32, 0, &message);
    try_children();
    run_refused(late);
    for (int i = 0; i < count; i++)
        child_kill(child[i]);
    for (int i = 0; i < count; i++)
        child_wait(child[i]);
    if (info_of(late).state == STATE_CREATED)
        CHECK_IS(child_run(late), 0);
    child_wait(late);
    CHECK_IS(child_wait(child_start("greed", "child", NULL)), 0);
}

/* --- back to a single context ---------------------------------------------------------------- */

enum { MANY_PAGES = 8000 };
#define MANY_AT 0x210000000000ull
#define FEW_AT  0x220000000000ull

static unsigned stage;
static long made;

static void reach(unsigned wanted)
{
    while (__atomic_load_n(&stage, __ATOMIC_SEQ_CST) < wanted)
        __builtin_ia32_pause();
    compute(100000);
}

/* The runtime maps a page for the caller's messages now, and not when memory is waited for. */
static void page_have(void)
{
    struct proc_info info;
    CHECK_IS(pando_proc_info(0, &info), -E_NO_ENTRY);
}

static void *unmap_many(void *arg)
{
    reach(1);
    __atomic_store_n(&stage, 2, __ATOMIC_SEQ_CST);
    raw_call(PANDO_mem_unmap, MANY_AT, MANY_PAGES * PAGE_BYTES, 0);
    return NULL;
}

/* Waits for the memory, and then for a place that is taken meanwhile. */
static void *move_one(void *arg)
{
    struct channel_message message = {.addr = FEW_AT, .pages = 1, .page_mode = PAGES_MOVE};
    page_have();
    reach(2);
    __atomic_store_n(&stage, 3, __ATOMIC_SEQ_CST);
    pando_channel_send(made >> 32, CHANNEL_WAIT, &message);
    return NULL;
}

/* Whether the place could be taken before the page came: else all is as it was. */
static int take_place(void)
{
    struct uthread *uthread[2];
    struct channel_message message = {.word = {1}};
    CHECK_IS(pando_mem_map(MANY_AT, MANY_PAGES * PAGE_BYTES, PROT_R | PROT_W, 0), 0);
    for (uint64_t i = 0; i < MANY_PAGES; i++)
        *(volatile char *)(MANY_AT + i * PAGE_BYTES) = 1;
    __atomic_store_n(&stage, 0, __ATOMIC_SEQ_CST);
    CHECK_IS(uthread_create(&uthread[0], unmap_many, NULL), 0);
    CHECK_IS(uthread_create(&uthread[1], move_one, NULL), 0);
    __atomic_store_n(&stage, 1, __ATOMIC_SEQ_CST);
    reach(3);
    if (pando_channel_send(made >> 32, 0, &message) == 0)
        return 1;
    for (int i = 0; i < 2; i++)
        CHECK_IS(uthread_join(uthread[i], NULL), 0);
    CHECK_IS(pando_channel_receive(made & 0xffffffff, FEW_AT, 1, 0, &message), 1);
    return 0;
}

/* The process goes back to one context while another vcore's call waits for memory: that vcore does
 * not begin to wait for a place then. */
static void test_single(void)
{
    CHECK_IS(pando_vcores_request(3), 3);
    page_have();
    made = pando_channel_create(1);
    CHECK_IS(pando_mem_map(FEW_AT, PAGE_BYTES, PROT_R | PROT_W, MEM_EAGER), 0);
    while (!take_place())
        ;
    CHECK_IS(raw_call(PANDO_cores_request, 0, 0, 0), 0);
    CHECK_IS(pando_procinfo()->manycore, 0);
}

/* --- at the limit ---------------------------------------------------------------------------- */

enum { KEPT_PAGES = 64, SPARE_FRAMES = 200 };

/* Pages that it sent to itself count against it as before, so that they can come back. */
static void child_limit(void)
{
    struct channel_message message = {
        .addr = FEW_AT + PAGE_BYTES, .pages = KEPT_PAGES - 1, .page_mode = PAGES_MOVE};
    made = pando_channel_create(1);
    CHECK_IS(pando_mem_map(FEW_AT, KEPT_PAGES * PAGE_BYTES, PROT_R | PROT_W, MEM_EAGER), 0);
    CHECK_IS(pando_channel_send(made >> 32, 0, &message), 0);
    uint64_t at = MANY_AT;
    while (pando_mem_map(at, PAGE_BYTES, PROT_R, MEM_EAGER) == 0)
        at += PAGE_BYTES;
    CHECK_IS(pando_mem_map(at, PAGE_BYTES, PROT_R, MEM_EAGER), -E_LIMIT);
    CHECK_IS(pando_channel_receive(made & 0xffffffff, FEW_AT + PAGE_BYTES, 512, 0, &message),
             KEPT_PAGES - 1);
}

static void test_limit(void)
{
    long child = child_try("greed", "child-limit", NULL);
    CHECK(child > 0);
    CHECK_IS(pando_proc_limit(child, info_of(child).frames + SPARE_FRAMES, 0), 0);
    CHECK_IS(child_run(child), 0);
    expect_ending(child, 0, END_EXIT);
}

/* --- frames that are lent -------------------------------------------------------------------- */

enum { THEIR_END = 1, LENT_SPARE = 2400, LETTER_PAGES = 16 };

/* Its driver has frames that it has not used: they are had back before a letter is refused. */
static void child_lent(void)
{
    struct channel_message message;
    uint64_t at = MANY_AT;
    CHECK_IS(pando_vcores_request(1), 1);
    page_have();
    CHECK_IS(pando_mem_map(OWN_SLOT_BASE(0), PAGE_BYTES, PROT_R | PROT_W, 0), 0);
    *(volatile char *)OWN_SLOT_BASE(0) = 1;
    long pages;
    while ((pages = channel_receive(THEIR_END, at, LETTER_PAGES, &message)) > 0)
        at += (uint64_t)pages * PAGE_BYTES;
    CHECK_IS(pages, -E_LIMIT);
    CHECK_IS(pando_mem_map(FEW_AT, LETTER_PAGES * PAGE_BYTES, PROT_R, MEM_EAGER), -E_LIMIT);
}

static void test_lent(void)
{
    long channel = pando_channel_create(2), child = child_try("greed", "child-lent", NULL), error;
    struct channel_message message = {
        .addr = MANY_AT, .pages = LETTER_PAGES, .page_mode = PAGES_MOVE};
    CHECK(channel > 0 && child > 0);
    CHECK_IS(pando_proc_give(child, channel >> 32, RIGHTS_ALL), THEIR_END);
    CHECK_IS(pando_handle_close(channel >> 32), 0);
    CHECK_IS(pando_proc_limit(child, info_of(child).frames + LENT_SPARE, 0), 0);
    CHECK_IS(child_run(child), 0);
    do {
        CHECK_IS(pando_mem_map(MANY_AT, LETTER_PAGES * PAGE_BYTES, PROT_R | PROT_W, MEM_EAGER), 0);
        error = channel_send(channel & 0xffffffff, &message);
        if (error)
            CHECK_IS(pando_mem_unmap(MANY_AT, LETTER_PAGES * PAGE_BYTES), 0);
    } while (!error);
    CHECK_IS(error, -E_CLOSED);
    expect_ending(child, 0, END_EXIT);
}

/* --- one call -------------------------------------------------------------------------------- */

enum { PINNED_PAGES = 64, PIN_TICKS_MOST = 1000000 };

/* To pin pages behind thousands of regions takes no more steps than the pages and the regions are. Under
 * --icount a tick is an instruction. */
static void test_pin(void)
{
    uint64_t at = REGION_AT;
    while (pando_mem_map(at, PAGE_BYTES, PROT_R, 0) == 0)
        at += 2 * PAGE_BYTES;
    CHECK_IS(pando_mem_unmap(at - 2 * PAGE_BYTES, PAGE_BYTES), 0);
    CHECK_IS(pando_mem_map(at, PINNED_PAGES * PAGE_BYTES, PROT_R, 0), 0);
    uint64_t before = clock_ticks();
    CHECK_IS(pando_mem_pin(at, PINNED_PAGES * PAGE_BYTES), 0);
    uint64_t ticks = clock_ticks() - before;
    if (ticks > PIN_TICKS_MOST)
        printf("%lu ticks\n", ticks);
}

static void nothing(void)
{
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"child", nothing},           {"heap", test_heap},
        {"single", test_single},      {"limit", test_limit},
        {"child-limit", child_limit}, {"lent", test_lent},
        {"child-lent", child_lent},   {"pin", test_pin},
        {"child-hoard", child_hoard}, {"leave", test_leave},
        {"child-leave", child_leave},
    };
    CHECK(argc == 2);
    unsigned i = 0;
    while (strcmp(tests[i].name, argv[1]))
        CHECK(++i < sizeof tests / sizeof tests[0]);
    tests[i].run();
    if (strncmp(argv[1], "child", 5))
        printf("ok\n");
    return 0;
}
