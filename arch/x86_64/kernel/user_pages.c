/* The tables of a process's half. A slot's root is the third level (PDPT); frames of tables are in
 * the direct map. Entries are made with accessed and dirty set, so that the processor never writes
 * them.
 *
 * An entry that leads to a table has in its ignored bits how many entries of that table are in use;
 * for a root, frame_note has it. Invariant: what is in use is not zero, all else is. */
#include "abi/error.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/paging.h"
#include "kernel/account.h"
#include "kernel/kernel.h"

enum { COUNT_SHIFT = 52, LEAF = 0, LARGE = 1, TOP = 2 }; /* levels: PT, PD, PDPT */
#define COUNT_ONE  (1ull << COUNT_SHIFT)
#define COUNT_MASK (0x7ffull << COUNT_SHIFT)
#define TABLE_BITS (PTE_P | PTE_W | PTE_U | PTE_A)

static inline uint64_t *root_table(frame_t root)
{
    return direct((uint64_t)root << PAGE_SHIFT);
}

static inline uint64_t *entry_in(uint64_t *table, uint64_t address, unsigned level)
{
    return &table[address >> (PAGE_SHIFT + 9 * level) & (TABLE_ENTRIES - 1)];
}

/* Where the next entry of the level begins. */
static inline uint64_t entry_end(uint64_t address, unsigned level)
{
    uint64_t step = 1ull << (PAGE_SHIFT + 9 * level);
    return (address & ~(step - 1)) + step;
}

static inline int leads_to_table(uint64_t entry)
{
    return (entry & (PTE_P | PTE_LARGE)) == PTE_P;
}

static inline uint64_t *table_of(uint64_t entry)
{
    return direct(entry & PTE_ADDR);
}

static inline frame_t frame_in(uint64_t entry)
{
    return (frame_t)((entry & PTE_ADDR) >> PAGE_SHIFT);
}

static inline unsigned count_in(uint64_t entry)
{
    return (unsigned)((entry & COUNT_MASK) >> COUNT_SHIFT);
}

/* By prot and MAP_COPY. A page without access keeps its frame in an entry that is not present; one
 * that is copied when written to is not writable; nothing is both writable and executable. */
#define LEAF_X (PTE_P | PTE_U | PTE_A | PTE_D)
#define LEAF_R (LEAF_X | PTE_NX)
#define LEAF_W (LEAF_R | PTE_W)
#define COPY_X (LEAF_X | PTE_COPY)
#define COPY_R (LEAF_R | PTE_COPY)
static const uint64_t leaf_bits[16] = {
    PTE_KEPT, LEAF_R, LEAF_W, LEAF_W, LEAF_X, LEAF_X, LEAF_X, LEAF_X, PTE_KEPT | PTE_COPY,
    COPY_R,   COPY_R, COPY_R, COPY_X, COPY_X, COPY_X, COPY_X,
};

static inline uint64_t prot_bits(unsigned prot)
{
    return leaf_bits[prot & 15];
}

static unsigned prot_in(uint64_t entry)
{
    if (!(entry & PTE_P))
        return 0;
    return PROT_R | (entry & PTE_W ? PROT_W : 0) | (entry & PTE_NX ? 0 : PROT_X);
}

static void root_count(frame_t root, int change)
{
    frame_note_set(root, frame_note(root) + (uint32_t)change);
}

/* --- finding and making entries -------------------------------------------------------------- */

/* The second-level entry for address, or NULL where no table leads to it. */
static inline uint64_t *large_find(frame_t root, uint64_t address)
{
    uint64_t top = *entry_in(root_table(root), address, TOP);
    return top ? entry_in(table_of(top), address, LARGE) : NULL;
}

frame_t arch_root_make(struct frame_account *account, int *error)
{
    frame_t root = account_alloc_table(account, error);
    if (root)
        frame_note_set(root, 0);
    return root;
}

static uint64_t table_make(struct frame_account *account, int *error)
{
    frame_t table = account_alloc_table(account, error);
    return table ? (uint64_t)table << PAGE_SHIFT | TABLE_BITS : 0;
}

/* The entry that leads to the second level at address, made where there is none; NULL with *error.
 */
static uint64_t *top_make(frame_t root, uint64_t address, struct frame_account *account, int *error)
{
    uint64_t *top = entry_in(root_table(root), address, TOP);
    if (!*top) {
        *top = table_make(account, error);
        if (!*top)
            return NULL;
        root_count(root, 1);
    }
    return top;
}

/* The entry that leads to the page table at address, the same way; -E_EXISTS: a large page is
 * there. */
