/* The end of a process: what it gives back, in which order. docs/process.md. */
#include "kernel/process_end.h"
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/charge.h"
#include "kernel/control.h"
#include "kernel/home.h"
#include "kernel/image.h"
#include "kernel/kernel.h"
#include "kernel/letter.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/reclaim.h"

enum {
    HANDLES_A_TURN = 32,
    CHILDREN_A_TURN = 16,
    CHARGES_A_TURN = 64
}; /* each has messages queued for it */

static void records_free(struct process *p)
{
    p->first = (struct vcore_record){0};
    for (unsigned i = 0; i < RECORD_PAGES; i++)
        if (p->records[i]) {
            arch_private_free(p->records[i]);
            p->records[i] = NULL;
        }
}

void process_undo(struct process *p, int error)
{
    while (!memory_give_back(p))
        ;
    ASSERT(p->account.used == 0);
    image_release(p);
    records_free(p);
    if (p->actor)
        actor_end(p->actor, -error, 0);
    process_forget(p);
}

/* A detached one that was run goes to the controller of its own, unless that is ending as well. 1: it
 * went. */
static int take_over(struct process *child, const struct process *p)
{
    const struct process *heir = p->parent ? process_find(p->parent) : NULL;
    if (!child->detached || child->state == PROCESS_CREATED ||
        (p->parent && (!heir || heir->state >= PROCESS_DYING)))
        return 0;
    child->parent = p->parent;
    child->detached = 0;
    return 1;
}

/* They end with their controller, or are taken over, some a turn; all have its creator from now on. 1: none is
 * left that lives. */
static int end_children(const struct process *p)
{
    unsigned ended = 0;
    for (struct process *child = process_after(NULL); child; child = process_after(child)) {
        if (child->parent == p->pid && child->state < PROCESS_DYING && !take_over(child, p)) {
            if (ended++ == CHILDREN_A_TURN)
                return 0;
            process_end(child, STATUS_KILLED, END_KILLED);
        }
        if (child->creator == p->pid)
            child->creator = p->creator;
    }
    return 1;
}

void process_continue_later(struct process *p)
{
    if (p->continue_sent)
        return;
    p->continue_sent = 1;
    struct message m = {.head = message_head(MESSAGE_CONTINUE)};
    int refused = actor_send(p->address, &m);
    ASSERT(!refused);
}

static void process_gone(struct process *p)
{
    ASSERT(p->account.used == 0);
    records_free(p);
    p->gone = 1;
    struct actor *actor = p->actor;
    p->actor = NULL;
    actor_end(actor, E_OK, (uint64_t)p->status);
    control_gone(p);
    if (!p->holds)
        process_forget(p);
}

/* The image goes when no table leads to its frames any more, and before what is told of the end is
 * waited for. */
static int mapped_give_back(struct process *p)
{
    if (!memory_give_back(p))
        return 0;
    image_release(p);
    return 1;
}

static int charges_leave(struct process *p)
{
    return !p->charges ||
           charges_hand_over(p, p->creator ? process_find(p->creator) : NULL, CHARGES_A_TURN);
}

void process_continue_end(struct process *p)
{
    if (p->attached || p->change.active || p->wants_open)
        return;
    if (p->info)
        p->used_ticks = p->info->used_ticks;
    p->info = NULL;
    if (p->saved) {
        account_free(&p->account, p->saved);
        p->saved = FRAME_NONE;
    }
    if (end_children(p) && handles_give_back(p, HANDLES_A_TURN) && mapped_give_back(p) &&
        letters_let_go(p, p->state == PROCESS_DYING_ABORT) && reclaim_for(p) && charges_leave(p))
        process_gone(p);
    else
        process_continue_later(p);
}

static void end(struct process *p, enum process_state state, int status, enum end_reason reason)
{
    process_set_state(p, state);
    p->status = status;
    p->reason = (uint8_t)reason;
    home_give_up(p);
    if (!p->attached)
        process_continue_later(p);
}

void process_end(struct process *p, int status, enum end_reason reason)
{
    if (p->state < PROCESS_DYING)
        end(p, PROCESS_DYING, status, reason);
}

void process_abort(struct process *p, int status, enum end_reason reason)
{
    if (p->state < PROCESS_DYING)
        end(p, PROCESS_DYING_ABORT, status, reason);
    else if (p->state == PROCESS_DYING && !p->gone)
        process_set_state(p, PROCESS_DYING_ABORT);
}
