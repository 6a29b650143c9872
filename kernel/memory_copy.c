#include "kernel/memory_copy.h"
#include "abi/error.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/object.h"
#include "kernel/process.h"
#include "lib/string.h"

static frame_t object_frame_at(const struct region *region, uint64_t page, int make, int *error)
{
    return object_frame(region->object, region->offset + (page - region->base), make, error);
}

/* A page of the process's own with what the object's page holds; from FRAME_NONE: zeros. */
static frame_t copy_make(struct process *p, frame_t from, int *error)
{
    if (!from)
        return account_alloc_zeroed(&p->account, FRAME_USER, error);
    frame_t frame = account_alloc(&p->account, FRAME_USER, error);
    if (frame)
        memcpy(frame_pointer(frame), frame_pointer(from), PAGE_BYTES);
    return frame;
}

static int map_copy(struct process *p, const struct region *region, uint64_t page)
{
    int error;
    frame_t from = object_frame_at(region, page, 0, &error);
    frame_t frame = copy_make(p, from, &error);
    if (!frame)
        return error;
    error = memory_map_frame(p, page, frame, region->prot);
    if (error)
        account_free(&p->account, frame);
    return error;
}

static int map_shared(struct process *p, const struct region *region, uint64_t page)
{
    int error;
    frame_t frame = object_frame_at(region, page, 1, &error);
    return frame ? memory_map_frame(p, page, frame, region->prot | MAP_COPY) : error;
}

/* All cores read the copy: now it may be written. Regions did not change meanwhile: who would change
 * them waits. */
static void copy_done(struct process *p, unsigned vcoreid, void *context, int error)
{
    uint64_t page = (uint64_t)context;
    if (error)
        return;
    arch_user_protect(memory_root(p, page), page, page + PAGE_BYTES,
                      region_find(&p->regions, page)->prot);
    home_fault_done(p, vcoreid);
}

/* The copy takes the place of the object's page, which other cores may still read, but nobody writes:
 * until they have dropped that translation, nobody writes the copy either, so that all see the same. */
static int replace(struct process *p, const struct region *region, uint64_t page, frame_t old)
{
    frame_t root = memory_root(p, page);
    int error = arch_user_split(root, page / LARGE_BYTES * LARGE_BYTES + PAGE_BYTES, &p->account);
    frame_t frame = error ? FRAME_NONE : copy_make(p, old, &error);
    if (!frame)
        return error;
    arch_user_replace(root, page, frame, region->prot & ~(unsigned)PROT_W);
    return 0;
}

static int replace_one(struct process *p, unsigned vcoreid, const struct region *region,
                       uint64_t page, frame_t old)
{
    int error = replace(p, region, page, old);
    if (error)
        return error;
    if (memory_flush(p, vcoreid, page, 1, copy_done, (void *)page) == CALL_LATER)
        return FAULT_LATER;
    arch_user_protect(memory_root(p, page), page, page + PAGE_BYTES, region->prot);
    return 0;
}

int memory_fault_copy(struct process *p, unsigned vcoreid, const struct region *region,
                      const struct user_fault *fault)
{
    uint64_t page = fault->address & ~(uint64_t)(PAGE_BYTES - 1);
    frame_t old = memory_find(p, page);
    int writes = (fault->access & PROT_W) != 0;
    if (!old)
        return writes ? map_copy(p, region, page) : map_shared(p, region, page);
    if (!writes)
        return -E_EXISTS;
    if (memory_busy(p))
        return memory_wait_fault(p, vcoreid, fault);
    if (frame_kind(old) == FRAME_USER)
        return -E_EXISTS;
    return replace_one(p, vcoreid, region, page, old);
}

/* --- copies before they are written ---------------------------------------------------------- */

int memory_copies(const struct region *region)
{
    return region->kind == REGION_COPY && (region->prot & PROT_W) != 0;
}

static int is_own(const struct process *p, uint64_t page)
{
    frame_t frame = memory_find(p, page);
    return frame && frame_kind(frame) == FRAME_USER;
}

static int copy_ahead(struct process *p, const struct region *region, uint64_t page,
                      unsigned *replaced)
{
    frame_t old = memory_find(p, page);
    if (!old)
        return map_copy(p, region, page);
    if (frame_kind(old) == FRAME_USER)
        return 0;
    int error = replace(p, region, page, old);
    *replaced += !error;
    return error;
}

void memory_copy_permit(struct process *p, uint64_t base, uint64_t end)
{
    const struct region *region = region_find(&p->regions, base);
    for (uint64_t page = base; page < end; page += PAGE_BYTES) {
        if (page == region->end)
            region = region->next;
        if (memory_copies(region) && is_own(p, page))
            arch_user_protect(memory_root(p, page), page, page + PAGE_BYTES, region->prot);
    }
}

long memory_copy_ahead(struct process *p, unsigned vcoreid, uint64_t base, uint64_t end,
                       memory_done *done)
{
    unsigned replaced = 0;
    int error = 0;
    const struct region *region = region_find(&p->regions, base);
    for (uint64_t page = base; !error && page < end; page += PAGE_BYTES) {
        if (page == region->end)
            region = region->next;
        if (memory_copies(region))
            error = copy_ahead(p, region, page, &replaced);
    }
    if (!replaced)
        return error;
    unsigned pages = (unsigned)((end - base) / PAGE_BYTES);
    if (memory_flush(p, vcoreid, base, pages, done, NULL) == CALL_LATER) {
        p->change.base = base;
        p->change.end = end;
        p->change.result = error;
        return CALL_LATER;
    }
    memory_copy_permit(p, base, end);
    return error;
}
