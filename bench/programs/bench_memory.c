/* mmap_1p, mmap_256p: map, touch and unmap so many pages, as bench_memory PAGES. The tables above
 * are there or not as the range needs them: nothing else is mapped near. */
#include <stdio.h>
#include <stdlib.h>
#include "abi/syscall.h"
#include "pando.h"

enum { ROUNDS = 16 };
#define WHERE 0x100000000

static uint64_t ticks(void)
{
    return __builtin_ia32_rdtsc();
}

static void check(long error)
{
    if (!error)
        return;
    fprintf(stderr, "error %ld\n", error);
    exit(1);
}

static uint64_t round_of(unsigned long pages)
{
    uint64_t from = ticks();
    check(pando_kernel_call(PANDO_mem_map, WHERE, (long)pages * 4096, PROT_R | PROT_W, 0));
    for (unsigned long i = 0; i < pages; i++)
        ((volatile char *)WHERE)[i * 4096] = 1;
    check(pando_kernel_call(PANDO_mem_unmap, WHERE, (long)pages * 4096, 0, 0));
    return ticks() - from;
}

int main(int argc, char *argv[])
{
    unsigned long pages = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
    uint64_t last = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        last = round_of(pages);
    printf("%lu\n", last);
    return 0;
}