static __attribute__((noinline)) uint64_t *large_make(frame_t root, uint64_t address,
                                                      struct frame_account *account, int *error)
{
    uint64_t *top = top_make(root, address, account, error);
    if (!top)
        return NULL;
    uint64_t *large = entry_in(table_of(*top), address, LARGE);
    if (!*large) {
        *large = table_make(account, error);
        if (!*large)
            return NULL;
        *top += COUNT_ONE;
    } else if (!leads_to_table(*large)) {
        *error = -E_EXISTS;
        return NULL;
    }
    return large;
}

/* The entry that says what is mapped at address, or NULL. */
static uint64_t *mapped_find(frame_t root, uint64_t address, unsigned *level)
{
    uint64_t *entry = large_find(root, address);
    *level = LARGE;
    if (entry && leads_to_table(*entry)) {
        entry = entry_in(table_of(*entry), address, LEAF);
        *level = LEAF;
    }
    return entry && *entry ? entry : NULL;
}

int arch_user_find(frame_t root, uint64_t address, struct user_piece *piece, unsigned *prot)
{
    unsigned level;
    const uint64_t *entry = mapped_find(root, address, &level);
    if (!entry)
        return 0;
    uint64_t bytes = level == LARGE ? LARGE_BYTES : PAGE_BYTES;
    *piece = (struct user_piece){address & ~(bytes - 1), frame_in(*entry),
                                 (uint32_t)(bytes / PAGE_BYTES)};
    *prot = prot_in(*entry);
    return 1;
}

/* --- mapping --------------------------------------------------------------------------------- */

int arch_user_prepare(frame_t root, uint64_t address, uint64_t end, struct frame_account *account)
{
    int error = 0;
    for (; !error && address < end; address = entry_end(address, LARGE))
        large_make(root, address, account, &error);
    return error;
}

static inline int leaf_set(uint64_t *large, uint64_t address, frame_t frame, unsigned prot)
{
    uint64_t *entry = entry_in(table_of(*large), address, LEAF);
    if (*entry)
        return -E_EXISTS;
    *entry = (uint64_t)frame << PAGE_SHIFT | prot_bits(prot);
    *large += COUNT_ONE;
    return 0;
}

static __attribute__((noinline)) int map_making_tables(frame_t root, uint64_t address,
                                                       frame_t frame, unsigned prot,
                                                       struct frame_account *account)
{
    int error = 0;
    uint64_t *large = large_make(root, address, account, &error);
    return large ? leaf_set(large, address, frame, prot) : error;
}

int arch_user_map(frame_t root, uint64_t address, frame_t frame, unsigned prot,
                  struct frame_account *account)
{
    uint64_t *large = large_find(root, address);
    return large && leads_to_table(*large) ? leaf_set(large, address, frame, prot)
                                           : map_making_tables(root, address, frame, prot, account);
}

void arch_user_map_run(frame_t root, uint64_t address, const frame_t *frame, unsigned pages,
                       unsigned prot)
{
    uint64_t bits = prot_bits(prot);
    while (pages) {
        uint64_t *large = large_find(root, address);
        ASSERT(large && leads_to_table(*large));
        uint64_t *entry = entry_in(table_of(*large), address, LEAF);
        unsigned run = (unsigned)((entry_end(address, LARGE) - address) >> PAGE_SHIFT);
        if (run > pages)
            run = pages;
        for (unsigned i = 0; i < run; i++) {
            ASSERT(!entry[i]);
            entry[i] = (uint64_t)*frame++ << PAGE_SHIFT | bits;
        }
        *large += run * COUNT_ONE;
        address += (uint64_t)run << PAGE_SHIFT;
        pages -= run;
    }
}

int arch_user_map_large(frame_t root, uint64_t address, frame_t frame, unsigned prot,
                        struct frame_account *account)
{
    int error = 0;
    uint64_t *top = top_make(root, address, account, &error);
    if (!top)
        return error;
    uint64_t *entry = entry_in(table_of(*top), address, LARGE);
    if (*entry)
        return -E_EXISTS;
    *entry = (uint64_t)frame << PAGE_SHIFT | prot_bits(prot) | PTE_LARGE;
    *top += COUNT_ONE;
    return 0;
}

frame_t arch_user_replace(frame_t root, uint64_t address, frame_t frame, unsigned prot)
{
    unsigned level;
    uint64_t *entry = mapped_find(root, address, &level);
    ASSERT(entry && level == LEAF);
    frame_t before = frame_in(*entry);
    *entry = (uint64_t)frame << PAGE_SHIFT | prot_bits(prot);
    return before;
}

