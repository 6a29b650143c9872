/* The calls mem_map, mem_unmap, mem_protect. docs/memory.md. */
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/home.h"
#include "kernel/kernel.h"
#include "kernel/memory_room.h"
#include "kernel/process.h"
#include "kernel/slot.h"
#include "lib/string.h"

int memory_range_check(uint64_t base, uint64_t bytes)
{
    if (base % PAGE_BYTES || bytes % PAGE_BYTES)
        return -E_ALIGN;
    if (!bytes || base < PAGE_BYTES || bytes > KERNEL_SLOT_BASE || base > KERNEL_SLOT_BASE - bytes)
        return -E_RANGE;
    return 0;
}

int memory_prot_check(unsigned long prot)
{
    if (prot & ~(unsigned long)(PROT_R | PROT_W | PROT_X) || (prot & PROT_W && prot & PROT_X))
        return -E_INVALID;
    return 0;
}

unsigned memory_prot_real(unsigned long prot)
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

static void supplies_free(struct process *p, struct supplies *supplies)
{
    while (supplies->frames)
        account_free(&p->account, supplies->frame[--supplies->frames]);
}

int memory_roots_make(struct process *p, uint64_t base, uint64_t end)
{
    if (((end - 1) >> SLOT_SHIFT) - (base >> SLOT_SHIFT) >= ROOTS_MAX)
        return -E_LIMIT;
    int error = 0;
    for (uint64_t slot = base >> SLOT_SHIFT; !error && slot <= (end - 1) >> SLOT_SHIFT; slot++)
        memory_root_make(p, slot << SLOT_SHIFT, &error);
    return error;
}

/* Cleared frames and all tables for the range. */
static int supply_pages(struct process *p, struct supplies *supplies, uint64_t base, uint64_t end)
{
    int error = 0;
    for (uint64_t at = base; at < end; at += PAGE_BYTES) {
        frame_t frame = account_alloc_zeroed(&p->account, FRAME_USER, &error);
        if (!frame)
            return error;
        supplies->frame[supplies->frames++] = frame;
    }
    for (uint64_t at = base, stop; !error && at < end; at = stop) {
        stop = memory_slot_stop(at, end);
        error = arch_user_prepare(memory_root(p, at), at, stop, &p->account);
    }
    return error;
}

static void map_supplies(struct process *p, struct supplies *supplies, uint64_t base, unsigned prot)
{
    uint64_t end = base + supplies->frames * (uint64_t)PAGE_BYTES;
    const frame_t *frame = supplies->frame;
    for (uint64_t stop; base < end; base = stop) {
        stop = memory_slot_stop(base, end);
        unsigned pages = (unsigned)((stop - base) / PAGE_BYTES);
        arch_user_map_run(memory_root(p, base), base, frame, pages, prot);
        frame += pages;
    }
}

static long call_map(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes,
                     unsigned long prot, unsigned long flags)
{
    int error = memory_range_check(base, bytes);
    if (!error)
        error = memory_prot_check(prot);
    if (error)
        return error;
    if (flags & ~(unsigned long)(MEM_EAGER | MEM_LARGE) ||
        (flags == MEM_EAGER && bytes > EAGER_PAGES * PAGE_BYTES))
        return -E_INVALID;
    if (region_overlaps(&p->regions, base, base + bytes))
        return -E_EXISTS;
    if (flags & MEM_LARGE)
        return memory_fill(p, vcoreid, base, bytes, memory_prot_real(prot));
    struct supplies supplies = {0};
    error = memory_roots_make(p, base, base + bytes);
    if (!error && flags & MEM_EAGER)
        error = supply_pages(p, &supplies, base, base + bytes);
    if (!error)
        error =
            region_add(&p->regions, base, base + bytes, REGION_ANONYMOUS, memory_prot_real(prot));
    if (error)
        supplies_free(p, &supplies);
    else
        map_supplies(p, &supplies, base, memory_prot_real(prot));
    return error;
}

int memory_cut(struct process *p, uint64_t base, uint64_t end)
{
    int error = region_split(&p->regions, base, end);
    frame_t first = memory_root(p, base), last = memory_root(p, end);
    if (!error && first)
        error = arch_user_split(first, base, &p->account);
    if (!error && last)
        error = arch_user_split(last, end, &p->account);
    return error;
}

