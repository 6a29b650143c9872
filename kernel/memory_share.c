/* Memory of a process that becomes an object's, so that others can map it too. docs/object.md. */
#include <stddef.h>
#include "abi/error.h"
#include "abi/layout.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/memory_move.h"
#include "kernel/object.h"
#include "kernel/process.h"

static int share_check(struct process *p, uint64_t addr, unsigned pages)
{
    if (!pages || pages > MESSAGE_PAGES)
        return -E_INVALID;
    uint64_t bytes = (uint64_t)pages * PAGE_BYTES;
    int error = memory_range_check(addr, bytes);
    if (!error && !region_covers(&p->regions, addr, addr + bytes))
        error = -E_NO_ENTRY;
    return error;
}

static uint64_t next_page(const struct process *p, uint64_t at, uint64_t end)
{
    unsigned budget = MEMORY_STEPS; /* more than there are pages to end */
    return memory_next(p, at, end, &budget);
}

/* Whether a page of the range was written and copied. */
static int any_copied(const struct process *p, uint64_t addr, uint64_t end)
{
    for (uint64_t at = next_page(p, addr, end); at < end; at = next_page(p, at + PAGE_BYTES, end))
        if (frame_kind(memory_find(p, at)) == FRAME_USER)
            return 1;
    return 0;
}

/* The range is one mapping of an object already. */
static int share_found(struct process *p, const struct region *region, uint64_t addr,
                       struct share *share)
{
    uint64_t end = addr + share->pages * (uint64_t)PAGE_BYTES;
    if (end > region->end || region->kind != (share->copy ? REGION_COPY : REGION_OBJECT) ||
        (share->copy && any_copied(p, addr, end)))
        return -E_STATE;
    share->object = region->object;
    share->offset = region->offset + (addr - region->base);
    object_hold(share->object);
    return 0;
}

/* The process's frames become the object's. */
static void give_frames(struct process *p, uint64_t addr, uint64_t end,
                        struct memory_object *object)
{
    for (uint64_t at = next_page(p, addr, end); at < end; at = next_page(p, at + PAGE_BYTES, end))
        object_give(object, (unsigned)((at - addr) / PAGE_BYTES), memory_find(p, at));
}

/* The pages can be written no more. 1: some could. */
static int forbid_writing(struct process *p, uint64_t addr, uint64_t end)
{
    int written = 0;
    for (uint64_t stop; addr < end; addr = stop) {
        frame_t root = memory_root(p, addr);
        stop = memory_slot_stop(addr, end);
        written |= root && arch_user_copy(root, addr, stop);
    }
    return written;
}

static int share_make(struct process *p, uint64_t addr, uint64_t end, struct share *share,
                      int *written)
{
    if (!region_all_are(&p->regions, addr, end, REGION_ANONYMOUS))
        return -E_STATE;
    struct memory_object *object;
    int error = object_make(p, end - addr, &object);
    if (error)
        return error;
    error = object_prepare(object, share->pages);
    if (!error)
        error = memory_cut(p, addr, end);
    if (error) {
        object_release(object);
        return error;
    }
    region_become(&p->regions, addr, end, share->copy ? REGION_COPY : REGION_OBJECT, object);
    give_frames(p, addr, end, object);
    *written = share->copy && forbid_writing(p, addr, end);
    share->object = object;
    return 0;
}

long memory_share(struct process *p, unsigned vcoreid, uint64_t addr, unsigned pages,
                  enum page_mode how, struct share *share, memory_done *done, void *context)
{
    *share = (struct share){.pages = pages, .copy = how == PAGES_SHARE_COPY};
    int error = share_check(p, addr, pages), written = 0;
    if (error)
        return error;
    uint64_t end = addr + (uint64_t)pages * PAGE_BYTES;
    const struct region *region = region_find(&p->regions, addr);
    error = region->object ? share_found(p, region, addr, share)
                           : share_make(p, addr, end, share, &written);
    return error || !written ? error : memory_flush(p, vcoreid, addr, pages, done, context);
}

int memory_put_share(struct process *p, uint64_t addr, struct share *share)
{
    uint64_t bytes = share->pages * (uint64_t)PAGE_BYTES;
    int error = memory_range_check(addr, bytes);
    if (error)
        return error;
    unsigned most = share->copy ? PROT_R | PROT_W | PROT_X : PROT_R | PROT_X;
    struct region wanted = {
        .base = addr,
        .end = addr + bytes,
        .kind = share->copy ? REGION_COPY : REGION_OBJECT,
        .prot = share->copy ? PROT_R | PROT_W : PROT_R,
        .most = (uint8_t)most,
        .object = share->object,
        .offset = share->offset,
    };
    error = memory_add_object(p, &wanted);
    if (!error)
        share_free(share);
    return error;
}

void share_free(struct share *share)
{
    if (share->object)
        object_release(share->object);
    share->object = NULL;
}