int arch_user_split(frame_t root, uint64_t address, struct frame_account *account)
{
    unsigned level;
    uint64_t *entry = mapped_find(root, address, &level);
    if (!entry || level != LARGE || address % LARGE_BYTES == 0)
        return 0;
    int error = 0;
    uint64_t table = table_make(account, &error);
    if (!table)
        return error;
    uint64_t leaf = *entry & ~PTE_LARGE;
    for (unsigned i = 0; i < TABLE_ENTRIES; i++, leaf += PAGE_BYTES)
        table_of(table)[i] = leaf;
    *entry = table + TABLE_ENTRIES * COUNT_ONE;
    return 0;
}

/* --- what is mapped -------------------------------------------------------------------------- */

static inline void spend(unsigned *budget, uint64_t steps)
{
    *budget -= steps < *budget ? (unsigned)steps : *budget;
}

/* The first entry in use of the page table, from *address on and below end; *address becomes its
 * address, or where the search ended. */
static inline uint64_t *leaf_next(uint64_t large, uint64_t *address, uint64_t end, unsigned *budget)
{
    uint64_t stop = entry_end(*address, LARGE);
    if (count_in(large) == 0) {
        spend(budget, 1);
        *address = stop;
        return NULL;
    }
    uint64_t *entry = entry_in(table_of(large), *address, LEAF);
    uint64_t pages = ((stop < end ? stop : end) - *address) >> PAGE_SHIFT, i = 0;
    while (i < pages && !entry[i])
        i++;
    spend(budget, 1 + i);
    *address += i << PAGE_SHIFT;
    return i < pages ? &entry[i] : NULL;
}

uint64_t arch_user_next(frame_t root, uint64_t address, uint64_t end, unsigned *budget)
{
    while (address < end && *budget) {
        uint64_t top = *entry_in(root_table(root), address, TOP);
        uint64_t large = count_in(top) ? *entry_in(table_of(top), address, LARGE) : 0;
        if (leads_to_table(large)) {
            if (leaf_next(large, &address, end, budget))
                return address;
            continue;
        }
        if (large)
            return address;
        spend(budget, 1);
        address = entry_end(address, count_in(top) ? LARGE : TOP);
    }
    return address < end ? address : end;
}

void arch_user_protect(frame_t root, uint64_t address, uint64_t end, unsigned prot)
{
    uint64_t bits[] = {prot_bits(prot), prot_bits(prot | MAP_COPY)};
    unsigned budget = ~0u;
    while (address < end) {
        uint64_t *large = large_find(root, address);
        if (large && leads_to_table(*large)) {
            uint64_t *entry = leaf_next(*large, &address, end, &budget);
            if (!entry)
                continue;
            *entry = (*entry & PTE_ADDR) | bits[(*entry & PTE_COPY) != 0];
            address += PAGE_BYTES;
            continue;
        }
        if (large && *large) {
            ASSERT(address % LARGE_BYTES == 0 && end - address >= LARGE_BYTES);
            *large = (*large & PTE_ADDR) | bits[(*large & PTE_COPY) != 0] | PTE_LARGE;
        }
        address = entry_end(address, large ? LARGE : TOP);
    }
}

int arch_user_copy(frame_t root, uint64_t address, uint64_t end)
{
    unsigned budget = ~0u, level;
    uint64_t written = 0;
    while ((address = arch_user_next(root, address, end, &budget)) < end) {
        uint64_t *entry = mapped_find(root, address, &level);
        ASSERT(level == LEAF || (address % LARGE_BYTES == 0 && end - address >= LARGE_BYTES));
        written |= *entry & PTE_W;
        *entry = (*entry & ~PTE_W) | PTE_COPY;
        address = entry_end(address, level);
    }
    return written != 0;
}

/* --- taking out ------------------------------------------------------------------------------ */

/* Of the page table's pages in [*address, end) at most `most`, in a loop that is worth being short. */
static unsigned leaves_take(uint64_t *large, uint64_t *address, uint64_t end,
                            struct user_piece *piece, unsigned most, unsigned *budget)
{
    uint64_t stop = entry_end(*address, LARGE), at = *address;
    if (stop > end)
        stop = end;
    if (stop - at > (uint64_t)*budget << PAGE_SHIFT)
        stop = at + ((uint64_t)*budget << PAGE_SHIFT);
    unsigned left = count_in(*large), taken = 0;
    if (most > left)
        most = left;
    uint64_t *entry = entry_in(table_of(*large), at, LEAF);
    for (; at < stop && taken < most; entry++, at += PAGE_BYTES)
        if (*entry) {
            piece[taken++] = (struct user_piece){at, frame_in(*entry), 1};
            *entry = 0;
        }
    *large -= taken * COUNT_ONE;
    spend(budget, 1 + ((at - *address) >> PAGE_SHIFT));
    *address = at;
    return taken;
}

static struct user_piece empty_table(uint64_t *entry, uint64_t address)
{
    struct user_piece piece = {address, frame_in(*entry), 0};
    *entry = 0;
    return piece;
}

