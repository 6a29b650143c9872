/* A vcore's own slot, at the kernel that drives it. docs/slot.md. */
#include "kernel/slot.h"
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/message.h"

static struct slot_window *window_find(struct own_slot *slot, uint64_t address)
{
    for (struct slot_window *w = slot->window; w < slot->window + SLOT_WINDOWS; w++)
        if (address - w->base < w->end - w->base)
            return w;
    return NULL;
}

static const struct slot_window *window_for(struct own_slot *slot, const struct user_fault *fault)
{
    const struct slot_window *w = window_find(slot, fault->address);
    return w && (w->prot & fault->access) == fault->access ? w : NULL;
}

int slot_fault(struct own_slot *slot, const struct user_fault *fault)
{
    int error = 0;
    const struct slot_window *window = window_for(slot, fault);
    if (!window || fault->present)
        return 0;
    frame_t frame = account_alloc_zeroed(&slot->account, FRAME_USER, &error);
    if (!frame)
        return 0;
    error = arch_user_map(slot->root, fault->address & ~(uint64_t)(PAGE_BYTES - 1), frame,
                          window->prot, &slot->account);
    if (error)
        account_free(&slot->account, frame);
    return !error || error == -E_EXISTS;
}

/* A page may need two tables with it. */
enum { FRAMES_A_PAGE = 3 };

uint64_t slot_word(struct own_slot *slot, const struct user_fault *fault)
{
    uint32_t left = slot->account.limit - slot->account.used;
    int stuck = window_for(slot, fault) && left >= FRAMES_A_PAGE && !fault->present;
    return left | (stuck ? SLOT_STUCK : 0);
}

void slot_lend(struct own_slot *slot, const struct message *m)
{
    uint64_t low = PAGE_BYTES - 1, window = m->word[LENT_WINDOW], end = m->word[LENT_END];
    slot->account.limit += (uint32_t)(end & low);
    if (!window)
        return;
    struct slot_window *to = window_find(slot, window & ~low); /* regions that are lent only grow */
    if (!to) {
        to = &slot->window[slot->next];
        slot->next = (slot->next + 1) % SLOT_WINDOWS;
    }
    *to = (struct slot_window){window & ~low, end & ~low, window & low};
}

uint32_t slot_return(struct own_slot *slot)
{
    uint32_t left = slot->account.limit - slot->account.used;
    slot->account.limit = slot->account.used;
    for (unsigned i = 0; i < SLOT_WINDOWS; i++)
        slot->window[i] = (struct slot_window){0};
    return left;
}
