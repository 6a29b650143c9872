/* states TEST [ARGUMENT...]: from many cores to one context and back; "ok" at the end.
 * mix VCORES: the same while uthreads come and go. back VCORES: each vcore in turn becomes the single one, and stays who it is. abandon VCORES: vcores
 * that compute are abandoned, and go on where they were when they come back. times VCORES: what procinfo
 * counts. storm ROUNDS: up and down without end, as a child that is killed. */
#include "tests/system/programs/check.h"

enum { VCORES_USED_MAX = 64, EXTRA = 5, SKEW_US = 1000 };

static const volatile struct procinfo *info;
static unsigned vcores;

static void check_map(uint64_t running)
{
    for (unsigned id = 0; id < VCORES_USED_MAX; id++)
        CHECK_IS(info->vcoremap[id].state, running >> id & 1 ? VCORE_RUNNING : VCORE_NONE);
}

static void check_single(unsigned vcoreid)
{
    long answer = pando_kernel_call(PANDO_vcore_id, 0, 0, 0, 0);
    CHECK_IS(info->manycore, 0);
    CHECK_IS(info->amt_granted, 0);
    CHECK_IS(info->amt_wanted, 0);
    CHECK_IS(answer & 0xffff, vcoreid);
    CHECK_IS(pando_vcore_id(), vcoreid);
    CHECK_IS(answer >> 16, info->vcoremap[vcoreid].core);
    check_map(1ull << vcoreid);
}

static uint64_t all_of(unsigned count)
{
    return (1ull << count) - 1;
}

static void gather(unsigned count)
{
    CHECK(pando_vcores_request(count) >= 1);
    while (info->amt_granted < count)
        ;
    check_map(all_of(count));
}

static uint64_t fs_base(void)
{
    uint64_t base;
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

/* --- back ------------------------------------------------------------------------------------- */

static unsigned here, chosen, extra_done;
static uint64_t fs_of_all;

static void *count_extra(void *arg)
{
    uthread_yield();
    __atomic_fetch_add(&extra_done, 1, __ATOMIC_SEQ_CST);
    return arg;
}

/* The one on the chosen vcore goes back to _S; the others end, or wait to be joined. */
static void *be_there(void *arg)
{
    __atomic_fetch_add(&here, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&here, __ATOMIC_SEQ_CST) < vcores)
        ;
    if ((unsigned)pando_vcore_id() == chosen) {
        CHECK_IS(pando_vcores_request(0), 0);
        check_single(chosen);
        CHECK_IS(fs_base(), fs_of_all);
    }
    return arg;
}

/* All uthreads are still there: some that were on other vcores, some that never ran. */
static void go_back(unsigned vcoreid)
{
    struct uthread *together[VCORES_USED_MAX], *extra[EXTRA];
    chosen = vcoreid;
    here = extra_done = 0;
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&together[i], be_there, NULL), 0);
    be_there(NULL);
    for (unsigned i = 0; i < EXTRA; i++)
        CHECK_IS(uthread_create(&extra[i], count_extra, NULL), 0);
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_join(together[i], NULL), 0);
    for (unsigned i = 0; i < EXTRA; i++)
        CHECK_IS(uthread_join(extra[i], NULL), 0);
    CHECK_IS(extra_done, EXTRA);
    check_single(vcoreid);
    CHECK_IS(pando_kernel_call(PANDO_cores_request, 0, 0, 0, 0), -E_INVALID);
}

/* The single context comes back as the vcore that it is, and the others fill the holes. */
static void test_back(void)
{
    fs_of_all = fs_base();
    gather(vcores);
    for (unsigned round = 0; round < 2 * vcores; round++) {
        unsigned vcoreid = round % 2 ? round / 2 : vcores - 1 - round / 2;
        go_back(vcoreid);
        CHECK_IS(pando_vcores_request(1), 1);
        check_map(1ull << vcoreid);
        CHECK_IS(pando_vcore_id(), vcoreid);
        CHECK_IS(fs_base(), fs_of_all);
        gather(vcores);
    }
}

/* --- mix -------------------------------------------------------------------------------------- */

enum { MIXERS = 6 };
static int mixed;

/* Whatever takes a uthread to the scheduler, at any moment of its vcore's leaving. */
static void *mix_on(void *arg)
{
    uint64_t state = (uint64_t)arg;
    while (!__atomic_load_n(&mixed, __ATOMIC_SEQ_CST)) {
        switch (random_next(&state) % 4) {
        case 0:
            CHECK_IS(pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0), 0);
            break;
        case 1:
            pando_kernel_call(PANDO_vcore_notify, pando_vcore_id(), 0, 0, 0);
            break;
        case 2:
            compute(random_next(&state) % 3000);
        }
        uthread_yield();
    }
    return NULL;
}

/* No uthread is lost and no vcore is waited for in vain. */
static void test_mix(void)
{
    struct uthread *uthread[MIXERS];
    for (unsigned long i = 0; i < MIXERS; i++)
        CHECK_IS(uthread_create(&uthread[i], mix_on, (void *)(i + 1)), 0);
    for (unsigned round = 0; round < 60; round++) {
        CHECK(pando_vcores_request(vcores) >= 1);
        compute(round * 7919 % 20000);
        CHECK_IS(pando_vcores_request(0), 0);
        check_single(pando_vcore_id());
        uthread_yield();
    }
    __atomic_store_n(&mixed, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < MIXERS; i++)
        CHECK_IS(uthread_join(uthread[i], NULL), 0);
}

/* --- abandon ---------------------------------------------------------------------------------- */

static volatile uint64_t turns[VCORES_USED_MAX];
static volatile int stop;
static unsigned computing;

