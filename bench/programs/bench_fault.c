/* fault_home: an anonymous page fault at the process's home, per page, by touching fresh pages in a
 * row. */
#include <stdio.h>
#include "abi/syscall.h"
#include "pando.h"

enum { PAGES = 256 };
#define WHERE 0x100000000

static uint64_t ticks(void)
{
    return __builtin_ia32_rdtsc();
}

int main(void)
{
    long error = pando_kernel_call(PANDO_mem_map, WHERE, (PAGES + 1) * 4096, PROT_R | PROT_W, 0);
    if (error) {
        fprintf(stderr, "mem_map: error %ld\n", error);
        return 1;
    }
    volatile char *page = (volatile char *)WHERE;
    page[PAGES * 4096] = 1; /* the tables above are there */
    uint64_t from = ticks();
    for (unsigned i = 0; i < PAGES; i++)
        page[i * 4096] = 1;
    printf("%.1f\n", (double)(ticks() - from) / PAGES);
    return 0;
}
