/* own_slots TEST VCORES [ROUNDS]: vcores make pages in their own slots while others touch, unmap and
 * protect pages there; "ok" at the end. fill: everybody reads everybody's. mingle: all make pages in one table. change: mapped and
 * unmapped by another while the owner makes pages. kill: such processes end at any moment. leave:
 * vcores leave and come back. unmapped, read-only: a page is written to that was such when it was
 * not there. limit: what is lent is not lost to a process at its limit. */
#include "tests/system/programs/check.h"

enum {
    MOST = 8,
    PAGES = 150,
    ROUND_PAGES = 40,
    FEW = 7,
    TABLE_PAGES = 512,
    STEPS = 7919,
    BUSY = 3
};
#define OTHER  0x40000000ull     /* in a slot: where others map */
#define COMMON 0x300000000000ull /* in no vcore's own slot */

static unsigned vcores, rounds;
static unsigned arrived;
static volatile int stop;

/* Each on a vcore of its own, since nobody leaves it; `turn` times `vcores` have come then. */
static void meet(unsigned turn)
{
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < turn * vcores)
        __builtin_ia32_pause();
}

static long map_with(uint64_t at, uint64_t pages, long flags)
{
    return pando_kernel_call(PANDO_mem_map, at, pages * PAGE_BYTES, PROT_R | PROT_W, flags);
}

static void map(uint64_t at, uint64_t pages)
{
    CHECK_IS(map_with(at, pages, 0), 0);
}

static void unmap(uint64_t at, uint64_t pages)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_unmap, at, pages * PAGE_BYTES, 0, 0), 0);
}

static volatile uint64_t *word_at(uint64_t at, uint64_t page)
{
    return (volatile uint64_t *)(at + page * PAGE_BYTES);
}

/* --- fill ------------------------------------------------------------------------------------ */

static uint64_t value_of(unsigned id, uint64_t page)
{
    return page % FEW == id % FEW ? 0 : id * 1000 + page + 1; /* some are not written */
}

static void fill(unsigned id, uint64_t first, uint64_t end)
{
    for (uint64_t page = first; page < end; page++)
        if (value_of(id, page)) {
            CHECK_IS(*word_at(OWN_SLOT_BASE(id), page), 0);
            *word_at(OWN_SLOT_BASE(id), page) = value_of(id, page);
        }
}

static void *fill_and_read(void *nothing)
{
    unsigned id = (unsigned)pando_vcore_id();
    map(OWN_SLOT_BASE(id), 2 * PAGES);
    fill(id, 0, PAGES);
    meet(1);
    for (unsigned other = 0; other < vcores; other++) {
        for (uint64_t page = 0; page < PAGES; page++)
            CHECK_IS(*word_at(OWN_SLOT_BASE(other), page), value_of(other, page));
        fill(id, PAGES + other * FEW, PAGES + (other + 1) * FEW);
    }
    meet(2);
    for (unsigned other = 0; other < vcores; other++)
        for (uint64_t page = PAGES; page < PAGES + vcores * FEW; page++)
            CHECK_IS(*word_at(OWN_SLOT_BASE(other), page), value_of(other, page));
    return nothing;
}

/* --- mingle ---------------------------------------------------------------------------------- */

/* All make pages of one slot, in one page table, at once. */
static void *mingle_rounds(void *nothing)
{
    unsigned id = (unsigned)pando_vcore_id(), turn = 0;
    uint64_t at = OWN_SLOT_BASE(0);
    for (unsigned round = 1; round <= rounds; round++) {
        if (id == 0)
            map(at, TABLE_PAGES);
        meet(++turn);
        for (uint64_t page = id; page < TABLE_PAGES; page += vcores) {
            CHECK_IS(*word_at(at, page), 0);
            *word_at(at, page) = page * round;
        }
        meet(++turn);
        for (uint64_t page = 0; page < TABLE_PAGES; page++)
            CHECK_IS(*word_at(at, page), page * round);
        meet(++turn);
        if (id == 0)
            unmap(at, TABLE_PAGES);
    }
    return nothing;
}

/* --- change ---------------------------------------------------------------------------------- */

/* Makes pages of its own, and leaves them to another to unmap. */
static void *own_rounds(void *nothing)
{
    uint64_t at = OWN_SLOT_BASE((unsigned)pando_vcore_id());
    meet(1);
    for (uint64_t round = 1; !stop; round++) {
        map(at, ROUND_PAGES);
        for (uint64_t page = 0; page < ROUND_PAGES; page++) {
            CHECK_IS(*word_at(at, page), 0);
            *word_at(at, page) = round;
        }
        for (uint64_t page = 0; page < ROUND_PAGES; page++)
            CHECK_IS(*word_at(at, page), round);
        unmap(at, ROUND_PAGES);
    }
    return nothing;
}

/* In the slots of the others. */
static void change_others(unsigned own, unsigned round)
{
    for (unsigned id = 0; id < vcores; id++) {
        uint64_t at = OWN_SLOT_BASE(id) + OTHER;
        if (id == own)
            continue;
        CHECK_IS(map_with(at, FEW, round % 2 ? MEM_EAGER : 0), 0);
        for (uint64_t page = 0; page < FEW; page++) {
            CHECK_IS(*word_at(at, page), 0);
            *word_at(at, page) = round + 1;
        }
        CHECK_IS(pando_kernel_call(PANDO_mem_protect, at, PAGE_BYTES, PROT_R, 0), 0);
        CHECK_IS(*word_at(at, 0), round + 1);
        unmap(at, FEW);
    }
}

static void *change_rounds(void *nothing)
{
    unsigned own = (unsigned)pando_vcore_id();
    meet(1);
    for (unsigned round = 0; round < rounds; round++)
        change_others(own, round);
    stop = 1;
    return nothing;
}

