/* Memory that is there when the call returns, in turns: mem_map with MEM_LARGE. docs/memory.md. */
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "lib/string.h"

/* Clears FLUSH_PAGES more of the block; when all are, maps it. */
static int large_turn(struct process *p)
{
    struct memory_change *change = &p->change;
    struct memory_fill *fill = &change->fill;
    int error = 0;
    if (!fill->block) {
        fill->block = account_alloc_block(&p->account, LARGE_ORDER, FRAME_USER, &error);
        fill->cleared = 0;
        if (error)
            return error;
    }
    for (unsigned i = 0; i < FLUSH_PAGES; i++)
        page_clear(frame_pointer(fill->block + fill->cleared++));
    if (fill->cleared < LARGE_PAGES)
        return 0;
    error = arch_user_map_large(memory_root(p, change->at), change->at, fill->block, change->prot,
                                &p->account);
    if (error)
        account_free_block(&p->account, fill->block, LARGE_ORDER);
    else
        change->at += LARGE_BYTES;
    fill->block = FRAME_NONE;
    return error;
}

/* FLUSH_PAGES of 4 KiB. */
static int small_turn(struct process *p)
{
    struct memory_change *change = &p->change;
    frame_t frame[FLUSH_PAGES], root = memory_root(p, change->at);
    unsigned pages = 0;
    uint64_t stop = change->at + FLUSH_PAGES * PAGE_BYTES;
    int error = arch_user_prepare(root, change->at, stop, &p->account);
    while (!error && pages < FLUSH_PAGES)
        if ((frame[pages] = account_alloc_zeroed(&p->account, FRAME_USER, &error)))
            pages++;
    if (error) {
        account_free_user(&p->account, frame, pages);
        return error;
    }
    arch_user_map_run(root, change->at, frame, pages, change->prot);
    change->at = stop;
    return 0;
}

/* What was made by then is unmapped as by mem_unmap, and the error is the call's result. */
static void undo(struct process *p, int error)
{
    struct memory_change *change = &p->change;
    uint64_t base = change->fill.base;
    change->removed = region_take_out(&p->regions, base, change->end);
    change->unmap = 1;
    change->turn = memory_change_turn;
    change->result = error;
    change->end = change->at;
    change->at = base;
}

/* Where a large page is not to be had, or an empty table is in the way, 2 MiB are made of small ones. */
static void fill_turn(struct process *p)
{
    struct memory_change *change = &p->change;
    int small = change->at < change->fill.small_until;
    int error = small ? small_turn(p) : large_turn(p);
    if (!small && (error == -E_NO_MEMORY || error == -E_EXISTS)) {
        change->fill.small_until = change->at + LARGE_BYTES;
        error = 0;
    }
    if (error)
        undo(p, error);
    else if (change->at >= change->end)
        region_filled(&p->regions, change->fill.base, change->prot);
}

void memory_fill_drop(struct process *p)
{
    if (p->change.fill.block)
        account_free_block(&p->account, p->change.fill.block, LARGE_ORDER);
    p->change.fill.block = FRAME_NONE;
}

long memory_fill(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes, unsigned prot)
{
    if (base % LARGE_BYTES || bytes % LARGE_BYTES)
        return -E_ALIGN;
    if (p->account.used > p->account.limit ||
        bytes / PAGE_BYTES > p->account.limit - p->account.used)
        return -E_LIMIT;
    int error = memory_roots_make(p, base, base + bytes);
    if (!error)
        error = region_add(&p->regions, base, base + bytes, REGION_FILLING, 0);
    if (error)
        return error;
    struct memory_change *change = memory_change_start(p, vcoreid, base, base + bytes, fill_turn);
    change->prot = (uint8_t)prot;
    change->fill.base = base;
    return memory_change_go(p);
}