/* In the 2 MiB of *address: pages, and the table once it is empty; at most `most`, at least two. */
static unsigned large_take(uint64_t *top, uint64_t *address, uint64_t end, struct user_piece *piece,
                           unsigned most, unsigned *budget)
{
    uint64_t start = *address, *large = entry_in(table_of(*top), start, LARGE);
    unsigned taken = 0;
    if (!*large) {
        spend(budget, 1);
        *address = entry_end(start, LARGE);
        return 0;
    }
    if (leads_to_table(*large)) {
        taken = leaves_take(large, address, end, piece, most - 1, budget);
        if (count_in(*large))
            return taken;
        piece[taken++] = empty_table(large, start);
    } else {
        ASSERT(start % LARGE_BYTES == 0 && end - start >= LARGE_BYTES);
        piece[taken++] = (struct user_piece){start, frame_in(*large), LARGE_BYTES / PAGE_BYTES};
        *large = 0;
    }
    *top -= COUNT_ONE;
    *address = entry_end(start, LARGE);
    return taken;
}

unsigned arch_user_take(frame_t root, uint64_t *at, uint64_t end, struct user_piece *piece,
                        unsigned most, unsigned *budget)
{
    unsigned taken = 0;
    uint64_t address = *at;
    while (address < end && *budget && taken + USER_PIECES_LEAST <= most) {
        uint64_t *top = entry_in(root_table(root), address, TOP), start = address;
        if (frame_note(root) == 0)
            address = end;
        else if (!*top) {
            spend(budget, 1);
            address = entry_end(address, TOP);
        } else {
            taken += large_take(top, &address, end, piece + taken, most - taken - 1, budget);
            if (count_in(*top) == 0) {
                piece[taken++] = empty_table(top, start);
                root_count(root, -1);
                address = entry_end(start, TOP);
            }
        }
    }
    *at = address < end ? address : end;
    return taken;
}

/* --- 2 MiB moved whole ----------------------------------------------------------------------- */

void arch_user_detach(frame_t root, uint64_t address, unsigned prot, struct user_block *block)
{
    *block = (struct user_block){.prot = (uint8_t)prot};
    uint64_t *top = entry_in(root_table(root), address, TOP);
    uint64_t *large = large_find(root, address);
    if (!large || !*large)
        return;
    block->entry = *large;
    block->frames =
        leads_to_table(*large) ? 1 + count_in(*large) : (uint32_t)(LARGE_BYTES / PAGE_BYTES);
    *large = 0;
    *top -= COUNT_ONE;
}

static void block_protect(struct user_block *block, unsigned prot)
{
    if (block->prot == prot)
        return;
    uint64_t bits = prot_bits(prot), address = 0;
    unsigned budget = ~0u;
    if (!leads_to_table(block->entry))
        block->entry = (block->entry & PTE_ADDR) | bits | PTE_LARGE;
    else
        for (uint64_t *entry; (entry = leaf_next(block->entry, &address, LARGE_BYTES, &budget));
             address += PAGE_BYTES) {
            *entry = (*entry & PTE_ADDR) | bits;
            if (address + PAGE_BYTES == LARGE_BYTES)
                break;
        }
    block->prot = (uint8_t)prot;
}

int arch_user_attach(frame_t root, uint64_t address, struct user_block *block, unsigned prot,
                     struct frame_account *account)
{
    int error = 0;
    if (!block->entry)
        return 0;
    uint64_t *top = top_make(root, address, account, &error);
    if (!top)
        return error;
    uint64_t *large = entry_in(table_of(*top), address, LARGE);
    if (*large)
        return -E_EXISTS;
    block_protect(block, prot);
    if (leads_to_table(block->entry))
        frame_set(frame_in(block->entry), FRAME_USER_TABLE, account->owner);
    *large = block->entry;
    *top += COUNT_ONE;
    *block = (struct user_block){0};
    return 0;
}

unsigned arch_block_take(struct user_block *block, uint64_t *offset, struct user_piece *piece,
                         unsigned most, unsigned *budget)
{
    if (!block->entry)
        return 0;
    uint64_t start = *offset;
    unsigned taken = 0;
    if (leads_to_table(block->entry)) {
        taken = leaves_take(&block->entry, offset, LARGE_BYTES, piece, most - 1, budget);
        if (count_in(block->entry))
            return taken;
        piece[taken++] = empty_table(&block->entry, start);
    } else {
        piece[taken++] = (struct user_piece){0, frame_in(block->entry), LARGE_BYTES / PAGE_BYTES};
        block->entry = 0;
    }
    *offset = LARGE_BYTES;
    return taken;
}