/* --- all of them on vcores of their own ------------------------------------------------------- */

static void run_on_all(void *(*first)(void *), void *(*others)(void *))
{
    struct uthread *uthread[MOST];
    void *result;
    arrived = stop = 0;
    CHECK(vcores >= 1 && vcores <= MOST);
    CHECK_IS(pando_vcores_request(vcores), vcores);
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread[i], others, NULL), 0);
    first(NULL);
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_join(uthread[i], &result), 0);
}

/* --- kill ------------------------------------------------------------------------------------ */

static void kill_rounds(void)
{
    char number[16];
    snprintf(number, sizeof number, "%u", vcores);
    for (unsigned round = 0; round < rounds; round++) {
        int child = child_start("own_slots", "change", number, "100000000", NULL);
        compute(round * STEPS % 400000);
        long error = child_kill(child);
        CHECK(error == 0 || error == -E_STATE);
        CHECK_IS(child_wait(child), 137);
    }
}

/* --- leave ----------------------------------------------------------------------------------- */

static void *fill_own(void *nothing)
{
    unsigned id = (unsigned)pando_vcore_id();
    uint64_t page = *word_at(COMMON, id);
    fill(id, page, page + FEW);
    *word_at(COMMON, id) = page + FEW;
    meet(1);
    return nothing;
}

static void leave_rounds(void)
{
    map(COMMON, MOST);
    for (unsigned id = 0; id < vcores; id++)
        map(OWN_SLOT_BASE(id), 2 * PAGES);
    for (unsigned round = 0; round < rounds; round++) {
        run_on_all(fill_own, fill_own);
        CHECK_IS(pando_kernel_call(PANDO_cores_request, 0, 0, 0, 0), 0);
        CHECK_IS(pando_procinfo()->manycore, 0);
        for (unsigned id = 0; id < vcores; id++) {
            uint64_t pages = *word_at(COMMON, id);
            CHECK_IS(pages, (round + 1) * FEW);
            for (uint64_t page = 0; page < pages; page++)
                CHECK_IS(*word_at(OWN_SLOT_BASE(id), page), value_of(id, page));
        }
    }
}

/* --- limit ----------------------------------------------------------------------------------- */

static int lends;

/* Has its driver lent windows and frames, and uses one of them. */
static void *touch_once(void *nothing)
{
    unsigned id = (unsigned)pando_vcore_id();
    uint64_t at = lends ? OWN_SLOT_BASE(id) : COMMON + (1 + id) * OTHER;
    map(at, PAGES);
    *word_at(at, 0) = *word_at(at, 1) = 1;
    meet(1);
    while (!stop)
        __builtin_ia32_pause();
    return nothing;
}

static void *take_all(void *nothing)
{
    unsigned pages = 0;
    meet(1);
    map(COMMON, 1);
    *word_at(COMMON, 0) = 1;
    while (map_with(COMMON + (1 + pages) * PAGE_BYTES, 1, MEM_EAGER) == 0)
        pages++;
    stop = 1;
    printf("%u\n", pages);
    return nothing;
}

static void compare_limits(void)
{
    char number[16];
    snprintf(number, sizeof number, "%u", vcores);
    for (unsigned i = 0; i < 2; i++) {
        int child = child_try("own_slots", i ? "lend" : "keep", number, NULL);
        CHECK(child > 0);
        CHECK_IS(pando_kernel_call(PANDO_proc_limit, child, 3000, 0, 0), 0);
        CHECK_IS(child_run(child), 0);
        CHECK_IS(child_wait(child), 0);
    }
}

/* --- windows that are closed ------------------------------------------------------------------ */

static const char *closing;

/* Its driver has been lent the range; what becomes of the range ends that. Must not return. */
static void *touch_closed(void *nothing)
{
    uint64_t at = OWN_SLOT_BASE((unsigned)pando_vcore_id());
    map(at, PAGES);
    *word_at(at, 0) = *word_at(at, 1) = *word_at(at, 2) = 1;
    if (strcmp(closing, "unmapped") == 0)
        unmap(at, PAGES);
    else
        CHECK_IS(pando_kernel_call(PANDO_mem_protect, at, PAGES * PAGE_BYTES, PROT_R, 0), 0);
    CHECK(strcmp(closing, "unmapped") == 0 || *word_at(at, 3) == 0);
    *word_at(at, 4) = 1;
    exit(0);
    return nothing;
}

int main(int argc, char *argv[])
{
    CHECK(argc >= 3);
    vcores = (unsigned)number_of(argv[2]);
    rounds = argc > 3 ? (unsigned)number_of(argv[3]) : 0;
    lends = strcmp(argv[1], "lend") == 0;
    if (strcmp(argv[1], "fill") == 0)
        run_on_all(fill_and_read, fill_and_read);
    else if (strcmp(argv[1], "mingle") == 0)
        run_on_all(mingle_rounds, mingle_rounds);
    else if (strcmp(argv[1], "change") == 0)
        run_on_all(change_rounds, own_rounds);
    else if (strcmp(argv[1], "kill") == 0)
        kill_rounds();
    else if (strcmp(argv[1], "leave") == 0)
        leave_rounds();
    else if (strcmp(argv[1], "limit") == 0)
        compare_limits();
    else if (strcmp(closing = argv[1], "unmapped") == 0 || strcmp(closing, "read-only") == 0)
        run_on_all(touch_closed, NULL);
    else
        run_on_all(take_all, touch_once);
    if (argc > 3 || strcmp(argv[1], "fill") == 0 || strcmp(argv[1], "limit") == 0)
        printf("ok\n");
    return 0;
}
