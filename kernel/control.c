#include "kernel/control.h"
#include "abi/error.h"
#include "kernel/kernel.h"
#include "kernel/process.h"

static long create(struct process *p, unsigned vcoreid, const long argument[4])
{
    if (argument[0] < 1 || argument[0] > PAGE_BYTES || argument[2] & ~(long)PROC_DETACHED)
        return -E_INVALID;
    int error = handle_room(p, 1);
    if (error)
        return error;
    struct process_plan plan = {
        .creator = p,
        .detached = (argument[2] & PROC_DETACHED) != 0,
        .strings = frame_pointer(process_record(p, vcoreid)->message),
        .bytes = (size_t)argument[0],
        .environment = (unsigned long)argument[3],
    };
    struct handle made = {.kind = HANDLE_PROCESS, .rights = RIGHTS_ALL};
    error = process_create(&plan, (struct process **)&made.object);
    if (error)
        return error;
    handle_hold(&made);
    return handle_add(p, &made);
}

/* --- the end of another ----------------------------------------------------------------------- */

/* Who waits for its end, as long as that call is open; NULL: nobody. */
static struct process *waiter_of(const struct process *p)
{
    struct process *waiter = p->waited_by ? process_find(p->waited_by) : NULL;
    struct vcore_record *record = waiter ? process_record(waiter, p->waiter_vcore) : NULL;
    return record && record->call_open && record->waits_for == p->pid ? waiter : NULL;
}

static long ending(const struct process *p)
{
    return p->status | (long)p->reason << 8;
}

static long wait_for(struct process *p, unsigned vcoreid, struct process *other)
{
    if (other->gone)
        return ending(other);
    if (waiter_of(other))
        return -E_STATE;
    other->waited_by = p->pid;
    other->waiter_vcore = vcoreid;
    process_record(p, vcoreid)->waits_for = other->pid;
    return CALL_LATER;
}

void control_gone(struct process *p)
{
    struct process *waiter = waiter_of(p);
    if (waiter)
        home_answer(waiter, p->waiter_vcore, ending(p));
}

static long kill(struct process *other, unsigned long flags)
{
    if (flags & ~(unsigned long)PROC_ABORT)
        return -E_INVALID;
    if (flags & PROC_ABORT)
        process_abort(other, STATUS_KILLED, END_KILLED);
    else
        process_end(other, STATUS_KILLED, END_KILLED);
    return 0;
}

/* --- the calls -------------------------------------------------------------------------------- */

static const uint8_t rights[SYSCALLS] = {
    [PANDO_proc_run] = RIGHT_CONTROL,
    [PANDO_proc_wait] = RIGHT_READ,
    [PANDO_proc_kill] = RIGHT_CONTROL,
};

long control_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (number == PANDO_proc_create)
        return create(p, vcoreid, argument);
    struct process *other;
    int error =
        handle_object(p, (unsigned long)argument[0], HANDLE_PROCESS, rights[number], &other);
    if (error)
        return error;
    switch (number) {
    case PANDO_proc_run:
        return process_run(other);
    case PANDO_proc_kill:
        return kill(other, (unsigned long)argument[1]);
    default:
        return wait_for(p, vcoreid, other);
    }
}
