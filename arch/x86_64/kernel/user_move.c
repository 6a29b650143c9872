/* Entries of a process's tables that go to another process: through a table that no process has,
 * packed from its first entry on. */
#include "abi/layout.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/paging.h"
#include "arch/x86_64/kernel/user_pages.h"
#include "kernel/kernel.h"
#include "kernel/shared/frame.h"

/* How many of `pages` pages from address on have their entries in one table. */
static unsigned in_one_table(uint64_t address, unsigned pages)
{
    unsigned room = TABLE_ENTRIES - (address >> PAGE_SHIFT) % TABLE_ENTRIES;
    return pages < room ? pages : room;
}

unsigned arch_pages_take(frame_t root, uint64_t address, unsigned pages, frame_t table)
{
    uint64_t *to = frame_pointer(table);
    unsigned taken = 0;
    while (pages) {
        unsigned count = in_one_table(address, pages);
        uint64_t *from = user_entry(root, address);
        for (unsigned i = 0; from && i < count; i++) {
            to[i] = from[i];
            taken += from[i] != 0;
            from[i] = 0;
        }
        to += count;
        pages -= count;
        address += (uint64_t)count << PAGE_SHIFT;
    }
    return taken;
}

void arch_pages_put(frame_t root, uint64_t address, unsigned pages, frame_t table, unsigned prot)
{
    const uint64_t *from = frame_pointer(table);
    uint64_t bits = user_prot_bits(prot);
    while (pages) {
        unsigned count = in_one_table(address, pages);
        uint64_t *to = user_entry(root, address);
        ASSERT(to);
        for (unsigned i = 0; i < count; i++)
            if (from[i])
                to[i] = (from[i] & PTE_ADDR) | bits;
        from += count;
        pages -= count;
        address += (uint64_t)count << PAGE_SHIFT;
    }
}

frame_t arch_pages_frame(frame_t table, unsigned index)
{
    const uint64_t *entries = frame_pointer(table);
    return (frame_t)((entries[index] & PTE_ADDR) >> PAGE_SHIFT);
}
