/* Vcores' own slots, at the home: what is lent to their drivers, and had back. docs/slot.md. */
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/home.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "kernel/shared/shared.h"
#include "kernel/slot.h"

enum {
    LENT_FRAMES = 64,
    FEW_FRAMES = 8,     /* a driver that has so many left is lent no more */
    PAGE_FRAMES = 3,    /* a page and the tables that it may need */
    PART_OF_LIMIT = 32, /* of what a process may still have, so much is lent at once, at most */
};

static uint32_t frames_to_lend(const struct process *p, uint32_t left)
{
    uint32_t free = p->account.limit - p->account.used, part = free / PART_OF_LIMIT;
    if (left >= FEW_FRAMES || p->account.used >= p->account.limit)
        return 0;
    return part < LENT_FRAMES ? part : LENT_FRAMES;
}

/* The region of which a vcore's driver may make pages by itself, once it has frames; or NULL. */
static const struct region *lendable(struct process *p, unsigned vcoreid, uint64_t address)
{
    const struct vcore_record *record = process_record(p, vcoreid);
    if (record->core == this_core || !record->attached || record->stop_sent)
        return NULL;
    const struct region *region = region_find(&p->regions, address);
    int plain = region && region->kind == REGION_ANONYMOUS && region->prot && !region->evict;
    return plain ? region : NULL;
}

static void recall(struct process *p, unsigned vcoreid)
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (record->slot_recalled)
        return;
    record->slot_recalled = 1;
    p->awaited++;
    struct message m = {.head = message_head(MESSAGE_VCORE_RECALL)};
    m.word[0] = vcore_key(p->pid, vcoreid);
    m.word[1] = p->address;
    home_command(record->core, &m);
}

static int is_lent(struct process *p, unsigned vcoreid)
{
    const struct vcore_record *record = process_record(p, vcoreid);
    return record && record->slot_lent;
}

enum slot_answer slots_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault)
{
    unsigned id = (unsigned)(fault->address >> SLOT_SHIFT) - OWN_SLOT_FIRST;
    if (id >= OWN_SLOTS || !is_lent(p, id))
        return SLOT_OURS;
    const struct vcore_record *record = process_record(p, id);
    if (id == vcoreid && !record->slot_stuck && !fault->present &&
        lendable(p, id, fault->address) &&
        record->slot_left + frames_to_lend(p, record->slot_left) >= PAGE_FRAMES)
        return memory_busy(p) ? SLOT_AWAITED : SLOT_LENT;
    recall(p, id);
    return SLOT_AWAITED;
}

void slots_lend(struct process *p, unsigned vcoreid, uint64_t address, struct message *done)
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (!slot_holds(vcoreid, address) || memory_busy(p))
        return;
    const struct region *region = lendable(p, vcoreid, address);
    uint32_t frames = frames_to_lend(p, record->slot_left);
    if (!region || record->slot_left + frames < PAGE_FRAMES || account_charge(&p->account, frames))
        return;
    uint64_t base = address >> SLOT_SHIFT << SLOT_SHIFT, end = base + (1ull << SLOT_SHIFT);
    if (base < region->base)
        base = region->base;
    if (end > region->end)
        end = region->end;
    done->word[LENT_WINDOW] = base | region->prot;
    done->word[LENT_END] = end | frames;
    memory_pressure(p);
    frame_short(); /* drivers take frames that this kernel does not see */
    p->slots_lent += !record->slot_lent;
    record->slot_lent = 1;
}

int slots_ours(struct process *p, uint64_t base, uint64_t bytes)
{
    int ours = 1;
    for (unsigned id = 0; id < OWN_SLOTS && p->slots_lent; id++) {
        uint64_t slot = OWN_SLOT_FIRST + id;
        if (base >> SLOT_SHIFT > slot || (base + bytes - 1) >> SLOT_SHIFT < slot || !is_lent(p, id))
            continue;
        recall(p, id);
        ours = 0;
    }
    return ours;
}

void slots_returned(struct process *p, unsigned vcoreid, uint32_t frames)
{
    struct vcore_record *record = process_record(p, vcoreid);
    account_credit(&p->account, frames);
    p->slots_lent -= record->slot_lent;
    record->slot_lent = 0;
    if (!record->slot_recalled)
        return;
    record->slot_recalled = 0;
    p->awaited--;
    if (p->change.waiting || p->room)
        process_continue_later(p);
}