/* In one register that nobody else knows of; a turn that is lost, or made twice, is seen. */
static void *compute_on(void *arg)
{
    unsigned long place = (unsigned long)arg;
    uint64_t own = 0, fs = fs_base();
    double sum = (double)place;
    __atomic_fetch_add(&computing, 1, __ATOMIC_SEQ_CST);
    while (!stop) {
        turns[place] = ++own;
        sum += 1.0;
    }
    CHECK_IS(turns[place], own);
    CHECK(sum == (double)place + (double)own);
    CHECK_IS(fs_base(), fs);
    return NULL;
}

static void check_gone(unsigned count)
{
    uint64_t told = 0;
    struct event event;
    while (pando_event_poll(&event))
        if (event.type == EVENT_VCORE_GONE)
            told |= 1ull << event.source;
    CHECK_IS(told, all_of(count) & ~1ull);
}

/* Without asking the runtime: it is not to bring the others to an end first. */
static void test_abandon(void)
{
    struct uthread *uthread[VCORES_USED_MAX];
    uint64_t before[VCORES_USED_MAX];
    gather(vcores);
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread[i], compute_on, (void *)(unsigned long)i), 0);
    while (__atomic_load_n(&computing, __ATOMIC_SEQ_CST) < vcores - 1)
        ;
    for (unsigned round = 0; round < 10; round++) {
        CHECK_IS(raw_call(PANDO_cores_request, 0, 0, 0), 0);
        check_single(0);
        check_gone(vcores);
        for (unsigned i = 1; i < vcores; i++) {
            CHECK_IS(vcore_data_of(i)->uthread_valid, 1);
            CHECK_IS(vcore_data_of(i)->uthread_fp_saved, 1);
            before[i] = turns[i];
        }
        compute(20000);
        for (unsigned i = 1; i < vcores; i++)
            CHECK_IS(turns[i], before[i]); /* nobody runs on */
        gather(vcores);
        for (unsigned i = 1; i < vcores; i++)
            while (turns[i] == before[i])
                ;
    }
    stop = 1;
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_join(uthread[i], NULL), 0);
}

/* --- times ------------------------------------------------------------------------------------ */

static uint32_t now_us(void)
{
    return (uint32_t)((clock_ticks() - info->boot_tsc) / (info->tsc_hz / 1000000));
}

/* The counters of two cores may differ a little. */
static void check_between(uint32_t first, uint32_t time, uint32_t last)
{
    CHECK((int32_t)(time - first) > -SKEW_US);
    CHECK((int32_t)(last - time) > -SKEW_US);
}

static void test_times(void)
{
    uint32_t before = now_us(), grants = info->grants;
    CHECK_IS(grants, 0);
    CHECK(info->since_us[0] <= before);
    CHECK_IS(info->used_ticks, 0);
    gather(vcores);
    CHECK_IS(info->grants, vcores);
    for (unsigned i = 0; i < vcores; i++)
        check_between(before, info->since_us[i], now_us());
    uint64_t used_before = info->used_ticks;
    CHECK(used_before > 0); /* of the single context */
    uint32_t since = info->since_us[0], computed = now_us();
    compute(3000000);
    computed = now_us() - computed;
    CHECK_IS(pando_vcores_request(0), 0);
    check_single(0);
    CHECK(info->since_us[0] != since);
    CHECK(info->used_us[0] + SKEW_US >= computed);
    uint64_t sum = 0;
    for (unsigned i = 0; i < vcores; i++) {
        CHECK(info->used_us[i] > 0);
        sum += info->used_us[i];
    }
    uint64_t ticks_a_us = info->tsc_hz / 1000000;
    CHECK(info->used_ticks / ticks_a_us >= sum);
    CHECK(info->used_ticks / ticks_a_us <= sum + 2 * VCORES_USED_MAX);
    CHECK(info->used_ticks > used_before);
}

/* --- as a child ------------------------------------------------------------------------------- */

#define ARENA 0x200000000000ull
enum { ARENA_BYTES = 64 << 21 };

/* Its vcore is mostly in a call that ends by itself, after some turns of its home. */
static void *change_memory(void *arg)
{
    uint64_t at = ARENA + (uint64_t)arg * ARENA_BYTES;
    for (;;) {
        CHECK_IS(pando_kernel_call(PANDO_mem_map, at, ARENA_BYTES, PROT_R | PROT_W, 0), 0);
        for (uint64_t i = 0; i < ARENA_BYTES; i += 1 << 21)
            *(volatile char *)(at + i) = 1;
        CHECK_IS(pando_kernel_call(PANDO_mem_unmap, at, ARENA_BYTES, 0, 0), 0);
    }
    return NULL;
}

static void storm(void)
{
    struct uthread *uthread;
    gather(vcores);
    for (unsigned long i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread, change_memory, (void *)i), 0);
    for (;;) {
        raw_call(PANDO_cores_request, 0, 0, 0);
        raw_call(PANDO_vcore_yield, 0, 0, 0);
        raw_call(PANDO_cores_request, vcores, 0, 0);
    }
}

int main(int argc, char *argv[])
{
    info = pando_procinfo();
    vcores = argc > 2 ? (unsigned)number_of(argv[2]) : info->max_vcores;
    if (!strcmp(argv[1], "back"))
        test_back();
    else if (!strcmp(argv[1], "mix"))
        test_mix();
    else if (!strcmp(argv[1], "abandon"))
        test_abandon();
    else if (!strcmp(argv[1], "times"))
        test_times();
    else if (!strcmp(argv[1], "storm"))
        storm();
    else
        return 2;
    printf("ok\n");
    return 0;
}