static long call_unmap(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes)
{
    int error = memory_range_check(base, bytes);
    if (!error)
        error = memory_cut(p, base, base + bytes);
    if (error)
        return error;
    struct memory_change *change =
        memory_change_start(p, vcoreid, base, base + bytes, memory_change_turn);
    change->unmap = 1;
    change->removed = region_take_out(&p->regions, base, base + bytes);
    return memory_change_go(p);
}

static long call_protect(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes,
                         unsigned long prot)
{
    int error = memory_range_check(base, bytes);
    if (!error)
        error = memory_prot_check(prot);
    if (error)
        return error;
    if (!region_covers(&p->regions, base, base + bytes))
        return -E_NO_ENTRY;
    if (!region_may_have(&p->regions, base, base + bytes, (unsigned)prot))
        return -E_PERMISSION;
    error = memory_cut(p, base, base + bytes);
    if (error)
        return error;
    memory_change_start(p, vcoreid, base, base + bytes, memory_change_turn)->prot =
        (uint8_t)memory_prot_real(prot);
    region_protect(&p->regions, base, base + bytes, memory_prot_real(prot));
    return memory_change_go(p);
}

static long make_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    uint64_t base = (uint64_t)argument[0], bytes = (uint64_t)argument[1];
    switch (number) {
    case PANDO_mem_map:
        return call_map(p, vcoreid, base, bytes, (unsigned long)argument[2],
                        (unsigned long)argument[3]);
    case PANDO_mem_unmap:
        return call_unmap(p, vcoreid, base, bytes);
    case PANDO_mem_protect:
        return call_protect(p, vcoreid, base, bytes, (unsigned long)argument[2]);
    default:
        return memory_resident_call(p, vcoreid, number, base, bytes);
    }
}

static int touches_tables(long number, const long argument[4])
{
    return number != PANDO_mem_map || argument[3] != 0;
}

long memory_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (memory_busy(p) || (touches_tables(number, argument) &&
                           !slots_ours(p, (uint64_t)argument[0], (uint64_t)argument[1])))
        return memory_wait(p, vcoreid, number, argument);
    long result = make_call(p, vcoreid, number, argument);
    if (memory_missed(p, result))
        return memory_wait(p, vcoreid, number, argument);
    memory_pressure(p);
    return result;
}

/* --- what waits behind a change -------------------------------------------------------------- */

enum { NUMBER_FAULT = -1 }; /* in a record: it is a fault that waits */

int memory_busy(const struct process *p)
{
    return p->change.active || p->awaited || (p->change.waiting && !p->change.again);
}

int memory_held(struct process *p, uint64_t base, uint64_t bytes)
{
    return memory_busy(p) || !slots_ours(p, base, bytes);
}

int memory_missed(struct process *p, long result)
{
    if (result == -E_LIMIT)
        return !slots_ours(p, 0, USER_TOP);
    return result == -E_NO_MEMORY && memory_room_ask(p);
}

long memory_wait(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    struct vcore_record *record = process_record(p, vcoreid);
    record->call_waits = 1;
    record->wait_order = p->change.next_order++;
    p->change.waiting++;
    record->number = number;
    for (unsigned i = 0; i < 4; i++)
        record->argument[i] = argument[i]; /* which may be these */
    return CALL_LATER;
}

int memory_wait_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault)
{
    long argument[4] = {(long)fault->address, (long)fault->instruction, (long)fault->access,
                        fault->present};
    memory_wait(p, vcoreid, NUMBER_FAULT, argument);
    return FAULT_LATER;
}

static void fault_again(struct process *p, unsigned vcoreid, const long argument[4])
{
    struct user_fault fault = {.is_page_fault = 1,
                               .address = (uint64_t)argument[0],
                               .instruction = (uint64_t)argument[1],
                               .access = (unsigned)argument[2],
                               .present = (int)argument[3]};
    home_fault_again(p, vcoreid, &fault);
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

void memory_run_waiting(struct process *p)
{
    unsigned id = (unsigned)first_waiting(p);
    struct vcore_record *record = process_record(p, id);
    record->call_waits = 0;
    p->change.waiting--;
    p->change.again = 1;
    if (record->number == NUMBER_FAULT)
        fault_again(p, id, record->argument);
    else
        home_call_again(p, id, record->number, record->argument);
    p->change.again = 0;
    if (p->change.waiting && !p->change.active && !p->awaited)
        process_continue_later(p);
}
