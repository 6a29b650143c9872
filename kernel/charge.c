#include "kernel/charge.h"
#include <stddef.h>
#include "abi/error.h"
#include "abi/layout.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "lib/string.h"

static void enter(struct charge *charge, struct process *p)
{
    charge->process = p;
    charge->next = p->charges;
    charge->at = &p->charges;
    if (charge->next)
        charge->next->at = &charge->next;
    p->charges = charge;
}

void charge_open(struct charge *charge, struct process *p)
{
    charge->frames = 0;
    enter(charge, p);
}

static void leave(struct charge *charge)
{
    *charge->at = charge->next;
    if (charge->next)
        charge->next->at = charge->at;
    account_credit(&charge->process->account, charge->frames);
    charge->process = NULL;
}

void charge_close(struct charge *charge)
{
    ASSERT(charge->frames == 0);
    if (charge->process)
        leave(charge);
}

static void credit(struct charge *charge, unsigned frames)
{
    if (charge->process)
        account_credit(&charge->process->account, frames);
}

void charge_credit(struct charge *charge, unsigned frames)
{
    ASSERT(charge->frames >= frames);
    charge->frames -= frames;
    credit(charge, frames);
}

frame_t charge_alloc(struct charge *charge, enum frame_kind kind, int *error)
{
    *error = charge->process ? account_charge(&charge->process->account, 1) : 0;
    frame_t frame =
        *error ? FRAME_NONE : frame_alloc(ZONE_GENERAL, kind, owned_by_kernel(this_core));
    if (frame) {
        page_clear(frame_pointer(frame));
        charge->frames++;
    } else if (!*error) {
        *error = -E_NO_MEMORY;
        credit(charge, 1);
    }
    return frame;
}

void charge_free(struct charge *charge, frame_t frame)
{
    charge_credit(charge, 1);
    frame_free(frame);
}

void charge_adopt(struct charge *charge, unsigned frames)
{
    charge->frames += frames;
}

int charge_move(struct charge *charge, unsigned frames, struct process *to)
{
    if (charge->process == to) {
        charge->frames -= frames;
        return 0;
    }
    int error = account_charge(&to->account, frames);
    if (!error)
        charge_credit(charge, frames);
    return error;
}

void charge_move_back(struct charge *charge, unsigned frames, struct process *from)
{
    charge->frames += frames;
    if (charge->process == from)
        return;
    account_credit(&from->account, frames);
    if (charge->process)
        charge->process->account.used += frames; /* they were within its limit */
}

/* May put `to` above its limit. */
static void hand_over(struct charge *charge, struct process *to)
{
    leave(charge);
    enter(charge, to);
    to->account.used += charge->frames;
}

int charges_hand_over(struct process *p, struct process *to, unsigned most)
{
    for (; p->charges && most; most--)
        if (to)
            hand_over(p->charges, to);
        else
            leave(p->charges);
    if (to)
        memory_pressure(to);
    return p->charges == NULL;
}
