/* bench_slots VCORES: fault_own_slot, fault_4v_over_1v: anonymous page faults of VCORES vcores at
 * once, each in its own slot and on a core granted for it; 0: of the single context in its vcore's,
 * on the home's core. The path length of each, for a page, by touching PAGES fresh pages in a row;
 * the longest. For the paths kernel, whose call null answers the path that led to it. */
#include <stdio.h>
#include <stdlib.h>
#include "abi/syscall.h"
#include "pando.h"

enum { PAGES = 512, MOST = 8 };

static unsigned ready, done;
static long length[MOST];
static unsigned vcores;

static long path(void)
{
    return pando_kernel_call(PANDO_null, 0, 0, 0, 0);
}

/* Each on a vcore of its own, since nobody leaves it. */
static void all_do(unsigned *what)
{
    __atomic_fetch_add(what, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(what, __ATOMIC_SEQ_CST) < vcores)
        __builtin_ia32_pause();
}

/* The first page brings the tables, and with them what the home has to do with it. */
static void *touch(void *failed)
{
    unsigned id = (unsigned)pando_vcore_id();
    volatile char *page = (volatile char *)OWN_SLOT_BASE(id);
    if (pando_kernel_call(PANDO_mem_map, (long)page, (PAGES + 1) * (long)PAGE_BYTES,
                          PROT_R | PROT_W, 0))
        return failed;
    page[PAGES * PAGE_BYTES] = 1;
    all_do(&ready);
    long own = path(), from = path();
    for (unsigned i = 0; i < PAGES; i++)
        page[i * PAGE_BYTES] = 1;
    length[id] = path() - from - (from - own);
    all_do(&done); /* stays on its vcore until then */
    return NULL;
}

int main(int argc, char *argv[])
{
    struct uthread *other[MOST];
    void *failed;
    vcores = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
    if (vcores > MOST || (vcores && pando_vcores_request(vcores) != (int)vcores))
        return 1;
    for (unsigned i = 1; i < vcores; i++)
        if (uthread_create(&other[i], touch, (void *)1))
            return 1;
    if (touch((void *)1))
        return 1;
    for (unsigned i = 1; i < vcores; i++)
        uthread_join(other[i], &failed);
    long most = 0;
    for (unsigned id = 0; id < MOST; id++)
        most = length[id] > most ? length[id] : most;
    printf("%.1f\n", (double)most / PAGES);
    return 0;
}
