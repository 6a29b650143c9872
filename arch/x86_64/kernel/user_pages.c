/* The tables of a process's half. A slot's root is the third level (PDPT); frames of tables are in
 * the direct map. Entries are made with accessed and dirty set, so that the processor never writes
 * them. */
#include "abi/error.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/paging.h"
#include "arch/x86_64/kernel/user_pages.h"
#include "kernel/account.h"
#include "kernel/kernel.h"

enum { LEVELS = 3 }; /* below a root: PDPT, PD, PT */

static unsigned index_at(uint64_t address, unsigned level)
{
    return address >> (PAGE_SHIFT + 9 * level) & (TABLE_ENTRIES - 1);
}

static uint64_t *table_of(uint64_t entry)
{
    return direct(entry & PTE_ADDR);
}

uint64_t *user_entry(frame_t root, uint64_t address)
{
    uint64_t *table = frame_pointer(root);
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t entry = table[index_at(address, level)];
        if (!(entry & PTE_P))
            return NULL;
        table = table_of(entry);
    }
    return &table[index_at(address, 0)];
}

frame_t arch_root_make(struct frame_account *account, int *error)
{
    return account_alloc_zeroed(account, FRAME_USER_TABLE, error);
}

/* A page without access keeps its frame in an entry that is not present. */
uint64_t user_prot_bits(unsigned prot)
{
    uint64_t copy = prot & MAP_COPY ? PTE_COPY : 0;
    if (!(prot & ~(unsigned)MAP_COPY))
        return PTE_KEPT | copy;
    return PTE_P | PTE_U | PTE_A | PTE_D | copy | (prot & PROT_W && !copy ? PTE_W : 0) |
           (prot & PROT_X ? 0 : PTE_NX);
}

/* The last-level entry for address, with the tables that lead to it made; NULL with *error set. */
static uint64_t *entry_make(frame_t root, uint64_t address, struct frame_account *account,
                            int *error)
{
    uint64_t *table = frame_pointer(root);
    for (unsigned level = LEVELS - 1; level > 0; level--) {
        uint64_t *entry = &table[index_at(address, level)];
        if (!(*entry & PTE_P)) {
            frame_t below = account_alloc_zeroed(account, FRAME_USER_TABLE, error);
            if (!below)
                return NULL;
            *entry = (uint64_t)below << PAGE_SHIFT | PTE_P | PTE_W | PTE_U | PTE_A;
        }
        table = table_of(*entry);
    }
    return &table[index_at(address, 0)];
}

int arch_user_prepare(frame_t root, uint64_t address, struct frame_account *account)
{
    int error = 0;
    entry_make(root, address, account, &error);
    return error;
}

int arch_user_map(frame_t root, uint64_t address, frame_t frame, unsigned prot,
                  struct frame_account *account)
{
    int error = 0;
    uint64_t *entry = entry_make(root, address, account, &error);
    if (!entry)
        return error;
    if (*entry)
        return -E_EXISTS;
    *entry = (uint64_t)frame << PAGE_SHIFT | user_prot_bits(prot);
    return 0;
}

frame_t arch_user_unmap(frame_t root, uint64_t address)
{
    uint64_t *entry = user_entry(root, address);
    if (!entry || !*entry)
        return FRAME_NONE;
    frame_t frame = (frame_t)((*entry & PTE_ADDR) >> PAGE_SHIFT);
    *entry = 0;
    return frame;
}

void arch_user_protect(frame_t root, uint64_t address, unsigned prot)
{
    uint64_t *entry = user_entry(root, address);
    if (entry && *entry)
        *entry = (*entry & PTE_ADDR) | user_prot_bits(prot | (*entry & PTE_COPY ? MAP_COPY : 0));
}

int arch_user_copy(frame_t root, uint64_t address)
{
    uint64_t *entry = user_entry(root, address);
    if (!entry || !*entry)
        return 0;
    uint64_t before = *entry;
    *entry = (before & ~PTE_W) | PTE_COPY;
    return (before & PTE_W) != 0;
}

frame_t arch_user_find(frame_t root, uint64_t address)
{
    const uint64_t *entry = user_entry(root, address);
    return entry ? (frame_t)((*entry & PTE_ADDR) >> PAGE_SHIFT) : FRAME_NONE;
}

void arch_user_replace(frame_t root, uint64_t address, frame_t frame, unsigned prot)
{
    uint64_t *entry = user_entry(root, address);
    ASSERT(entry && *entry);
    *entry = (uint64_t)frame << PAGE_SHIFT | user_prot_bits(prot);
}

uint64_t arch_user_next(frame_t root, uint64_t address, uint64_t end, unsigned *budget)
{
    while (address < end && *budget) {
        --*budget;
        uint64_t *table = frame_pointer(root);
        unsigned level = LEVELS - 1;
        while (level > 0 && table[index_at(address, level)] & PTE_P)
            table = table_of(table[index_at(address, level--)]);
        if (level == 0 && table[index_at(address, 0)])
            return address;
        uint64_t step = 1ull << (PAGE_SHIFT + 9 * level);
        address = (address & ~(step - 1)) + step;
    }
    return address < end ? address : end;
}

/* Frees the tables below one, at most *budget; returns 1 when it holds none any more. */
static int tables_free(uint64_t *table, unsigned level, struct frame_account *account,
                       unsigned *budget)
{
    if (level == 0)
        return 1;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++) {
        if (!(table[i] & PTE_P))
            continue;
        if (*budget == 0 || !tables_free(table_of(table[i]), level - 1, account, budget) ||
            *budget == 0)
            return 0;
        account_free(account, (frame_t)((table[i] & PTE_ADDR) >> PAGE_SHIFT));
        table[i] = 0;
        --*budget;
    }
    return 1;
}

int arch_root_free(frame_t root, struct frame_account *account, unsigned budget)
{
    if (!tables_free(frame_pointer(root), LEVELS - 1, account, &budget))
        return 0;
    account_free(account, root);
    return 1;
}

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
