/* random calls SEED VCORES COUNT: system calls with numbers and arguments at random from all vcores
 * at once, but none that would end or halt the process or take away what it runs on; "ok" at the
 * end. random wild SEED [GENERATIONS]: the same without any restraint, and writes at random to
 * procdata, with some children that do the same; ends somehow. */
#include "tests/system/programs/check.h"

#define ARENA 0x200000000000ull
enum { ARENA_PAGES = 300, VCORES_USED_MAX = 64, SYSCALLS_BEYOND = 6, WILD_CHILDREN_MAX = 4 };

static long count, generations, granted = 1;
static unsigned calm; /* the calls, on average, for each write to procdata */

static uint64_t odd_value(uint64_t *state)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   2,
                                   7,
                                   255,
                                   256,
                                   4095,
                                   4096,
                                   4097,
                                   65536,
                                   0x7fffffff,
                                   0x80000000,
                                   0xffffffff,
                                   1ull << 32,
                                   1ull << 47,
                                   1ull << 62,
                                   1ull << 63,
                                   0xffff800000000000,
                                   0xffffffff80200000,
                                   0xfffffffffffff000,
                                   ~0ull,
                                   0x00007fffffffe000,
                                   USER_TOP,
                                   KERNEL_SLOT_BASE};
    return odd[random_next(state) % (sizeof odd / sizeof *odd)];
}

static uint64_t arena_address(uint64_t *state)
{
    return ARENA + random_next(state) % ARENA_PAGES * PAGE_BYTES + (random_next(state) % 16 == 0);
}

static uint64_t any_value(uint64_t *state)
{
    switch (random_next(state) % 4) {
    case 0:
        return odd_value(state);
    case 1:
        return arena_address(state);
    case 2:
        return random_next(state) % 300;
    default:
        return random_next(state);
    }
}

/* An address and a length that never lie over what the process runs on. */
static long memory_call(uint64_t *state, long number)
{
    uint64_t at = arena_address(state), bytes = random_next(state) % 90 * PAGE_BYTES;
    if (random_next(state) % 4 == 0)
        at = random_next(state) % 2 ? 0xffffffff80200000 + bytes : KERNEL_SLOT_BASE + bytes;
    if (random_next(state) % 8 == 0)
        bytes = ~0ull << (12 + random_next(state) % 16);
    return pando_kernel_call(number, at, bytes, random_next(state) % 9, random_next(state) % 3);
}

static long restrained_call(uint64_t *state)
{
    long number = random_next(state) % (SYSCALLS + SYSCALLS_BEYOND);
    uint64_t value = any_value(state);
    switch (number) {
    case PANDO_exit:
        value |= 256; /* no status */
        break;
    case PANDO_console_write:
        value |= 4; /* no stream */
        break;
    case PANDO_mem_map:
    case PANDO_mem_unmap:
    case PANDO_mem_protect:
        return memory_call(state, number);
    case PANDO_vcore_halt:
        number = -(long)random_next(state);
        break;
    case PANDO_proc_create:
    case PANDO_proc_wait:
        value = random_next(state) % 2 ? 0 : value | 1ull << 33;
        break;
    case PANDO_vcore_yield:
        value |= 2; /* no flag: the last one would wait for ever */
        break;
    case PANDO_cores_request:
        value |= 1ull << 20;
    }
    return pando_kernel_call(number, value, any_value(state), any_value(state), any_value(state));
}

static void *call_on(void *arg)
{
    uint64_t state = (uint64_t)arg;
    for (long i = 0; i < count; i++)
        restrained_call(&state);
    return NULL;
}

static void make_wild_child(uint64_t *state)
{
    static int children;
    char seed[24], later[24];
    if (generations < 1 || children == WILD_CHILDREN_MAX)
        return;
    children++;
    snprintf(seed, sizeof seed, "%lu", random_next(state) >> 1);
    snprintf(later, sizeof later, "%ld", generations - 1);
    child_run(child_try("random", "wild", seed, later, NULL));
}

static void *wild_on(void *arg)
{
    uint64_t state = (uint64_t)arg;
    for (;;) {
        if (random_next(&state) % 64 == 0)
            make_wild_child(&state);
        if (random_next(&state) % 4 == 0)
            memory_call(&state, PANDO_mem_map + (long)(random_next(&state) % 3));
        if (random_next(&state) % 2048 == 0)
            *(volatile char *)arena_address(&state) = 1;
        if (random_next(&state) % calm == 0) {
            unsigned vcoreid = random_next(&state) % granted, place = random_next(&state) % 40;
            *((volatile uint64_t *)(PROCDATA_BASE + vcoreid * VCORE_STRIDE) + place) =
                any_value(&state);
        }
        long number = random_next(&state) % (SYSCALLS + SYSCALLS_BEYOND);
        if ((number == PANDO_exit || number == PANDO_vcore_halt || number == PANDO_vcore_yield) &&
            random_next(&state) % 64)
            number = PANDO_null;
        uint64_t first = any_value(&state);
        if (number == PANDO_console_write)
            first = 0;
        pando_kernel_call(number, first, any_value(&state), any_value(&state), any_value(&state));
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    struct uthread *uthreads[VCORES_USED_MAX];
    uint64_t seed = number_of(argv[2]) * 0x9e3779b97f4a7c15;
    int wild = !strcmp(argv[1], "wild");
    generations = wild && argc > 3 ? number_of(argv[3]) : 0;
    long vcores = wild ? (long)pando_procinfo()->max_vcores : number_of(argv[3]);
    count = wild ? 0 : number_of(argv[4]);
    calm = 64u << random_next(&seed) % 6;
    if (!wild || random_next(&seed) % 4) /* the rest stays in _S */
        granted = pando_vcores_request(vcores);
    CHECK(granted > 0 && granted <= VCORES_USED_MAX);
    for (long i = 1; i < granted; i++)
        CHECK_IS(uthread_create(&uthreads[i], wild ? wild_on : call_on, (void *)(seed + i)), 0);
    if (wild)
        wild_on((void *)seed);
    call_on((void *)seed);
    for (long i = 1; i < granted; i++)
        CHECK_IS(uthread_join(uthreads[i], NULL), 0);
    printf("ok\n");
    return 0;
}
