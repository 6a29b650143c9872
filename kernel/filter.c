#include "kernel/filter.h"
#include "abi/error.h"
#include "kernel/event.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "lib/string.h"

struct filter filter_inherited(const struct process *creator)
{
    if (!creator)
        return (struct filter){.permitted = ~0ull};
    return (struct filter){.permitted = creator->filter.permitted, .ends = creator->filter.ends};
}

/* Parks the call; the asker is told, and can ask again by proc_call. What did not come with the call
 * lies in the vcore's block: the process may change it, as it may what it calls with. */
static long hand_up(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (!p->filter.asker)
        return -E_FILTERED;
    struct vcore_record *record = process_record(p, vcoreid);
    record->handed_up = 1;
    record->number = number;
    const struct vcore_data *data = frame_pointer(record->data);
    memcpy(record->argument, argument, 4 * sizeof argument[0]);
    memcpy(&record->argument[4], data->call_more, sizeof data->call_more);
    uint64_t payload[6] = {CHILD_CALL(vcoreid, number)};
    memcpy(&payload[1], record->argument, 5 * sizeof payload[0]);
    event_post(p->filter.asker, EVENT_CHILD_CALL, p->filter.asker_handle, payload);
    return CALL_LATER;
}

long filter_refuse(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (!filter_permits(p->filter.ends, number))
        return filter_permits(p->filter.asks, number) ? hand_up(p, vcoreid, number, argument)
                                                      : -E_FILTERED;
    log_line("process %u (%s) vcore %u: call %ld is not permitted", p->pid, p->name, vcoreid,
             number);
    process_end(p, STATUS_KILLED, END_FILTERED);
    return CALL_LATER;
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
    uint64_t refused = ~(permitted | 1ull << PANDO_exit);
    if (action == FILTER_ASK) {
        if (filter->asker && filter->asker != p)
            return -E_PERMISSION;
        filter->asker = p;
        filter->asker_handle = (uint16_t)number;
        filter->asks |= refused;
    }
    if (action == FILTER_END)
        filter->ends |= refused;
    filter->permitted &= ~refused;
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

/* A message page to another's. */
static void page_copy(const struct vcore_record *to, const struct vcore_record *from)
{
    memcpy(frame_pointer(to->message), frame_pointer(from->message), PAGE_BYTES);
}

long filter_call(struct process *p, unsigned vcoreid, struct process *other, const long argument[4])
{
    const struct vcore_record *own = process_record(p, vcoreid);
    struct vcore_record *record;
    if (argument[2] & ~(long)CALL_MESSAGE)
        return -E_INVALID;
    int error = find_call(p, other, (unsigned long)argument[1], &record);
    if (error)
        return error;
    if (argument[2])
        page_copy(own, record);
    else
        memcpy(frame_pointer(own->message), record->argument, sizeof record->argument);
    return record->number;
}

long filter_reply(struct process *p, unsigned vcoreid, struct process *other,
                  const long argument[4])
{
    struct vcore_record *record;
    if (argument[3] & ~(long)REPLY_MESSAGE)
        return -E_INVALID;
    int error = find_call(p, other, (unsigned long)argument[1], &record);
    if (error)
        return error;
    if (argument[3])
        page_copy(record, process_record(p, vcoreid));
    home_answer(other, (unsigned)argument[1], argument[2]);
    return 0;
}
