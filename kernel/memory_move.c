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

enum { PIECES = 64, TABLES_MOST = 4 /* that 2 MiB can leave empty */ };

/* The pages are in `block`, when 2 MiB are taken whole, or `list`, a frame of frame numbers, by page, FRAME_NONE
 * for those never touched. Invariants: the charge counts what is in it, the list included; `present` of them are
 * leaves or block; `table` are the sender's, to be freed when it has flushed. */
struct parcel {
    struct reclaim reclaim;
    struct charge charge;
    struct user_block block;
    uint64_t freed; /* of the giving back: an address in it */
    frame_t list;
    uint16_t pages, present;
    uint16_t tables;
    frame_t table[TABLES_MOST];
    memory_done *done;
    void *context;
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

static void parcel_end(struct parcel *parcel)
{
    if (parcel->list)
        charge_free(&parcel->charge, parcel->list);
    charge_close(&parcel->charge);
    pool_put(&parcels, parcel);
}

/* The protection that all pages of the range have; -1: not all have one. */
static int prot_of_all(struct process *p, uint64_t addr, uint64_t end)
{
    const struct region *region = region_find(&p->regions, addr);
    int prot = region->prot;
    for (; region && region->base < end; region = region->next)
        if (region->prot != prot)
            return -1;
    return prot;
}

static int list_make(struct parcel *parcel)
{
    int error = 0;
    if (!parcel->list)
        parcel->list = charge_alloc(&parcel->charge, FRAME_USER_TABLE, &error);
    return error;
}

/* An empty parcel: for pages by page, unless they can be taken whole. */
static int parcel_make(struct process *p, unsigned pages, int whole, struct parcel **made)
{
    int error = reclaim_ready();
    struct parcel *parcel = error ? NULL : pool_get(&parcels);
    if (!parcel)
        return error ? error : -E_NO_MEMORY;
    charge_open(&parcel->charge, p);
    parcel->pages = (uint16_t)pages;
    error = whole ? 0 : list_make(parcel);
    if (error)
        parcel_end(parcel);
    *made = parcel;
    return error;
}

static int take_check(struct process *p, uint64_t addr, uint64_t end)
{
    if (!region_covers(&p->regions, addr, end))
        return -E_NO_ENTRY;
    if (!region_all_are(&p->regions, addr, end, REGION_ANONYMOUS))
        return -E_STATE;
    return memory_cut(p, addr, end);
}

/* A piece goes into the list; where: its address less that of the parcel's first page. */
static void list_add(struct parcel *parcel, const struct user_piece *piece, uint64_t where)
{
    frame_t *list = frame_pointer(parcel->list);
    for (unsigned i = 0; i < piece->pages; i++)
        list[where / PAGE_BYTES + i] = piece->frame + i;
    parcel->present = (uint16_t)(parcel->present + piece->pages);
}

/* From what lies in one slot: [*at, stop). */
static void take_some(frame_t root, struct parcel *parcel, uint64_t addr, uint64_t *at,
                      uint64_t stop)
{
    struct user_piece piece[PIECES];
    unsigned budget = MEMORY_STEPS;
    unsigned pieces = arch_user_take(root, at, stop, piece, PIECES, &budget);
    for (unsigned i = 0; i < pieces; i++)
        if (piece[i].pages)
            list_add(parcel, &piece[i], piece[i].address - addr);
        else
            parcel->table[parcel->tables++] = piece[i].frame;
}

static void take_pages(struct process *p, struct parcel *parcel, uint64_t addr, uint64_t end)
{
    for (uint64_t at = addr; at < end;) {
        frame_t root = memory_root(p, at);
        uint64_t stop = memory_slot_stop(at, end);
        while (root && at < stop)
            take_some(root, parcel, addr, &at, stop);
        at = stop;
    }
}

static void take_whole(struct process *p, struct parcel *parcel, uint64_t addr, unsigned prot)
{
    frame_t root = memory_root(p, addr);
    if (root)
        arch_user_detach(root, addr, prot, &parcel->block);
    parcel->present = (uint16_t)parcel->block.frames;
}

static void take(struct process *p, struct parcel *parcel, uint64_t addr, int prot)
{
    uint64_t end = addr + (uint64_t)parcel->pages * PAGE_BYTES;
    region_remove(&p->regions, addr, end);
    if (parcel->list)
        take_pages(p, parcel, addr, end);
    else
        take_whole(p, parcel, addr, (unsigned)prot);
    charge_adopt(&parcel->charge, parcel->present);
}

/* All cores have flushed. */
static void tables_free(struct process *p, struct parcel *parcel)
{
    while (parcel->tables)
        account_free(&p->account, parcel->table[--parcel->tables]);
}

static void take_done(struct process *p, unsigned vcoreid, void *context, int error)
{
    struct parcel *parcel = context;
    tables_free(p, parcel);
    parcel->done(p, vcoreid, parcel->context, error);
}

long memory_take(struct process *p, unsigned vcoreid, uint64_t addr, unsigned pages,
                 struct parcel **parcel, memory_done *done, void *context)
{
    uint64_t end = addr + (uint64_t)pages * PAGE_BYTES;
    int error = range_check(addr, pages);
    if (!error)
        error = take_check(p, addr, end);
    if (error)
        return error;
    int prot = prot_of_all(p, addr, end);
    int whole = prot >= 0 && pages == LARGE_PAGES && addr % LARGE_BYTES == 0;
    error = parcel_make(p, pages, whole, parcel);
    if (error)
        return error;
    take(p, *parcel, addr, prot);
    (*parcel)->done = done;
    (*parcel)->context = context;
    if ((*parcel)->present || (*parcel)->tables)
        if (memory_flush(p, vcoreid, addr, pages, take_done, *parcel) == CALL_LATER)
            return CALL_LATER;
    tables_free(p, *parcel);
    return 0;
}

/* --- putting --------------------------------------------------------------------------------- */

static int put_check(struct process *p, uint64_t addr, const struct parcel *parcel, unsigned prot)
{
    uint64_t end = addr + (uint64_t)parcel->pages * PAGE_BYTES;
    int error = range_check(addr, parcel->pages);
    if (!error)
        error = memory_prot_check(prot);
    if (!error && region_overlaps(&p->regions, addr, end))
        error = -E_EXISTS;
    return error ? error : memory_roots_make(p, addr, end);
}

static int add_region(struct process *p, uint64_t addr, const struct parcel *parcel, unsigned prot)
{
    return region_add(&p->regions, addr, addr + (uint64_t)parcel->pages * PAGE_BYTES,
                      REGION_ANONYMOUS, prot);
}

/* What was taken whole becomes a list. */
static int open_block(struct parcel *parcel)
{
    struct user_piece piece[PIECES];
    uint64_t offset = 0;
    if (!parcel->block.entry)
        return 0;
    int error = list_make(parcel);
    if (error)
        return error;
    parcel->present = 0;
    while (parcel->block.entry) {
        unsigned budget = MEMORY_STEPS;
        unsigned pieces = arch_block_take(&parcel->block, &offset, piece, PIECES, &budget);
        for (unsigned i = 0; i < pieces; i++)
            if (piece[i].pages)
                list_add(parcel, &piece[i], piece[i].address);
            else
                charge_free(&parcel->charge, piece[i].frame);
    }
    return 0;
}

/* Maps what is there of the list; tables are prepared. */
static void map_list(struct process *p, uint64_t addr, const struct parcel *parcel, unsigned prot)
{
    const frame_t *list = frame_pointer(parcel->list);
    for (unsigned i = 0, run; i < parcel->pages; i += run) {
        uint64_t at = addr + (uint64_t)i * PAGE_BYTES;
        unsigned slot = (unsigned)((memory_slot_stop(at, USER_TOP) - at) / PAGE_BYTES);
        unsigned most = parcel->pages - i < slot ? parcel->pages - i : slot;
        for (run = 0; run < most && list[i + run]; run++)
            ;
        if (run)
            arch_user_map_run(memory_root(p, at), at, list + i, run, prot);
        else
            run = 1;
    }
}

static int put_pages(struct process *p, uint64_t addr, struct parcel *parcel, unsigned prot)
{
    uint64_t end = addr + (uint64_t)parcel->pages * PAGE_BYTES;
    int error = open_block(parcel);
    for (uint64_t at = addr, stop; !error && parcel->present && at < end; at = stop) {
        stop = memory_slot_stop(at, end);
        error = arch_user_prepare(memory_root(p, at), at, stop, &p->account);
    }
    if (!error)
        error = charge_move(&parcel->charge, parcel->present, p);
    if (error)
        return error;
    error = add_region(p, addr, parcel, prot);
    if (error)
        charge_move_back(&parcel->charge, parcel->present, p);
    else if (parcel->present)
        map_list(p, addr, parcel, prot);
    return error;
}

/* -E_EXISTS: a table is there already, an empty one. */
static int put_whole(struct process *p, uint64_t addr, struct parcel *parcel, unsigned prot)
{
    int error = charge_move(&parcel->charge, parcel->present, p);
    if (error)
        return error;
    frame_t root = memory_root(p, addr);
    error = arch_user_attach(root, addr, &parcel->block, prot, &p->account);
    if (!error) {
        error = add_region(p, addr, parcel, prot);
        if (error)
            arch_user_detach(root, addr, prot, &parcel->block); /* nobody can have touched it */
    }
    if (error)
        charge_move_back(&parcel->charge, parcel->present, p);
    return error;
}

int memory_put(struct process *p, uint64_t addr, struct parcel *parcel, unsigned prot)
{
    int error = put_check(p, addr, parcel, prot), whole = parcel->block.entry != 0;
    if (error)
        return error;
    prot = memory_prot_real(prot);
    error = -E_EXISTS;
    if (whole && addr % LARGE_BYTES == 0)
        error = put_whole(p, addr, parcel, prot);
    if (error == -E_EXISTS)
        error = put_pages(p, addr, parcel, prot);
    if (!error)
        parcel_end(parcel);
    return error;
}

unsigned parcel_pages(const struct parcel *parcel)
{
    return parcel->pages;
}

/* --- giving back ----------------------------------------------------------------------------- */

static void free_piece(struct parcel *parcel, const struct user_piece *piece)
{
    if (piece->pages <= 1) {
        charge_free(&parcel->charge, piece->frame);
        return;
    }
    charge_credit(&parcel->charge, piece->pages);
    frame_free_block(piece->frame, LARGE_ORDER);
}

/* 1: all of the block is gone. */
static int block_turn(struct parcel *parcel, struct reclaim_budget *budget)
{
    struct user_piece piece[RECLAIM_FRAMES];
    if (!parcel->block.entry)
        return 1;
    if (budget->frames < USER_PIECES_LEAST)
        return 0;
    unsigned pieces = arch_block_take(&parcel->block, &parcel->freed, piece, budget->frames - 1,
                                      &budget->records);
    for (unsigned i = 0; i < pieces; i++)
        free_piece(parcel, &piece[i]);
    budget->frames -= pieces;
    return parcel->block.entry == 0;
}

/* 1: all of the list is gone. */
static int list_turn(struct parcel *parcel, struct reclaim_budget *budget)
{
    const frame_t *list = frame_pointer(parcel->list);
    for (; parcel->freed < parcel->pages; parcel->freed++) {
        if (budget->frames < 2 || !budget->records)
            return 0;
        budget->records--;
        if (!list[parcel->freed])
            continue;
        charge_free(&parcel->charge, list[parcel->freed]);
        budget->frames--;
    }
    return 1;
}

static int parcel_turn(struct reclaim *self, struct reclaim_budget *budget)
{
    struct parcel *parcel = (struct parcel *)self; /* its first member */
    if (!(parcel->list ? list_turn(parcel, budget) : block_turn(parcel, budget))) {
        budget->frames = 0;
        return 0;
    }
    budget->frames -= budget->frames > 0; /* the list */
    parcel_end(parcel);
    return 1;
}

void parcel_free(struct parcel *parcel)
{
    parcel->reclaim.turn = parcel_turn;
    reclaim_add(&parcel->reclaim);
}
