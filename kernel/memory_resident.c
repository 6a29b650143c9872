/* Which pages have frames, keep them, or may lose them: mem_pin, mem_unpin, mem_resident, mem_evict;
 * and what happens at a process's limit. docs/residency.md. */
#include "abi/error.h"
#include "abi/process.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/event.h"
#include "kernel/kernel.h"
#include "kernel/memory_copy.h"
#include "kernel/memory_room.h"
#include "kernel/process.h"
#include "lib/string.h"

/* --- pinned pages ---------------------------------------------------------------------------- */

uint64_t memory_pinned(const struct process *p)
{
    return region_pinned(&p->regions, 0, USER_TOP);
}

static int pin_check(struct process *p, uint64_t base, uint64_t end)
{
    if (end - base > FLUSH_PAGES * PAGE_BYTES)
        return -E_INVALID;
    if (!region_covers(&p->regions, base, end))
        return -E_NO_ENTRY;
    if (!region_accessible(&p->regions, base, end))
        return -E_PERMISSION;
    uint64_t more = (end - base) / PAGE_BYTES - region_pinned(&p->regions, base, end);
    return memory_pinned(p) + more > p->pin_limit ? -E_QUOTA : 0;
}

/* The pages of whole regions get frames, but where memory_copy_ahead makes them. The regions are walked once: there may be many before them. */
static int touch_all(struct process *p, unsigned vcoreid, uint64_t base, uint64_t end)
{
    int error = 0;
    const struct region *region = region_find(&p->regions, base);
    for (uint64_t at = base; !error && at < end; at += PAGE_BYTES) {
        if (at == region->end)
            region = region->next;
        if (!memory_copies(region) && !memory_find(p, at))
            error = memory_touch(p, vcoreid, region, at);
    }
    return error;
}

/* All cores read the copies. */
static void pin_copied(struct process *p, unsigned vcoreid, void *context, int error)
{
    uint64_t base = p->change.base, end = p->change.end;
    long result = p->change.result;
    if (error)
        return;
    memory_copy_permit(p, base, end);
    if (!result)
        region_mark(&p->regions, base, end, 1, 0);
    memory_pressure(p);
    home_answer(p, vcoreid, result);
}

static long call_pin(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes)
{
    uint64_t end = base + bytes;
    int error = pin_check(p, base, end);
    if (!error)
        error = memory_cut(p, base, end);
    if (!error)
        error = touch_all(p, vcoreid, base, end);
    long result = error ? error : memory_copy_ahead(p, vcoreid, base, end, pin_copied);
    if (!result)
        region_mark(&p->regions, base, end, 1, 0);
    return result;
}

static long call_unpin(struct process *p, uint64_t base, uint64_t bytes)
{
    if (!region_covers(&p->regions, base, base + bytes))
        return -E_NO_ENTRY;
    int error = region_split(&p->regions, base, base + bytes);
    if (!error)
        region_mark(&p->regions, base, base + bytes, 0, REGION_EVICT_SAME);
    return error;
}

/* --- resident pages -------------------------------------------------------------------------- */

static void bits_set(uint8_t *bits, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++)
        bits[i / 8] = (uint8_t)(bits[i / 8] | 1u << i % 8);
}

static void resident_turn(struct process *p)
{
    struct memory_change *change = &p->change;
    uint8_t *bits = frame_pointer(process_record(p, change->vcoreid)->message);
    unsigned budget = MEMORY_STEPS, prot;
    struct user_piece piece;
    while (change->at < change->end) {
        change->at = memory_next(p, change->at, change->end, &budget);
        if (!budget || change->at >= change->end)
            break;
        int found = arch_user_find(memory_root(p, change->at), change->at, &piece, &prot);
        ASSERT(found);
        uint64_t stop = piece.address + piece.pages * (uint64_t)PAGE_BYTES;
        if (stop > change->end)
            stop = change->end;
        uint64_t pages = (stop - change->at) / PAGE_BYTES;
        bits_set(bits, (change->at - change->base) / PAGE_BYTES, pages);
        change->result += (long)pages;
        change->at = stop;
        budget -= pages < budget ? (unsigned)pages : budget;
    }
}

static long call_resident(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes)
{
    if (bytes / PAGE_BYTES > RESIDENT_MAX_PAGES)
        return -E_INVALID;
    page_clear(frame_pointer(process_record(p, vcoreid)->message));
    memory_change_start(p, vcoreid, base, base + bytes, resident_turn)->base = base;
    return memory_change_go(p);
}

/* --- pages that may be taken ----------------------------------------------------------------- */

static long call_evict(struct process *p, uint64_t base, uint64_t bytes)
{
    uint64_t end = base + bytes;
    if (!region_covers(&p->regions, base, end))
        return -E_NO_ENTRY;
    if (region_pinned(&p->regions, base, end))
        return -E_PERMISSION;
    int error = memory_cut(p, base, end);
    if (error)
        return error;
    region_mark(&p->regions, base, end, 0, ++p->evict_order);
    p->evict_none = 0;
    return 0;
}

/* Takes the next pages, of those named first. None is left: says so, and the change is over. */
static void evict_turn(struct process *p)
{
    struct memory_change *change = &p->change;
    unsigned budget = MEMORY_STEPS;
    while (budget) {
        const struct region *r = region_evictable(&p->regions, change->evict, change->at);
        if (!r) {
            p->evict_none = 1;
            change->end = change->at;
            return;
        }
        uint64_t from = r->evict == change->evict && change->at > r->base ? change->at : r->base;
        change->evict = r->evict;
        change->at = memory_next(p, from, r->end, &budget);
        if (budget && change->at < r->end) {
            change->end = r->end;
            memory_change_turn(p);
            change->end = change->at;
            return;
        }
        budget -= budget < p->regions.count ? budget : p->regions.count;
    }
}

void memory_evict(struct process *p)
{
    p->evict_none = 0;
    memory_change_start(p, NO_VCORE, 0, USER_TOP, evict_turn)->unmap = 1;
}

int memory_make_room(struct process *p, unsigned vcoreid, const struct user_fault *fault, int error)
{
    if (p->evict_order == 0 || (p->evict_none && p->change.again)) {
        if (error != -E_NO_MEMORY || !memory_room_ask(p))
            return error;
    } else if (!memory_busy(p)) {
        memory_evict(p);
        process_continue_later(p);
    }
    return memory_wait_fault(p, vcoreid, fault);
}

void memory_pressure_changed(struct process *p, int high)
{
    p->pressure_told = (uint8_t)high;
    if (high)
        event_post(p, EVENT_MEMORY_PRESSURE, PRESSURE_LIMIT,
                   (const uint64_t[6]){p->account.used, p->account.limit});
}

long memory_resident_call(struct process *p, unsigned vcoreid, long number, uint64_t base,
                          uint64_t bytes)
{
    int error = memory_range_check(base, bytes);
    if (error)
        return error;
    switch (number) {
    case PANDO_mem_pin:
        return call_pin(p, vcoreid, base, bytes);
    case PANDO_mem_unpin:
        return call_unpin(p, base, bytes);
    case PANDO_mem_resident:
        return call_resident(p, vcoreid, base, bytes);
    default:
        return call_evict(p, base, bytes);
    }
}
