/* A change to the mapped memory of a process, at its home. docs/process.md.
 *
 * A translation is taken away in three steps: the entries are changed, every kernel that drives a
 * vcore of the process flushes and acknowledges, then the frames are freed and the caller is
 * answered. One change at a time; calls that come meanwhile wait, at most one a vcore, in the
 * vcores' records. */
#include <stddef.h>
#include "abi/error.h"
#include "abi/layout.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/actor.h"
#include "kernel/process.h"

static void change_page(struct process *p, uint64_t at)
{
    struct memory_change *change = &p->change;
    frame_t root = memory_root(p, at);
    if (change->unmap)
        change->frame[change->frames++] = arch_user_unmap(root, at);
    else
        arch_user_protect(root, at, change->prot);
}

static void free_changed(struct process *p)
{
    struct memory_change *change = &p->change;
    while (change->frames)
        if (frame_kind(change->frame[--change->frames]) == FRAME_USER)
            account_free(&p->account, change->frame[change->frames]);
}

static void change_ends(struct process *p)
{
    p->change.active = 0;
    if (p->change.waiting)
        process_continue_later(p);
}

static void change_finished(struct process *p)
{
    struct memory_change *change = &p->change;
    if (!region_free_some(&p->regions, &change->removed, FLUSH_PAGES)) {
        process_continue_later(p);
        return;
    }
    home_answer(p, change->vcoreid, 0);
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
    if (change->done)
        flush_finished(p, -E_GONE);
    change->active = 0;
}

static void ask_for_flush(struct process *p, uint64_t first, uint64_t stop)
{
    struct message m = {.head = message_head(MESSAGE_VCORE_FLUSH)};
    m.word[1] = first;
    m.word[2] = (stop - first) / PAGE_BYTES;
    m.word[3] = p->address;
    p->change.acknowledgements = home_tell_drivers(p, &m);
}

/* Changes the next pages, at most FLUSH_PAGES within as many consecutive addresses, and asks for
 * their flush. */
static void change_turn(struct process *p)
{
    struct memory_change *change = &p->change;
    unsigned budget = MEMORY_STEPS;
    uint64_t first = memory_next(p, change->at, change->end, &budget);
    change->at = first;
    if (!budget || first >= change->end)
        return;
    uint64_t stop = first + FLUSH_PAGES * PAGE_BYTES;
    if (stop > change->end)
        stop = change->end;
    budget = MEMORY_STEPS; /* more than there are pages to stop */
    for (uint64_t at = first; at < stop; at = memory_next(p, at + PAGE_BYTES, stop, &budget))
        change_page(p, at);
    change->at = stop;
    ask_for_flush(p, first, stop);
}

long memory_change_begin(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes,
                         int unmap, unsigned prot)
{
    struct memory_change *change = &p->change;
    *change = (struct memory_change){.active = 1,
                                     .unmap = (uint8_t)unmap,
                                     .prot = (uint8_t)prot,
                                     .vcoreid = vcoreid,
                                     .at = base,
                                     .end = base + bytes,
                                     .next_order = change->next_order,
                                     .waiting = change->waiting,
                                     .again = change->again};
    process_continue_later(p);
    return CALL_LATER;
}

static int only_here(struct process *p, unsigned vcoreid)
{
    const struct vcore_record *record = process_record(p, vcoreid);
    return p->attached == 0 || (p->attached == 1 && record->attached && record->core == this_core);
}

long memory_flush(struct process *p, unsigned vcoreid, uint64_t base, unsigned pages,
                  memory_done *done, void *context)
{
    if (only_here(p, vcoreid)) {
        arch_user_flush_all();
        return 0;
    }
    struct memory_change *change = &p->change;
    change->active = 1;
    change->vcoreid = vcoreid;
    change->done = done;
    change->context = context;
    ask_for_flush(p, base, base + pages * (uint64_t)PAGE_BYTES);
    return CALL_LATER;
}

void memory_continue(struct process *p)
{
    struct memory_change *change = &p->change;
    if (!change->active && change->waiting)
        memory_run_waiting(p);
    if (!change->active || change->acknowledgements)
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
    change_turn(p);
    if (!change->acknowledgements)
        process_continue_later(p);
}

void memory_flushed(struct process *p)
{
    ASSERT(p->change.active && p->change.acknowledgements > 0);
    p->change.acknowledgements--;
    memory_continue(p);
}
