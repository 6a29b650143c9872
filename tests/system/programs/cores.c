/* cores VCORES: asking for vcores, being granted and giving back, as seed two (2.4) has it; "ok" at
 * the end. cores VCORES gather: all of them, which others may hold at first. */
#include "tests/system/programs/check.h"

enum { VCORES_USED_MAX = 64 };

/* Uthreads that all run at once, so each on a vcore of its own. */
static struct {
    unsigned here, wanted;
    int leaves; /* the vcore that gives its core back; -1: none */
    unsigned seen[VCORES_USED_MAX];
} all;

static const volatile struct procinfo *info;
static unsigned vcores;

static void check_own_id(void)
{
    long answer = pando_kernel_call(PANDO_vcore_id, 0, 0, 0, 0);
    unsigned vcoreid = answer & 0xffff, core = answer >> 16;
    CHECK_IS(pando_vcore_id(), vcoreid);
    CHECK_IS(vcore_data_of(vcoreid)->vcoreid, vcoreid);
    CHECK_IS(info->vcoremap[vcoreid].state, VCORE_RUNNING);
    CHECK_IS(info->vcoremap[vcoreid].core, core);
    __atomic_fetch_add(&all.seen[vcoreid], 1, __ATOMIC_SEQ_CST);
}

static void *be_there(void *arg)
{
    __atomic_fetch_add(&all.here, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&all.here, __ATOMIC_SEQ_CST) < all.wanted)
        ;
    check_own_id();
    if (pando_vcore_id() == all.leaves)
        CHECK_IS(pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0), 0);
    return arg;
}

/* On all vcores that the process has: check them, and let one of them go. */
static void all_together(int leaves)
{
    struct uthread *uthreads[VCORES_USED_MAX];
    memset(&all, 0, sizeof all);
    all.wanted = info->amt_granted;
    all.leaves = leaves;
    for (unsigned i = 1; i < all.wanted; i++)
        CHECK_IS(uthread_create(&uthreads[i], be_there, NULL), 0);
    be_there(NULL);
    for (unsigned i = 1; i < all.wanted; i++)
        CHECK_IS(uthread_join(uthreads[i], NULL), 0);
    for (unsigned id = 0; id < VCORES_USED_MAX; id++)
        CHECK_IS(all.seen[id], id == (unsigned)leaves || info->vcoremap[id].state == VCORE_RUNNING);
}

/* Each running vcore on a core of its own, which is not the management core unless there is no
 * other. */
static void check_map(unsigned amount)
{
    uint8_t taken[VCORES_MAX + 1] = {0};
    unsigned running = 0;
    for (unsigned id = 0; id < VCORES_MAX; id++) {
        unsigned core = info->vcoremap[id].core;
        if (info->vcoremap[id].state != VCORE_RUNNING)
            continue;
        CHECK(core < info->cores && !taken[core]++);
        CHECK(core > 0 || info->cores == 1);
        running++;
    }
    CHECK_IS(running, amount);
    CHECK_IS(info->amt_granted, amount);
}

static void give_back(unsigned vcoreid)
{
    unsigned before = info->amt_granted;
    all_together(vcoreid);
    while (info->vcoremap[vcoreid].state != VCORE_NONE)
        ;
    CHECK_IS(info->amt_wanted, before - 1);
    check_map(before - 1);
}

/* Asks for one more: the lowest hole is filled. */
static void fill(unsigned hole)
{
    unsigned amount = info->amt_granted + 1;
    CHECK_IS(info->vcoremap[hole].state, VCORE_NONE);
    CHECK(pando_vcores_request(amount) >= (int)amount - 1);
    while (info->amt_granted < amount)
        ;
    CHECK_IS(info->amt_wanted, amount);
    CHECK_IS(info->vcoremap[hole].state, VCORE_RUNNING);
    check_map(amount);
    all_together(-1);
}

static uint64_t holes(void)
{
    uint64_t set = 0;
    for (unsigned id = 0; id < vcores; id++)
        set |= (uint64_t)(info->vcoremap[id].state == VCORE_NONE) << id;
    return set;
}

/* In any order all but one go, then they come back, the lowest first. */
static void give_back_at_random(uint64_t seed)
{
    uint64_t state = seed;
    while (info->amt_granted > 1) {
        unsigned id = random_next(&state) % vcores;
        if (info->vcoremap[id].state == VCORE_RUNNING)
            give_back(id);
        if (random_next(&state) % 4 == 0 && holes())
            fill((unsigned)__builtin_ctzll(holes()));
    }
    while (holes())
        fill((unsigned)__builtin_ctzll(holes()));
}

static void check_bounds(void)
{
    const long wrong[] = {-1, info->max_vcores + 1l, VCORES_MAX + 1, 1l << 32 | 1, 1l << 62};
    for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++)
        CHECK_IS(pando_kernel_call(PANDO_cores_request, wrong[i], 0, 0, 0), -E_INVALID);
    CHECK_IS(pando_kernel_call(PANDO_vcore_notify, VCORES_MAX, 0, 0, 0), -E_NO_ENTRY);
    CHECK_IS(pando_kernel_call(PANDO_vcore_notify, VCORES_MAX - 1, 0, 0, 0), -E_NO_ENTRY);
    CHECK_IS(pando_kernel_call(PANDO_vcore_notify, -1, 0, 0, 0), -E_NO_ENTRY);
}

static void check_single(void)
{
    CHECK_IS(info->manycore, 0);
    CHECK_IS(info->amt_granted, 0);
    CHECK_IS(info->vcoremap[0].state, VCORE_RUNNING);
    CHECK_IS(info->vcoremap[0].core, 0);
    CHECK_IS(pando_vcore_id(), 0);
    CHECK_IS(info->max_vcores, info->cores > 1 ? info->cores - 1 : 1);
    CHECK_IS(pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0), 0);
    CHECK_IS(pando_kernel_call(PANDO_vcore_yield, 2, 0, 0, 0), -E_INVALID);
    CHECK_IS(pando_kernel_call(PANDO_cores_request, 0, 0, 0, 0), -E_INVALID);
}

/* Others hold some of them at first. */
static int gather(void)
{
    CHECK(pando_vcores_request(vcores) >= 1);
    while (info->amt_granted < vcores)
        ;
    check_map(vcores);
    all_together(-1);
    printf("gathered %u\n", vcores);
    return 0;
}

int main(int argc, char *argv[])
{
    info = pando_procinfo();
    vcores = number_of(argv[1]);
    if (argc > 2)
        return gather();
    check_single();
    check_bounds();
    CHECK_IS(pando_vcores_request(vcores), vcores);
    CHECK_IS(info->manycore, 1);
    CHECK_IS(info->amt_wanted, vcores);
    check_map(vcores);
    check_bounds();
    all_together(-1);
    for (unsigned id = 0; id < vcores && vcores > 1; id++) {
        give_back(id);
        fill(id);
    }
    if (vcores >= 4) {
        give_back(2);
        give_back(0);
        give_back(3);
        fill(0);
        fill(2);
        fill(3);
    }
    for (uint64_t seed = 1; seed <= 3; seed++)
        give_back_at_random(seed);
    while (info->amt_granted > 1) {
        unsigned highest = vcores - 1;
        while (info->vcoremap[highest].state != VCORE_RUNNING)
            highest--;
        give_back(highest);
    }
    all_together(-1);
    printf("ok\n");
    return 0;
}
