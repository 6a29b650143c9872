/* shootdown_8: mem_unmap of a page that was touched, by a process that computes on VCORES cores: the
 * path length of the call, from user mode to user mode. For the paths kernel, whose call null
 * answers the path that led to it. Prints the median of 101, the least and the most. */
#include <stdio.h>
#include <stdlib.h>
#include "abi/syscall.h"
#include "pando.h"

enum { ROUNDS = 101, WARM = 20 };
#define PAGE 0x100000000

static volatile int stop;

static void *compute(void *nothing)
{
    while (!stop)
        __builtin_ia32_pause();
    return nothing;
}

static long path(void)
{
    return pando_kernel_call(PANDO_null, 0, 0, 0, 0);
}

static int compare(const void *a, const void *b)
{
    long x = *(const long *)a, y = *(const long *)b;
    return (x > y) - (x < y);
}

static long unmap_page(void)
{
    if (pando_kernel_call(PANDO_mem_map, PAGE, PAGE_BYTES, PROT_R | PROT_W, 0))
        return -1;
    *(volatile char *)PAGE = 1;
    long from = path();
    if (pando_kernel_call(PANDO_mem_unmap, PAGE, PAGE_BYTES, 0, 0))
        return -1;
    return path() - from;
}

int main(int argc, char *argv[])
{
    unsigned vcores = argc > 1 ? (unsigned)atoi(argv[1]) : 8;
    struct uthread *others[VCORES_MAX];
    long own = path(), value[ROUNDS];
    own = path() - own; /* of asking for it */
    if (pando_vcores_request(vcores) != (int)vcores)
        return 1;
    for (unsigned i = 1; i < vcores; i++)
        if (uthread_create(&others[i], compute, NULL))
            return 1;
    for (unsigned round = 0; round < WARM + ROUNDS; round++) {
        long length = unmap_page();
        if (length <= 0)
            return 1;
        value[round % ROUNDS] = length - own;
    }
    stop = 1;
    for (unsigned i = 1; i < vcores; i++)
        uthread_join(others[i], NULL);
    qsort(value, ROUNDS, sizeof value[0], compare);
    printf("%ld %ld %ld\n", value[ROUNDS / 2], value[0], value[ROUNDS - 1]);
    return 0;
}
