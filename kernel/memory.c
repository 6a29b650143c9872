/* The memory of a process, at its home: demand-zero faults, map, unmap, protect. docs/process.md.
 *
 * A translation is taken away in three steps: the entries are changed, every kernel that drives a
 * vcore of the process flushes and acknowledges, then the frames are freed and the caller is
 * answered. One change at a time; calls that come meanwhile wait, at most one a vcore, in the
 * vcores' records. */
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/archive.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "lib/string.h"

enum { STEPS_A_TURN = 4096 }; /* over page tables, so that a turn of the loop is bounded */

static frame_t root_find(const struct process *p, uint64_t address)
{
    for (unsigned i = 0; i < p->roots; i++)
        if (p->root[i].slot == address >> SLOT_SHIFT)
            return p->root[i].frame;
    return FRAME_NONE;
}

static frame_t root_for(struct process *p, uint64_t address)
{
    frame_t frame = root_find(p, address);
    if (frame || p->roots == ROOTS_MAX)
        return frame;
    frame = arch_root_make(process_owner(p));
    if (frame) {
        p->root[p->roots] = (struct root){(uint16_t)(address >> SLOT_SHIFT), frame};
        home_tell_root(p, &p->root[p->roots++]);
    }
    return frame;
}

int memory_map_frame(struct process *p, uint64_t address, frame_t frame, unsigned prot)
{
    frame_t root = root_for(p, address);
    return root ? arch_user_map(root, address, frame, prot, process_owner(p)) : -E_NO_MEMORY;
}

/* Maps a zeroed frame: 0, -E_NO_MEMORY, -E_EXISTS; *made is set on success. */
static int map_zeroed(struct process *p, uint64_t address, unsigned prot, frame_t *made)
{
    frame_t frame = frame_alloc(ZONE_GENERAL, FRAME_USER, process_owner(p));
    if (!frame)
        return -E_NO_MEMORY;
    memset(frame_pointer(frame), 0, PAGE_BYTES);
    int error = memory_map_frame(p, address, frame, prot);
    if (error)
        frame_free(frame);
    *made = frame;
    return error;
}

frame_t memory_map_zeroed(struct process *p, uint64_t address, unsigned prot)
{
    frame_t frame;
    return map_zeroed(p, address, prot, &frame) ? FRAME_NONE : frame;
}

int memory_fault(struct process *p, uint64_t address, unsigned access)
{
    struct region *region = region_find(&p->regions, address);
    if (!region)
        return -E_NO_ENTRY;
    if ((region->prot & access) != access)
        return -E_PERMISSION;
    uint64_t page = address & ~(uint64_t)(PAGE_BYTES - 1);
    frame_t frame;
    int error = region->kind == REGION_ARCHIVE
                    ? memory_map_frame(p, page, archive_frame(page - region->base), region->prot)
                    : map_zeroed(p, page, region->prot, &frame);
    return error == -E_EXISTS ? 0
                              : error; /* another vcore was first, or its translation was stale */
}

/* --- the calls ------------------------------------------------------------------------------- */

static int range_check(uint64_t base, uint64_t bytes)
{
    if (base % PAGE_BYTES || bytes % PAGE_BYTES)
        return -E_ALIGN;
    if (!bytes || base < PAGE_BYTES || bytes > KERNEL_SLOT_BASE || base > KERNEL_SLOT_BASE - bytes)
        return -E_RANGE;
    return 0;
}

static int prot_check(unsigned long prot)
{
    if (prot & ~(unsigned long)(PROT_R | PROT_W | PROT_X) || (prot & PROT_W && prot & PROT_X))
        return -E_INVALID;
    return 0;
}

/* What the processor makes of it: what can be written or executed can be read. */
static unsigned prot_real(unsigned long prot)
{
    return (unsigned)prot | (prot ? PROT_R : 0);
}

/* An eager mapping is bounded by what a turn may clear; larger ones are asked for in pieces. */
enum { EAGER_PAGES = 64 };

/* What a mapping needs, taken before anything is changed. */
struct supplies {
    unsigned frames;
    frame_t frame[EAGER_PAGES];
};

