#include "kernel/filter.h"
#include "abi/error.h"
#include "kernel/event.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "lib/string.h"

struct filter filter_inherited(const struct process *creator)
{
    struct filter filter = {.permitted = ~0ull, .action = FILTER_ERROR};
    if (creator) {
        filter.permitted = creator->filter.permitted;
        if (creator->filter.action == FILTER_END)
            filter.action = FILTER_END;
    }
    return filter;
}

/* Parks the call; the asker is told, and can ask again by proc_call. */
static long hand_up(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (!p->filter.asker)
        return -E_FILTERED;
    struct vcore_record *record = process_record(p, vcoreid);
    record->handed_up = 1;
    record->number = number;
    memcpy(record->argument, argument, sizeof record->argument);
    uint64_t payload[6] = {vcoreid, (uint64_t)number};
    memcpy(&payload[2], argument, sizeof record->argument);
    event_post(p->filter.asker, EVENT_CHILD_CALL, p->filter.asker_handle, payload);
    return CALL_LATER;
}

long filter_refuse(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    switch (p->filter.action) {
    case FILTER_END:
        log_line("process %u (%s) vcore %u: call %ld is not permitted", p->pid, p->name, vcoreid,
                 number);
        process_end(p, STATUS_KILLED, END_FILTERED);
        return CALL_LATER;
    case FILTER_ASK:
        return hand_up(p, vcoreid, number, argument);
    default:
        return -E_FILTERED;
    }
}

static struct vcore_record *handed_up(struct process *p, unsigned long vcoreid)
{
    struct vcore_record *record =
        vcoreid < VCORES_MAX ? process_record(p, (unsigned)vcoreid) : NULL;
    return record && record->call_open && record->handed_up ? record : NULL;
}

void filter_asker_leaves(struct process *p)
{
    p->filter.asker = NULL;
    for (unsigned id = 0; id < VCORES_MAX; id++)
        if (handed_up(p, id))
            home_answer(p, id, -E_FILTERED);
}

long filter_set(struct process *p, struct process *other, unsigned number, uint64_t permitted,
                unsigned long action)
{
    if (action >= FILTER_ACTIONS)
        return -E_INVALID;
    if (other->state != PROCESS_CREATED)
        return -E_STATE;
    struct filter *filter = &other->filter;
    filter->permitted &= permitted | 1ull << PANDO_exit;
    filter->action = (uint8_t)action;
    filter->asker = action == FILTER_ASK ? p : NULL;
    filter->asker_handle = action == FILTER_ASK ? (uint16_t)number : 0;
    return 0;
}

/* The call of a vcore that p is to answer: 0, -E_PERMISSION, -E_EMPTY. */
static int find_call(struct process *p, struct process *other, unsigned long which,
                     struct vcore_record **record)
{
    if (other->filter.asker != p)
        return -E_PERMISSION;
    *record = handed_up(other, which);
    return *record ? 0 : -E_EMPTY;
}

long filter_call(struct process *p, unsigned vcoreid, struct process *other, unsigned long which)
{
    struct vcore_record *record;
    int error = find_call(p, other, which, &record);
    if (error)
        return error;
    memcpy(frame_pointer(process_record(p, vcoreid)->message), record->argument,
           sizeof record->argument);
    return record->number;
}

long filter_reply(struct process *p, struct process *other, unsigned long which, long result)
{
    struct vcore_record *record;
    int error = find_call(p, other, which, &record);
    if (!error)
        home_answer(other, (unsigned)which, result);
    return error;
}
