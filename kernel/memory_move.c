#include "kernel/memory_move.h"
#include <stddef.h>
#include "abi/error.h"
#include "abi/layout.h"
#include "arch/arch.h"
#include "kernel/charge.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/process.h"
#include "kernel/reclaim.h"
#include "lib/string.h"

/* Invariants: the table's entries [freed, pages) hold the frames, `present` of them when it was
 * filled; the charge counts those left, and the table. */
struct parcel {
    struct reclaim reclaim;
    struct charge charge;
    frame_t table;
    uint16_t pages, present, freed;
};
static struct pool parcels = POOL_OF(struct parcel);

static int range_check(uint64_t addr, unsigned pages)
{
    if (!pages || pages > MESSAGE_PAGES)
        return -E_INVALID;
    return memory_range_check(addr, (uint64_t)pages * PAGE_BYTES);
}

int memory_add_object(struct process *p, const struct region *wanted)
{
    if (region_overlaps(&p->regions, wanted->base, wanted->end))
        return -E_EXISTS;
    int error = memory_roots_make(p, wanted->base, wanted->end);
    return error ? error : region_add_object(&p->regions, wanted);
}

/* --- taking ---------------------------------------------------------------------------------- */

static int parcel_make(struct process *p, unsigned pages, struct parcel **made)
{
    int error = reclaim_ready();
    if (error)
        return error;
    struct parcel *parcel = pool_get(&parcels);
    if (!parcel)
        return -E_NO_MEMORY;
    charge_open(&parcel->charge, p);
    parcel->table = charge_alloc(&parcel->charge, FRAME_USER_TABLE, &error);
    if (!parcel->table) {
        charge_close(&parcel->charge);
        pool_put(&parcels, parcel);
        return error;
    }
    parcel->pages = (uint16_t)pages;
    *made = parcel;
    return 0;
}

static void parcel_end(struct parcel *parcel)
{
    charge_free(&parcel->charge, parcel->table);
    charge_close(&parcel->charge);
    pool_put(&parcels, parcel);
}

static int take_check(struct process *p, uint64_t addr, uint64_t end)
{
    if (!region_covers(&p->regions, addr, end))
        return -E_NO_ENTRY;
    if (!region_all_are(&p->regions, addr, end, REGION_ANONYMOUS))
        return -E_STATE;
    return region_split(&p->regions, addr, end);
}

/* The part of [addr, addr + pages) that lies in the slot of addr. */
static unsigned in_slot(uint64_t addr, unsigned pages)
{
    uint64_t left = ((((addr >> SLOT_SHIFT) + 1) << SLOT_SHIFT) - addr) / PAGE_BYTES;
    return pages < left ? pages : (unsigned)left;
}

static void take(struct process *p, struct parcel *parcel, uint64_t addr)
{
    region_remove(&p->regions, addr, addr + (uint64_t)parcel->pages * PAGE_BYTES);
    frame_t root = memory_root(p, addr);
    parcel->present = (uint16_t)arch_pages_take(root, addr, parcel->pages, parcel->table);
    charge_adopt(&parcel->charge, parcel->present);
}

long memory_take(struct process *p, unsigned vcoreid, uint64_t addr, unsigned pages,
                 struct parcel **parcel, memory_done *done, void *context)
{
    uint64_t end = addr + (uint64_t)pages * PAGE_BYTES;
    int error = range_check(addr, pages);
    if (!error && in_slot(addr, pages) < pages)
        error = -E_RANGE;
    if (!error)
        error = take_check(p, addr, end);
    if (!error)
        error = parcel_make(p, pages, parcel);
    if (error)
        return error;
    take(p, *parcel, addr);
    if (!(*parcel)->present)
        return 0;
    return memory_flush(p, vcoreid, addr, pages, done, context);
}

/* --- putting --------------------------------------------------------------------------------- */

static int tables_make(struct process *p, uint64_t addr, uint64_t end)
{
    int error = 0;
    for (uint64_t at = addr; at < end && !error; at = (at / LARGE_BYTES + 1) * LARGE_BYTES)
        error = arch_user_prepare(memory_root(p, at), at, &p->account);
    return error;
}

static int put_prepare(struct process *p, uint64_t addr, const struct parcel *parcel, unsigned prot)
{
    uint64_t end = addr + (uint64_t)parcel->pages * PAGE_BYTES;
    int error = range_check(addr, parcel->pages);
    if (!error)
        error = memory_prot_check(prot);
    if (error)
        return error;
    if (in_slot(addr, parcel->pages) < parcel->pages)
        return -E_RANGE;
    if (region_overlaps(&p->regions, addr, end))
        return -E_EXISTS;
    error = memory_roots_make(p, addr, end);
    if (!error && parcel->present)
        error = tables_make(p, addr, end);
    return error;
}

int memory_put(struct process *p, uint64_t addr, struct parcel *parcel, unsigned prot)
{
    int error = put_prepare(p, addr, parcel, prot);
    if (error)
        return error;
    error = charge_move(&parcel->charge, parcel->present, p);
    if (error)
        return error;
    error = region_add(&p->regions, addr, addr + (uint64_t)parcel->pages * PAGE_BYTES,
                       REGION_ANONYMOUS, memory_prot_real(prot));
    if (error) {
        charge_move_back(&parcel->charge, parcel->present, p);
        return error;
    }
    if (parcel->present)
        arch_pages_put(memory_root(p, addr), addr, parcel->pages, parcel->table,
                       memory_prot_real(prot));
    parcel_end(parcel);
    return 0;
}

unsigned parcel_pages(const struct parcel *parcel)
{
    return parcel->pages;
}

/* --- giving back ----------------------------------------------------------------------------- */

static int parcel_turn(struct reclaim *self, struct reclaim_budget *budget)
{
    struct parcel *parcel = (struct parcel *)self; /* its first member */
    for (; parcel->freed < parcel->pages; parcel->freed++) {
        if (budget->frames < 2 || !budget->records--) {
            budget->frames = 0; /* one is for the table */
            return 0;
        }
        frame_t frame = arch_pages_frame(parcel->table, parcel->freed);
        if (frame) {
            charge_free(&parcel->charge, frame);
            budget->frames--;
        }
    }
    budget->frames--;
    parcel_end(parcel);
    return 1;
}

void parcel_free(struct parcel *parcel)
{
    parcel->reclaim.turn = parcel_turn;
    reclaim_add(&parcel->reclaim);
}
