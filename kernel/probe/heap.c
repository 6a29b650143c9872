/* heap: each kernel takes pages of its private heap until that has three page tables, gives them
 * back in another order while it takes others, and then owns what it owned before. */
#include "abi/layout.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/probe/probe.h"

enum { TABLE_PAGES = 512, PAGES = 2 * TABLE_PAGES + 100, STRIDE = 37, ROUNDS = 4 };
_Static_assert(PAGES % STRIDE, "every page has its turn");

static uint64_t *page[PAGES];

static void take(unsigned i)
{
    page[i] = arch_private_alloc();
    ASSERT(page[i]);
    for (unsigned word = 0; word < PAGE_BYTES / sizeof(uint64_t); word++)
        ASSERT(!page[i][word]);
    *page[i] = i;
}

static void give(unsigned i)
{
    ASSERT(*page[i] == i);
    arch_private_free(page[i]);
}

static uint64_t perform(uint64_t step)
{
    for (unsigned i = 0; i < PAGES; i++)
        page[i] = NULL;
    take(0);
    give(0); /* what is written for it is this kernel's own from here on */
    int before = arch_audit_private();
    for (unsigned i = 0; i < PAGES; i++)
        take(i);
    int most = arch_audit_private();
    for (unsigned round = 0; round < ROUNDS; round++)
        for (unsigned i = 0; i < PAGES / 2; i++) {
            unsigned turn = (i + round) * STRIDE % PAGES;
            give(turn);
            take(turn);
        }
    for (unsigned i = 0; i < PAGES; i++)
        give(i * STRIDE % PAGES);
    uint64_t tables = (uint64_t)(most - before - PAGES);
    ASSERT(arch_audit_private() == before);
    return tables;
}

static void told(unsigned core, uint64_t step, uint64_t result)
{
    static unsigned count;
    log_line("probe heap: core %u: %lu tables came and went", core, result);
    if (++count == probe_cores())
        probe_done();
}

static void conduct(void)
{
    probe_tell_all(0);
}

extern const struct probe probe_heap;
const struct probe probe_heap = {"heap", conduct, perform, told};
