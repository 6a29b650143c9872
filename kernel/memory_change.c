/* A change to the mapped memory of a process, at its home. docs/memory.md.
 *
 * A translation is taken away in three steps: the entries are changed, every kernel that drives a
 * vcore of the process flushes, by multicast, then the frames are freed and the caller is
 * answered. One change at a time; calls that come meanwhile wait, at most one a vcore, in the
 * vcores' records. */
#include <stddef.h>
#include "abi/error.h"
#include "abi/layout.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/memory_room.h"
#include "kernel/process.h"
#include "kernel/process_end.h"
#include "lib/string.h"

static void free_changed(struct process *p)
{
    struct memory_change *change = &p->change;
    if (change->frames)
        memory_free(p, change->frame, change->frames, change->large);
    change->frames = 0;
    memory_pressure(p);
}

/* Where a turn ends that begins at a mapped page: behind one large page, or FLUSH_PAGES, within 2
 * MiB. *flushes: the pages whose translations are to be dropped; of a large one, any. */
static uint64_t turn_stop(struct process *p, uint64_t at, uint64_t *flushes)
{
    struct user_piece piece;
    unsigned prot;
    uint64_t end = (at / LARGE_BYTES + 1) * LARGE_BYTES;
    *flushes = 1;
    if (arch_user_find(memory_root(p, at), at, &piece, &prot) && piece.pages > 1)
        return end;
    if (end > p->change.end)
        end = p->change.end;
    if (end > at + FLUSH_PAGES * PAGE_BYTES)
        end = at + FLUSH_PAGES * PAGE_BYTES;
    *flushes = (end - at) / PAGE_BYTES;
    return end;
}

static void change_pages(struct process *p, uint64_t at, uint64_t stop)
{
    struct memory_change *change = &p->change;
    frame_t root = memory_root(p, at);
    if (!change->unmap) {
        arch_user_protect(root, at, stop, change->prot);
        return;
    }
    struct user_piece piece[CHANGE_PIECES];
    unsigned budget = MEMORY_STEPS; /* more than there are pages to stop */
    unsigned pieces = arch_user_take(root, &at, stop, piece, CHANGE_PIECES, &budget);
    ASSERT(at == stop);
    change->large = pieces && piece[0].pages > 1;
    for (unsigned i = 0; i < pieces; i++)
        change->frame[change->frames++] = piece[i].frame;
}

static void change_ends(struct process *p)
{
    p->change.active = 0;
    if (p->room == ROOM_TAKING)
        memory_room_done(p);
    if (p->change.waiting || p->room)
        process_continue_later(p);
}

static void change_finished(struct process *p)
{
    struct memory_change *change = &p->change;
    if (!region_free_some(&p->regions, &change->removed, FLUSH_PAGES)) {
        process_continue_later(p);
        return;
    }
    if (change->vcoreid != NO_VCORE)
        home_answer(p, change->vcoreid, change->result);
    change_ends(p);
}

/* A flush by itself: who asked for it goes on. */
static void flush_finished(struct process *p, int error)
{
    struct memory_change *change = &p->change;
    memory_done *done = change->done;
    change->done = NULL;
    change_ends(p);
    done(p, change->vcoreid, change->context, error);
}

/* The process is dying: what was taken out is freed, the rest goes with the process. */
static void change_dropped(struct process *p)
{
    struct memory_change *change = &p->change;
    region_put_back(&p->regions, &change->removed);
    memory_fill_drop(p);
    if (change->done)
        flush_finished(p, -E_GONE);
    change->active = 0;
}

static void change_flushed(struct multicast *flush)
{
    struct process *p = flush->owner;
    ASSERT(p->change.active && p->change.flushing);
    p->change.flushing = 0;
    memory_continue(p);
    if (p->state >= PROCESS_DYING)
        process_continue_end(p);
}

/* Asks the cores that run the process to drop translations. 1: they have. */
static int ask_for_flush(struct process *p, uint64_t first, uint64_t pages)
{
    struct memory_change *change = &p->change;
    change->flush = (struct multicast){.operation = MULTICAST_FLUSH,
                                       .word = {p->pid, first, pages},
                                       .done = change_flushed,
                                       .owner = p};
    memcpy(change->flush.set, p->cores, sizeof change->flush.set);
    change->flushing = !multicast(&change->flush);
    return !change->flushing;
}

/* Changes the next pages, and asks for their flush. */
void memory_change_turn(struct process *p)
{
    struct memory_change *change = &p->change;
    unsigned budget = MEMORY_STEPS;
    uint64_t flushes, first = memory_next(p, change->at, change->end, &budget);
    change->at = first;
    if (!budget || first >= change->end)
        return;
    change->at = turn_stop(p, first, &flushes);
    change_pages(p, first, change->at);
    ask_for_flush(p, first, flushes);
}

struct memory_change *memory_change_start(struct process *p, unsigned vcoreid, uint64_t base,
                                          uint64_t end, void (*turn)(struct process *p))
{
    struct memory_change *change = &p->change;
    *change = (struct memory_change){.active = 1,
                                     .vcoreid = vcoreid,
                                     .turn = turn,
                                     .at = base,
                                     .end = end,
                                     .next_order = change->next_order,
                                     .waiting = change->waiting,
                                     .again = change->again};
    return change;
}

long memory_change_go(struct process *p)
{
    struct memory_change *change = &p->change;
    change->turn(p);
    if (change->flushing)
        return CALL_LATER;
    free_changed(p);
    if (change->at < change->end || !region_free_some(&p->regions, &change->removed, FLUSH_PAGES)) {
        process_continue_later(p);
        return CALL_LATER;
    }
    change->active = 0;
    return change->result;
}

long memory_flush(struct process *p, unsigned vcoreid, uint64_t base, unsigned pages,
                  memory_done *done, void *context)
{
    struct memory_change *change = &p->change;
    if (ask_for_flush(p, base, pages))
        return 0;
    change->active = 1;
    change->vcoreid = vcoreid;
    change->done = done;
    change->context = context;
    return CALL_LATER;
}

void memory_continue(struct process *p)
{
    struct memory_change *change = &p->change;
    if (!change->active && p->awaited)
        memory_room_take(p);
    else if (!change->active && change->waiting)
        memory_run_waiting(p);
    if (!change->active || change->flushing)
        return;
    free_changed(p);
    if (p->state >= PROCESS_DYING) {
        change_dropped(p);
        return;
    }
    if (change->done) {
        flush_finished(p, 0);
        return;
    }
    if (change->at >= change->end) {
        change_finished(p);
        return;
    }
    change->turn(p);
    if (!change->flushing)
        process_continue_later(p);
}
