/* The memory of a process, at its home: roots, mapping, demand-zero faults, giving back.
 * docs/memory.md. */
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/archive.h"
#include "kernel/kernel.h"
#include "kernel/memory_copy.h"
#include "kernel/object.h"
#include "kernel/process.h"
#include "kernel/slot.h"

uint64_t memory_slot_stop(uint64_t at, uint64_t end)
{
    uint64_t stop = ((at >> SLOT_SHIFT) + 1) << SLOT_SHIFT;
    return stop < end ? stop : end;
}

frame_t memory_root(const struct process *p, uint64_t address)
{
    uint16_t slot = (uint16_t)(address >> SLOT_SHIFT);
    for (const struct root *root = p->root, *end = root + p->roots; root < end; root++)
        if (root->slot == slot)
            return root->frame;
    return FRAME_NONE;
}

frame_t memory_root_make(struct process *p, uint64_t address, int *error)
{
    frame_t frame = memory_root(p, address);
    if (frame)
        return frame;
    if (p->roots == ROOTS_MAX) {
        *error = -E_LIMIT;
        return FRAME_NONE;
    }
    frame = arch_root_make(&p->account, error);
    if (frame) {
        p->root[p->roots] = (struct root){(uint16_t)(address >> SLOT_SHIFT), frame};
        home_tell_root(p, &p->root[p->roots++]);
    }
    return frame;
}

int memory_map_frame(struct process *p, uint64_t address, frame_t frame, unsigned prot)
{
    int error = 0;
    frame_t root = memory_root_make(p, address, &error);
    return root ? arch_user_map(root, address, frame, prot, &p->account) : error;
}

int memory_map_zeroed(struct process *p, uint64_t address, unsigned prot, frame_t *made)
{
    int error = 0;
    frame_t frame = account_alloc_zeroed(&p->account, FRAME_USER, &error);
    if (!frame)
        return error;
    error = memory_map_frame(p, address, frame, prot);
    if (error)
        account_free(&p->account, frame);
    else
        *made = frame;
    return error;
}

frame_t memory_find(const struct process *p, uint64_t address)
{
    struct user_piece piece;
    unsigned prot;
    frame_t root = memory_root(p, address);
    if (!root || !arch_user_find(root, address, &piece, &prot))
        return FRAME_NONE;
    return piece.frame + (frame_t)((address - piece.address) / PAGE_BYTES);
}

static int fault_object(struct process *p, const struct region *region, uint64_t page)
{
    int error;
    frame_t frame = object_frame(region->object, region->offset + (page - region->base), 1, &error);
    return frame ? memory_map_frame(p, page, frame, region->prot) : error;
}

/* The common case, in as few steps as can be. */
static inline __attribute__((always_inline)) int
fault_anonymous(struct process *p, const struct region *region, uint64_t page)
{
    int error = 0;
    frame_t root = memory_root(p, page);
    if (!root && !(root = memory_root_make(p, page, &error)))
        return error;
    frame_t frame = account_alloc_zeroed(&p->account, FRAME_USER, &error);
    if (!frame)
        return error;
    error = arch_user_map(root, page, frame, region->prot, &p->account);
    if (error)
        account_free(&p->account, frame);
    return error;
}

static __attribute__((noinline)) int resolve_other(struct process *p, unsigned vcoreid,
                                                   const struct region *region,
                                                   const struct user_fault *fault)
{
    uint64_t page = fault->address & ~(uint64_t)(PAGE_BYTES - 1);
    switch (region->kind) {
    case REGION_ARCHIVE:
        return memory_map_frame(p, page, archive_frame(page - region->base), region->prot);
    case REGION_OBJECT:
        return fault_object(p, region, page);
    default:
        return memory_fault_copy(p, vcoreid, region, fault);
    }
}

static inline __attribute__((always_inline)) int resolve(struct process *p, unsigned vcoreid,
                                                         const struct region *region,
                                                         const struct user_fault *fault)
{
    if (region->kind == REGION_ANONYMOUS)
        return fault_anonymous(p, region, fault->address & ~(uint64_t)(PAGE_BYTES - 1));
    return resolve_other(p, vcoreid, region, fault);
}

static __attribute__((noinline)) int fault_unresolved(struct process *p, unsigned vcoreid,
                                                      const struct region *region,
                                                      const struct user_fault *fault, int error)
{
    if (error == -E_LIMIT || error == -E_NO_MEMORY)
        return slots_ours(p, 0, USER_TOP) ? memory_make_room(p, vcoreid, fault, error)
                                          : memory_wait_fault(p, vcoreid, fault);
    if (region->evict)
        p->evict_none = 0;
    memory_pressure(p);
    if (error == -E_EXISTS) /* another vcore was first, or its translation was stale */
        return 0;
    return error;
}

int memory_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault)
{
    const struct region *region = region_find(&p->regions, fault->address);
    if (!region)
        return -E_NO_ENTRY;
    if (fault->access & ~(unsigned)region->prot)
        return -E_PERMISSION;
    enum slot_answer answer = p->slots_lent ? slots_fault(p, vcoreid, fault) : SLOT_OURS;
    if (__builtin_expect(answer != SLOT_OURS, 0))
        return answer == SLOT_LENT ? 0 : memory_wait_fault(p, vcoreid, fault);
    int error = resolve(p, vcoreid, region, fault);
    if (__builtin_expect(error, 0))
        return fault_unresolved(p, vcoreid, region, fault, error);
    if (region->evict)
        p->evict_none = 0;
    memory_pressure(p);
    return 0;
}

int memory_touch(struct process *p, unsigned vcoreid, const struct region *region, uint64_t page)
{
    struct user_fault fault = {.is_page_fault = 1, .address = page, .access = PROT_R};
    return resolve(p, vcoreid, region, &fault);
}

uint64_t memory_next(const struct process *p, uint64_t at, uint64_t end, unsigned *budget)
{
    while (at < end) {
        frame_t root = memory_root(p, at);
        uint64_t stop = memory_slot_stop(at, end);
        if (root) {
            uint64_t found = arch_user_next(root, at, stop, budget);
            if (found < stop)
                return found;
        }
        at = stop;
    }
    return end;
}

/* --- the end --------------------------------------------------------------------------------- */

void memory_free(struct process *p, const frame_t *frame, unsigned count, int large)
{
    if (large && frame_kind(*frame) == FRAME_USER)
        account_free_block(&p->account, *frame, LARGE_ORDER);
    account_free_user(&p->account, frame + large, count - (unsigned)large);
}

/* Pages and tables of the last root, then the root. */
static void give_back_of_root(struct process *p)
{
    const struct root *root = &p->root[p->roots - 1];
    uint64_t end = ((uint64_t)root->slot + 1) << SLOT_SHIFT;
    if (p->unmap_at >> SLOT_SHIFT != root->slot)
        p->unmap_at = (uint64_t)root->slot << SLOT_SHIFT;
    struct user_piece piece[CHANGE_PIECES];
    unsigned budget = MEMORY_STEPS;
    unsigned pieces = arch_user_take(root->frame, &p->unmap_at, end, piece, CHANGE_PIECES, &budget);
    for (unsigned i = 0; i < pieces; i++)
        memory_free(p, &piece[i].frame, 1, piece[i].pages > 1);
    if (p->unmap_at < end)
        return;
    account_free_user(&p->account, &root->frame, 1);
    p->roots--;
    p->unmap_at = 0;
}

int memory_give_back(struct process *p)
{
    if (p->roots) {
        give_back_of_root(p);
        return 0;
    }
    return region_free_some(&p->regions, &p->regions.first, FLUSH_PAGES);
}
