/* fair share KIND: runs a child that computes beside one that enters the kernel all the time; says
 * how many hundredths of the core the first had. fair unmap TABLES: unmaps so many page
 * tables with a page each while a child computes; says the longest time, in ticks of the clock, that the child
 * had to wait for its turn. For runs whose clock counts instructions. */
#include "tests/system/programs/check.h"

#define ARENA       0x200000000000ull
#define TABLE_BYTES (2ull << 20) /* mapped by one page table */
enum { PARTS = 4000, TURNS = 2000, UNMAP_PARTS = 1500, HEAD_START = 2000000 };

/* Computes in equal parts. The fastest is what a part takes undisturbed. */
static void measure(unsigned parts, unsigned long *share, unsigned long *longest)
{
    uint64_t least = ~0ull, most = 0, begin = clock_ticks(), before = begin;
    for (unsigned i = 0; i < parts; i++) {
        compute(TURNS);
        uint64_t now = clock_ticks(), took = now - before;
        least = took < least ? took : least;
        most = took > most ? took : most;
        before = now;
    }
    *share = 100 * least * parts / (before - begin);
    *longest = (most - least) / (pando_procinfo()->tsc_hz / 1000000);
}

static void change_memory(void)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_map, ARENA, PAGE_BYTES, PROT_R | PROT_W, 0), 0);
    *(volatile char *)ARENA = 1;
    CHECK_IS(pando_kernel_call(PANDO_mem_unmap, ARENA, PAGE_BYTES, 0, 0), 0);
}

static void touch(void)
{
    static uint64_t at = ARENA;
    if (at == ARENA)
        CHECK_IS(pando_kernel_call(PANDO_mem_map, ARENA, 1ull << 30, PROT_R | PROT_W, 0), 0);
    *(volatile char *)at = 1;
    at += PAGE_BYTES;
    if (at == ARENA + (32ull << 20)) {
        CHECK_IS(pando_kernel_call(PANDO_mem_unmap, ARENA, 1ull << 30, 0, 0), 0);
        at = ARENA;
    }
}

static void make_child(void)
{
    int child = child_try("fair", "end", NULL);
    CHECK(child > 0);
    CHECK_IS(child_kill(child), 0);
    CHECK_IS(child_wait(child), STATUS_KILLED);
}

static void enter_kernel(const char *kind)
{
    for (;;)
        if (!strcmp(kind, "memory"))
            change_memory();
        else if (!strcmp(kind, "touch"))
            touch();
        else if (!strcmp(kind, "children"))
            make_child();
        else if (!strcmp(kind, "notify"))
            raw_call(PANDO_vcore_notify, 0, 0, 0);
        else if (!strcmp(kind, "null"))
            raw_call(PANDO_null, 0, 0, 0);
        else
            exit(1);
}

static long share(const char *kind)
{
    int busy = child_start("fair", "enter", kind, NULL),
        steady = child_start("fair", "measure", NULL);
    long hundredths = child_wait(steady);
    CHECK_IS(child_kill(busy), 0);
    CHECK_IS(child_wait(busy), STATUS_KILLED);
    return hundredths;
}

static void unmap(long tables)
{
    uint64_t bytes = tables * TABLE_BYTES;
    CHECK_IS(pando_kernel_call(PANDO_mem_map, ARENA, bytes, PROT_R | PROT_W, 0), 0);
    for (uint64_t at = ARENA; at < ARENA + bytes; at += TABLE_BYTES)
        *(volatile char *)at = 1;
    int child = child_start("fair", "wait", NULL);
    compute(HEAD_START);
    CHECK_IS(pando_kernel_call(PANDO_mem_unmap, ARENA, bytes, 0, 0), 0);
    printf("unmapped\n");
    fflush(stdout);
    CHECK_IS(child_wait(child), 0);
}

int main(int argc, char *argv[])
{
    const char *test = argv[1];
    unsigned long hundredths, longest;
    if (!strcmp(test, "enter"))
        enter_kernel(argv[2]);
    else if (!strcmp(test, "share"))
        printf("%ld\n", share(argv[2]));
    else if (!strcmp(test, "unmap"))
        unmap(number_of(argv[2]));
    else if (!strcmp(test, "measure")) {
        measure(PARTS, &hundredths, &longest);
        return (int)hundredths;
    } else if (!strcmp(test, "wait")) {
        measure(UNMAP_PARTS, &hundredths, &longest);
        printf("%lu\n", longest);
    }
    return 0;
}
