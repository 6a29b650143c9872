#include "kernel/control.h"
#include "abi/error.h"
#include "kernel/image.h"
#include "kernel/kernel.h"
#include "kernel/memory_room.h"
#include "kernel/process.h"
#include "kernel/watch.h"

/* The memory object of a runtime image that a call names; 0: the system's, NULL. */
static int image_named(struct process *p, long number, struct memory_object **image)
{
    *image = NULL;
    return number ? handle_object(p, (unsigned long)number, HANDLE_MEMORY, RIGHT_MAP | RIGHT_READ,
                                  image)
                  : 0;
}

static long create(struct process *p, unsigned vcoreid, const long argument[4])
{
    if (argument[0] < 1 || argument[0] > PAGE_BYTES || argument[2] & ~(long)PROC_DETACHED)
        return -E_INVALID;
    struct memory_object *image;
    int error = image_named(p, argument[1], &image);
    if (!error)
        error = handle_room(p, 1);
    if (error)
        return error;
    struct process_plan plan = {
        .creator = p,
        .detached = (argument[2] & PROC_DETACHED) != 0,
        .image = image,
        .strings = frame_pointer(process_record(p, vcoreid)->message),
        .bytes = (size_t)argument[0],
        .environment = (unsigned long)argument[3],
    };
    struct handle made = {.kind = HANDLE_PROCESS, .rights = RIGHTS_ALL};
    error = process_create(&plan, (struct process **)&made.object);
    if (error == -E_NO_MEMORY && memory_room_ask(p))
        return memory_wait(p, vcoreid, PANDO_proc_create, argument);
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

static long watch(struct process *p, struct process *other, struct handle *entry,
                  const long argument[4])
{
    int error = watch_add(other, p, (uint16_t)argument[0]);
    if (!error)
        entry->note = (uint16_t)argument[0];
    return error;
}

void control_gone(struct process *p)
{
    struct process *waiter = waiter_of(p);
    if (waiter)
        home_answer(waiter, p->waiter_vcore, ending(p));
    watches_tell(p);
}

void control_leave(const struct handle *handle, struct process *holder)
{
    struct process *other = handle->object;
    watch_remove(other, holder, handle->note);
    if (other->filter.asker == holder && other->filter.asker_handle == handle->note)
        filter_asker_leaves(other);
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

/* --- what it begins with ----------------------------------------------------------------------- */

static long arguments(struct process *p, unsigned vcoreid, struct process *other,
                      const long argument[4])
{
    if (argument[1] < 1 || argument[1] > PAGE_BYTES)
        return -E_INVALID;
    if (other->state != PROCESS_CREATED)
        return -E_STATE;
    return process_set_strings(other, frame_pointer(process_record(p, vcoreid)->message),
                               (size_t)argument[1], (unsigned long)argument[2]);
}

static long image(struct process *p, struct process *other, long number)
{
    struct memory_object *object;
    struct image image;
    int error = image_named(p, number, &object);
    if (!error && other->state != PROCESS_CREATED)
        error = -E_STATE;
    if (!error)
        error = image_open(object, &image);
    return error ? error : image_replace(other, &image);
}

static long give(struct process *p, struct process *other, unsigned long number,
                 unsigned long given)
{
    struct handle *entry;
    if (given & ~(unsigned long)RIGHTS_ALL)
        return -E_PERMISSION;
    int error = handle_find(p, number, HANDLE_NONE, (unsigned)given | RIGHT_GIVE, &entry);
    if (error)
        return error;
    if (entry->kind == HANDLE_PROCESS && entry->object == other)
        return -E_INVALID;
    if (other->state != PROCESS_CREATED)
        return -E_STATE;
    struct handle copy = *entry;
    copy.rights = (uint8_t)given;
    copy.note = 0;
    long added = handle_add(other, &copy);
    if (added > 0)
        handle_hold(&copy);
    return added;
}

static long limit(const struct process *p, struct process *other, unsigned long frames,
                  unsigned long pinned)
{
    if (frames > p->account.limit || pinned > p->pin_limit || frames < other->account.used)
        return -E_INVALID;
    if (other->state != PROCESS_CREATED)
        return -E_STATE;
    other->account.limit = (uint32_t)frames;
    other->pin_limit = (uint32_t)pinned;
    return 0;
}

static long sandbox(struct process *p, struct process *other, struct handle *entry,
                    const long argument[4])
{
    long error = filter_set(p, other, (unsigned)argument[0], (uint64_t)argument[1],
                            (unsigned long)argument[2]);
    if (!error)
        entry->note = (uint16_t)argument[0]; /* the asker's, when there is one */
    return error;
}

static long info(struct process *p, unsigned vcoreid, const struct process *other)
{
    struct proc_info *info = frame_pointer(process_record(p, vcoreid)->message);
    *info = (struct proc_info){
        .pid = other->pid,
        .state = other->state,
        .status = (uint32_t)other->status,
        .reason = other->reason,
        .vcores = other->attached,
        .handles = other->handles.count,
        .frames = other->account.used,
        .frames_limit = other->account.limit,
        .pinned = memory_pinned(other),
        .pinned_limit = other->pin_limit,
        .permitted = other->filter.permitted,
        .used_ticks = other->info ? other->info->used_ticks : other->used_ticks,
    };
    return 0;
}

/* --- the calls -------------------------------------------------------------------------------- */

static const uint8_t rights[SYSCALLS] = {
    [PANDO_proc_run] = RIGHT_CONTROL,       [PANDO_proc_wait] = RIGHT_READ,
    [PANDO_proc_kill] = RIGHT_CONTROL,      [PANDO_proc_give] = RIGHT_CONTROL,
    [PANDO_proc_limit] = RIGHT_CONTROL,     [PANDO_proc_sandbox] = RIGHT_CONTROL,
    [PANDO_proc_watch] = RIGHT_READ,        [PANDO_proc_info] = RIGHT_READ,
    [PANDO_proc_call] = RIGHT_CONTROL,      [PANDO_proc_reply] = RIGHT_CONTROL,
    [PANDO_proc_arguments] = RIGHT_CONTROL, [PANDO_proc_image] = RIGHT_CONTROL,
};

long control_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (number == PANDO_proc_create)
        return create(p, vcoreid, argument);
    struct handle *entry;
    int error = handle_find(p, (unsigned long)argument[0], HANDLE_PROCESS, rights[number], &entry);
    if (error)
        return error;
    struct process *other = entry->object;
    unsigned long second = (unsigned long)argument[1], third = (unsigned long)argument[2];
    switch (number) {
    case PANDO_proc_run:
        return process_run(other);
    case PANDO_proc_wait:
        return wait_for(p, vcoreid, other);
    case PANDO_proc_kill:
        return kill(other, second);
    case PANDO_proc_give:
        return give(p, other, second, third);
    case PANDO_proc_limit:
        return limit(p, other, second, third);
    case PANDO_proc_sandbox:
        return sandbox(p, other, entry, argument);
    case PANDO_proc_watch:
        return watch(p, other, entry, argument);
    case PANDO_proc_info:
        return info(p, vcoreid, other);
    case PANDO_proc_arguments:
        return arguments(p, vcoreid, other, argument);
    case PANDO_proc_image:
        return image(p, other, argument[1]);
    case PANDO_proc_call:
        return filter_call(p, vcoreid, other, argument);
    default:
        return filter_reply(p, vcoreid, other, argument);
    }
}