static void supplies_free(struct supplies *supplies)
{
    while (supplies->frames)
        frame_free(supplies->frame[--supplies->frames]);
}

/* The roots of all slots in the range: beyond ROOTS_MAX no more can be had. */
static int supply_roots(struct process *p, uint64_t base, uint64_t end)
{
    if (((end - 1) >> SLOT_SHIFT) - (base >> SLOT_SHIFT) >= ROOTS_MAX)
        return -E_LIMIT;
    for (uint64_t slot = base >> SLOT_SHIFT; slot <= (end - 1) >> SLOT_SHIFT; slot++)
        if (!root_for(p, slot << SLOT_SHIFT))
            return p->roots == ROOTS_MAX ? -E_LIMIT : -E_NO_MEMORY;
    return 0;
}

/* Cleared frames and all tables for the range. */
static int supply_pages(struct process *p, struct supplies *supplies, uint64_t base, uint64_t end)
{
    for (uint64_t at = base; at < end; at += PAGE_BYTES) {
        frame_t frame = frame_alloc(ZONE_GENERAL, FRAME_USER, process_owner(p));
        if (!frame)
            return -E_NO_MEMORY;
        memset(frame_pointer(frame), 0, PAGE_BYTES);
        supplies->frame[supplies->frames++] = frame;
        if (arch_user_prepare(root_find(p, at), at, process_owner(p)))
            return -E_NO_MEMORY;
    }
    return 0;
}

static void map_supplies(struct process *p, struct supplies *supplies, uint64_t base, unsigned prot)
{
    for (unsigned i = 0; i < supplies->frames; i++, base += PAGE_BYTES) {
        int error =
            arch_user_map(root_find(p, base), base, supplies->frame[i], prot, process_owner(p));
        ASSERT(!error);
    }
}

static long call_map(struct process *p, uint64_t base, uint64_t bytes, unsigned long prot,
                     unsigned long flags)
{
    int error = range_check(base, bytes);
    if (!error)
        error = prot_check(prot);
    if (error)
        return error;
    if (flags & ~(unsigned long)MEM_EAGER ||
        (flags & MEM_EAGER && bytes > EAGER_PAGES * PAGE_BYTES))
        return -E_INVALID;
    if (region_overlaps(&p->regions, base, base + bytes))
        return -E_EXISTS;
    struct supplies supplies = {0};
    error = supply_roots(p, base, base + bytes);
    if (!error && flags & MEM_EAGER)
        error = supply_pages(p, &supplies, base, base + bytes);
    if (!error)
        error = region_add(&p->regions, base, base + bytes, REGION_ANONYMOUS, prot_real(prot));
    if (error)
        supplies_free(&supplies);
    else
        map_supplies(p, &supplies, base, prot_real(prot));
    return error;
}

/* --- changes that need every core's acknowledgement ------------------------------------------ */

/* The first mapped page at or after at; as arch_user_next. */
static uint64_t next_mapped(const struct process *p, uint64_t at, uint64_t end, unsigned *budget)
{
    while (at < end) {
        frame_t root = root_find(p, at);
        uint64_t slot_end = ((at >> SLOT_SHIFT) + 1) << SLOT_SHIFT;
        uint64_t stop = slot_end < end ? slot_end : end;
        if (root) {
            uint64_t found = arch_user_next(root, at, stop, budget);
            if (found < stop)
                return found;
        }
        at = stop;
    }
    return end;
}

static void change_page(struct process *p, uint64_t at)
{
    struct memory_change *change = &p->change;
    frame_t root = root_find(p, at);
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
            frame_free(change->frame[change->frames]);
}

static void change_finished(struct process *p)
{
    p->change.active = 0;
    home_answer(p, p->change.vcoreid, 0);
    if (p->change.waiting)
        process_continue_later(p);
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
    unsigned budget = STEPS_A_TURN;
    uint64_t first = next_mapped(p, change->at, change->end, &budget);
    change->at = first;
    if (!budget || first >= change->end)
        return;
    uint64_t stop = first + FLUSH_PAGES * PAGE_BYTES;
    if (stop > change->end)
        stop = change->end;
    budget = STEPS_A_TURN; /* more than there are pages to stop */
    for (uint64_t at = first; at < stop; at = next_mapped(p, at + PAGE_BYTES, stop, &budget))
        change_page(p, at);
    change->at = stop;
    ask_for_flush(p, first, stop);
}

