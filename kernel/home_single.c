/* A process in _S, at its home: where its single context runs, how it yields and waits, how a vcore
 * of _M becomes it; and what wakes a process that waits. docs/process.md, docs/vcore.md. */
#include "abi/error.h"
#include "abi/syscall.h"
#include "kernel/control.h"
#include "kernel/home.h"
#include "kernel/kernel.h"
#include "kernel/placement.h"
#include "kernel/process.h"
#include "kernel/shared/user_word.h"
#include "kernel/vcore.h"

/* --- its place -------------------------------------------------------------------------------- */

int single_attach(struct process *p)
{
    unsigned core = placement_take();
    p->info->vcoremap[p->single] = (struct vcoremap_entry){VCORE_RUNNING, (uint16_t)core};
    int error = home_vcore_attach(p, p->single, core, p->in_frame ? p->saved : FRAME_NONE);
    if (error) {
        placement_leave(core, 0);
        p->info->vcoremap[p->single] = (struct vcoremap_entry){0};
        return error;
    }
    p->in_frame = 0;
    return 0;
}

int single_place(struct process *p)
{
    int error = single_attach(p);
    if (error) {
        log_line("process %u (%s): out of memory for its context", p->pid, p->name);
        process_end(p, STATUS_KILLED, END_MEMORY);
        return error;
    }
    process_set_state(p, PROCESS_RUNNING_S);
    return 0;
}

void single_left(struct process *p, unsigned core)
{
    placement_leave(core, p->rests);
    p->rests = 0;
}

void single_rest(struct process *p)
{
    placement_wait(process_record(p, p->single)->core);
    p->rests = 1;
}

void single_resume(struct process *p)
{
    placement_wake(process_record(p, p->single)->core);
    p->rests = 0;
}

/* --- its context ------------------------------------------------------------------------------ */

static int frame_for_context(struct process *p)
{
    int error = 0;
    if (!p->saved)
        p->saved = account_alloc_zeroed(&p->account, FRAME_USER, &error);
    return error;
}

/* The vcore is in a call, whose result is to be 0 wherever it goes on. */
static void take_out(struct process *p, unsigned vcoreid)
{
    p->in_frame = 1;
    home_vcore_stop(p, vcoreid, STOP_SAVE, 0);
}

/* RUNNABLE_S with the context parked in a call: it goes where there is room, or goes on here.
 * Returns whether it goes on. */
static int go_on(struct process *p)
{
    if (placement_idler(process_record(p, p->single)->core) && !frame_for_context(p)) {
        take_out(p, p->single);
        return 0;
    }
    process_set_state(p, PROCESS_RUNNING_S);
    return 1;
}

/* --- yields, and what wakes ------------------------------------------------------------------- */

int home_take_pending(struct process *p)
{
    int any = 0;
    for (unsigned id = 0; id < p->made; id++) {
        struct vcore_record *record = process_record(p, id);
        if (!record || !record->data)
            continue;
        struct vcore_data *data = frame_pointer(record->data);
        any |= user_flag_take(&data->notif_pending);
    }
    return any;
}

long single_yield(struct process *p, unsigned long flags)
{
    if (!(flags & YIELD_WAIT)) {
        process_set_state(p, PROCESS_RUNNABLE_S);
        return go_on(p) ? 0 : CALL_LATER;
    }
    if (home_take_pending(p))
        return 0;
    process_set_state(p, PROCESS_WAITING);
    p->waits = WAITS_FOR_EVENT;
    single_rest(p);
    return CALL_LATER;
}

void home_wake(struct process *p)
{
    if (p->state != PROCESS_WAITING || p->waits != WAITS_FOR_EVENT)
        return;
    if (p->many) {
        home_wake_many(p);
        return;
    }
    home_take_pending(p);
    single_resume(p);
    process_set_state(p, PROCESS_RUNNABLE_S);
    if (go_on(p))
        home_answer(p, p->single, 0);
}

/* --- from _M ---------------------------------------------------------------------------------- */

/* A call that may wait for long is taken back: the stop does not wait for it. Others are answered
 * by themselves, and then their vcores stop. */
static int waits_long(const struct vcore_record *record)
{
    return record->request_open || record->waits_for || record->handed_up ||
           record->channel_wait.end;
}

static void abandon(struct process *p, unsigned vcoreid)
{
    struct vcore_record *record = process_record(p, vcoreid);
    record->abandoned = 1;
    p->info->vcoremap[vcoreid].state = VCORE_LEAVING;
    home_vcore_tell_stop(p, vcoreid, STOP_ABANDON, 0);
    if (waits_long(record))
        home_answer(p, vcoreid, -E_GONE);
}

long single_become(struct process *p, unsigned vcoreid)
{
    int error = frame_for_context(p);
    if (error)
        return error;
    process_set_state(p, PROCESS_RUNNABLE_S);
    p->single = (uint16_t)vcoreid;
    p->many = 0;
    p->wanted = p->granted = p->requests = 0;
    for (unsigned id = 0; id < p->made; id++) {
        struct vcore_record *record = process_record(p, id);
        if (id != vcoreid && record && record->attached && !record->stop_sent)
            abandon(p, id);
    }
    p->info->vcoremap[vcoreid].state = VCORE_LEAVING;
    home_show_cores(p);
    home_tell_wanted(p);
    take_out(p, vcoreid);
    return CALL_LATER;
}
