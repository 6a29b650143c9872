/* Top-level tables of processes, and dropping translations of theirs. */
#include <stddef.h>
#include "abi/layout.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/paging.h"

void arch_user_flush(uint64_t address)
{
    flush_page((const void *)address);
}

void arch_user_flush_all(void)
{
    load_tables(loaded_tables());
}

void *arch_space_make(void)
{
    uint64_t *space = arch_private_alloc();
    if (space)
        paging_share_kernel_half(space);
    return space;
}

void arch_space_set(void *space, unsigned slot, frame_t root)
{
    uint64_t *top_level = space;
    top_level[slot] = root ? (uint64_t)root << PAGE_SHIFT | PTE_P | PTE_W | PTE_U | PTE_A : 0;
}

void arch_space_enter(void *space)
{
    uint64_t tables = space ? paging_private_physical(space) : paging_kernel_tables();
    if (loaded_tables() != tables)
        load_tables(tables);
}

void arch_space_free(void *space)
{
    if (loaded_tables() == paging_private_physical(space))
        arch_space_enter(NULL);
    arch_private_free(space);
}
