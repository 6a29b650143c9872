/* The memory of a process, at its home: demand-zero faults, map, unmap, protect. docs/process.md.
 *
 * A translation is taken away in three steps: the entries are changed, every kernel that drives a vcore of the
 * process flushes and acknowledges, then the frames are freed and the caller is answered. One change at a
 * time; calls that come meanwhile wait, at most one a vcore, in the vcores' records. */
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/archive.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "lib/string.h"

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
    struct region *region = region_find(p->regions, address);
    if (!region)
        return -E_NO_ENTRY;
    if ((region->prot & access) != access)
        return -E_PERMISSION;
    uint64_t page = address & ~(uint64_t)(PAGE_BYTES - 1);
    frame_t frame;
    int error = region->kind == REGION_ARCHIVE
                    ? memory_map_frame(p, page, archive_frame(page - region->base), region->prot)
                    : map_zeroed(p, page, region->prot, &frame);
    return error == -E_EXISTS ? 0 : error; /* another vcore was first, or its translation was stale */
}

/* --- the calls ---------------------------------------------------------------------------------- */

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

/* Frees what was mapped at [base, at): undoes a mapping that no one has used yet. */
static void unmap_fresh(struct process *p, uint64_t base, uint64_t at)
{
    for (; base < at; base += PAGE_BYTES)
        frame_free(arch_user_unmap(root_find(p, base), base));
}

/* An eager mapping is bounded by what a turn may clear; larger ones are asked for in pieces. */
enum { EAGER_PAGES = 64 };

static int map_now(struct process *p, uint64_t base, uint64_t end, unsigned prot)
{
    for (uint64_t at = base; at < end; at += PAGE_BYTES)
        if (!memory_map_zeroed(p, at, prot)) {
            unmap_fresh(p, base, at);
            return -E_NO_MEMORY;
        }
    return 0;
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
    if (region_overlaps(p->regions, base, base + bytes))
        return -E_EXISTS;
    error = flags & MEM_EAGER ? map_now(p, base, base + bytes, (unsigned)prot) : 0;
    if (error)
        return error;
    error = region_add(&p->regions, base, base + bytes, REGION_ANONYMOUS, (unsigned)prot);
    if (error && flags & MEM_EAGER)
        unmap_fresh(p, base, base + bytes);
    return error;
}

/* --- changes that need every core's acknowledgement ----------------------------------------------- */

static uint64_t next_mapped(const struct process *p, uint64_t at, uint64_t end)
{
    while (at < end) {
        frame_t root = root_find(p, at);
        uint64_t slot_end = ((at >> SLOT_SHIFT) + 1) << SLOT_SHIFT;
        uint64_t stop = slot_end < end ? slot_end : end;
        if (root) {
            uint64_t found = arch_user_next(root, at, stop);
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

static void run_waiting_call(struct process *p);

static void change_finished(struct process *p)
{
    p->change.active = 0;
    home_answer(p, p->change.vcoreid, 0);
    run_waiting_call(p);
}

/* Changes the next pages, at most FLUSH_PAGES within as many consecutive addresses, and asks for their flush.
 * Returns 1 when there was nothing left to change. */
static int change_turn(struct process *p)
{
    struct memory_change *change = &p->change;
    uint64_t first = next_mapped(p, change->at, change->end);
    uint64_t stop = first + FLUSH_PAGES * PAGE_BYTES;
    if (stop > change->end)
        stop = change->end;
    for (uint64_t at = first; at < stop; at = next_mapped(p, at + PAGE_BYTES, stop))
        change_page(p, at);
    change->at = stop;
    if (first >= change->end)
        return 1;
    struct message m = {.head = message_head(MESSAGE_VCORE_FLUSH)};
    m.word[1] = first;
    m.word[2] = (stop - first) / PAGE_BYTES;
    m.word[3] = p->address;
    change->acknowledgements = home_tell_drivers(p, &m);
    return 0;
}

void memory_continue(struct process *p)
{
    while (p->change.active && p->change.acknowledgements == 0) {
        free_changed(p);
        if (p->state >= PROCESS_DYING) {
            p->change.active = 0;
            return;
        }
        if (change_turn(p)) {
            change_finished(p);
            return;
        }
    }
}

void memory_flushed(struct process *p)
{
    ASSERT(p->change.active && p->change.acknowledgements > 0);
    p->change.acknowledgements--;
    memory_continue(p);
}

static long change_begin(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes, int unmap,
                         unsigned prot)
{
    struct memory_change *change = &p->change;
    *change = (struct memory_change){.active = 1,
                                     .unmap = (uint8_t)unmap,
                                     .prot = (uint8_t)prot,
                                     .vcoreid = vcoreid,
                                     .at = base,
                                     .end = base + bytes};
    struct message m = {.head = message_head(MESSAGE_CONTINUE)};
    if (actor_send(p->address, &m) == 0)
        return CALL_LATER;
    change->active = 0;
    return -E_LIMIT;
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
    if (!region_covers(p->regions, base, base + bytes))
        return -E_NO_ENTRY;
    error = region_split(&p->regions, base, base + bytes);
    if (error)
        return error;
    long result = change_begin(p, vcoreid, base, bytes, 0, (unsigned)prot);
    if (result == CALL_LATER)
        region_protect(&p->regions, base, base + bytes, (unsigned)prot);
    return result;
}

long memory_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (p->change.active) {
        struct vcore_record *record = process_record(p, vcoreid);
        record->call_waits = 1;
        record->number = number;
        memcpy(record->argument, argument, sizeof record->argument);
        return CALL_LATER;
    }
    uint64_t base = (uint64_t)argument[0], bytes = (uint64_t)argument[1];
    switch (number) {
    case SYS_mem_map:
        return call_map(p, base, bytes, (unsigned long)argument[2], (unsigned long)argument[3]);
    case SYS_mem_unmap:
        return call_unmap(p, vcoreid, base, bytes);
    default:
        return call_protect(p, vcoreid, base, bytes, (unsigned long)argument[2]);
    }
}

/* Goes on with the calls that waited for a change to end, in the order of vcores. */
static void run_waiting_call(struct process *p)
{
    for (unsigned id = 0; id < VCORES_MAX && !p->change.active; id++) {
        struct vcore_record *record = process_record(p, id);
        if (!record || !record->call_waits)
            continue;
        record->call_waits = 0;
        long result = memory_call(p, id, record->number, record->argument);
        if (result != CALL_LATER)
            home_answer(p, id, result);
    }
}

/* --- the end --------------------------------------------------------------------------------------- */

int memory_give_back(struct process *p)
{
    unsigned budget = FLUSH_PAGES;
    while (budget--) {
        uint64_t at = next_mapped(p, p->unmap_at, USER_TOP);
        p->unmap_at = at;
        if (at >= USER_TOP)
            break;
        frame_t frame = arch_user_unmap(root_find(p, at), at);
        if (frame_kind(frame) == FRAME_USER)
            frame_free(frame);
    }
    if (p->unmap_at < USER_TOP)
        return 0;
    while (p->roots) {
        if (!arch_root_free(p->root[p->roots - 1].frame, FLUSH_PAGES))
            return 0;
        p->roots--;
    }
    region_remove(&p->regions, 0, ~0ull);
    return 1;
}