static long change_begin(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes,
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
                                     .waiting = change->waiting};
    process_continue_later(p);
    return CALL_LATER;
}

static long call_unmap(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes)
{
    int error = range_check(base, bytes);
    if (!error)
        error = region_split(&p->regions, base, base + bytes);
    if (error)
        return error;
    long result = change_begin(p, vcoreid, base, bytes, 1, 0);
    if (result == CALL_LATER)
        region_remove(&p->regions, base, base + bytes);
    return result;
}

static long call_protect(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes,
                         unsigned long prot)
{
    int error = range_check(base, bytes);
    if (!error)
        error = prot_check(prot);
    if (error)
        return error;
    if (!region_covers(&p->regions, base, base + bytes))
        return -E_NO_ENTRY;
    error = region_split(&p->regions, base, base + bytes);
    if (error)
        return error;
    long result = change_begin(p, vcoreid, base, bytes, 0, prot_real(prot));
    if (result == CALL_LATER)
        region_protect(&p->regions, base, base + bytes, prot_real(prot));
    return result;
}

static long make_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    uint64_t base = (uint64_t)argument[0], bytes = (uint64_t)argument[1];
    switch (number) {
    case PANDO_mem_map:
        return call_map(p, base, bytes, (unsigned long)argument[2], (unsigned long)argument[3]);
    case PANDO_mem_unmap:
        return call_unmap(p, vcoreid, base, bytes);
    default:
        return call_protect(p, vcoreid, base, bytes, (unsigned long)argument[2]);
    }
}

long memory_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (!p->change.active && !p->change.waiting)
        return make_call(p, vcoreid, number, argument);
    struct vcore_record *record = process_record(p, vcoreid);
    record->call_waits = 1;
    record->wait_order = p->change.next_order++;
    p->change.waiting++;
    record->number = number;
    memcpy(record->argument, argument, sizeof record->argument);
    return CALL_LATER;
}

static int first_waiting(struct process *p)
{
    int first = -1;
    for (unsigned id = 0; id < VCORES_MAX; id++) {
        struct vcore_record *record = process_record(p, id);
        if (record && record->call_waits &&
            (first < 0 ||
             (int32_t)(record->wait_order - process_record(p, (unsigned)first)->wait_order) < 0))
            first = (int)id;
    }
    return first;
}

/* Goes on with the calls that waited for a change to end, in the order in which they came, one a
 * turn. */
static void run_waiting_call(struct process *p)
{
    unsigned id = (unsigned)first_waiting(p);
    struct vcore_record *record = process_record(p, id);
    record->call_waits = 0;
    p->change.waiting--;
    long result = make_call(p, id, record->number, record->argument);
    if (result != CALL_LATER)
        home_answer(p, id, result);
    if (p->change.waiting && !p->change.active)
        process_continue_later(p);
}

void memory_continue(struct process *p)
{
    struct memory_change *change = &p->change;
    if (!change->active && change->waiting)
        run_waiting_call(p);
    if (!change->active || change->acknowledgements)
        return;
    free_changed(p);
    if (p->state >= PROCESS_DYING) {
        change->active = 0;
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

/* --- the end --------------------------------------------------------------------------------- */

int memory_give_back(struct process *p)
{
    unsigned budget = STEPS_A_TURN;
    for (unsigned pages = 0; pages < FLUSH_PAGES; pages++) {
        uint64_t at = p->unmap_at = next_mapped(p, p->unmap_at, USER_TOP, &budget);
        if (!budget || at >= USER_TOP)
            break;
        frame_t frame = arch_user_unmap(root_find(p, at), at);
        if (frame_kind(frame) == FRAME_USER)
            frame_free(frame);
    }
    if (p->unmap_at < USER_TOP)
        return 0;
    if (p->roots) { /* one root a turn */
        p->roots -= (unsigned)arch_root_free(p->root[p->roots - 1].frame, FLUSH_PAGES);
        return 0;
    }
    return region_remove_some(&p->regions, FLUSH_PAGES);
}
