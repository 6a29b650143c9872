#include "kernel/home.h"
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/channel_end.h"
#include "kernel/control.h"
#include "kernel/event.h"
#include "kernel/kernel.h"
#include "kernel/memory_room.h"
#include "kernel/object.h"
#include "kernel/placement.h"
#include "kernel/process.h"
#include "kernel/slot.h"
#include "kernel/process_end.h"
#include "kernel/shared/shared.h"
#include "kernel/shared/user_word.h"
#include "kernel/supervisor.h"
#include "kernel/vcore.h"
#include "lib/string.h"

enum { RECORDS_PER_PAGE = PAGE_BYTES / sizeof(struct vcore_record) };
_Static_assert(RECORDS_PER_PAGE *RECORD_PAGES >= VCORES_MAX - 1, "records for all vcores");

struct vcore_record *process_record(struct process *p, unsigned vcoreid)
{
    if (vcoreid == 0)
        return &p->first;
    struct vcore_record *page = p->records[(vcoreid - 1) / RECORDS_PER_PAGE];
    return page ? &page[(vcoreid - 1) % RECORDS_PER_PAGE] : NULL;
}

/* Sends what must arrive. It cannot be refused: a home has at most COMMANDS_MAX under way for a
 * vcore; a ring takes those of a granted core, and kernel/placement.c says why there is room for
 * those of a management core; within a kernel no call returns to user mode before what it queued
 * is handled. */
void home_command(unsigned core, struct message *m)
{
    int refused = actor_send(actor_well_known(core, ACTOR_KERNEL), m);
    ASSERT(!refused);
}

/* The same, but at once if the driver is this kernel: for what starts a vcore. */
static int command_start(unsigned core, struct message *m)
{
    if (core == this_core)
        return vcore_command(m);
    home_command(core, m);
    return 0;
}

void home_tell_root(struct process *p, const struct root *root)
{
    for (unsigned id = 0, told = 0; id < VCORES_MAX && told < p->attached; id++) {
        struct vcore_record *record = process_record(p, id);
        if (!record || !record->attached)
            continue;
        told++;
        struct message m = {.head = message_head(MESSAGE_VCORE_SLOT)};
        m.word[0] = vcore_key(p->pid, id);
        m.word[1] = root->slot;
        m.word[2] = root->frame;
        command_start(record->core, &m);
    }
}

static uint32_t ticks_to_us(uint64_t ticks)
{
    return (uint32_t)(ticks / (arch_clock_hz() / 1000000));
}

/* --- vcores ---------------------------------------------------------------------------------- */

/* Makes the block of a vcore that was never granted: docs/vcore.md. What a failure leaves is mapped
 * and goes with the process. */
int home_vcore_make(struct process *p, unsigned vcoreid)
{
    if (!process_record(p, vcoreid) &&
        !(p->records[(vcoreid - 1) / RECORDS_PER_PAGE] = arch_private_alloc()))
        return -E_NO_MEMORY;
    struct vcore_record *record = process_record(p, vcoreid);
    if (record->message)
        return 0;
    uint64_t block = vcore_block(vcoreid);
    frame_t data, xsave, message, stack;
    int error = memory_map_zeroed(p, block, PROT_R | PROT_W, &data);
    if (!error)
        error = memory_map_zeroed(p, block + VCORE_XSAVE_OFFSET, PROT_R | PROT_W, &xsave);
    if (!error)
        error = memory_map_zeroed(p, block + VCORE_MESSAGE_OFFSET, PROT_R | PROT_W, &message);
    for (uint64_t at = 0; !error && at < VCORE_STACK_BYTES; at += PAGE_BYTES)
        error = memory_map_zeroed(p, block + VCORE_STACK_OFFSET + at, PROT_R | PROT_W, &stack);
    if (error)
        return error;
    struct vcore_data *vcore_data = frame_pointer(data);
    vcore_data->vcoreid = vcoreid;
    vcore_data->stack_top = block + VCORE_STACK_OFFSET + VCORE_STACK_BYTES;
    *record = (struct vcore_record){.data = data, .xsave = xsave, .message = message};
    if (p->made <= vcoreid)
        p->made = vcoreid + 1;
    event_rings_make(p, vcoreid);
    return 0;
}

int home_vcore_attach(struct process *p, unsigned vcoreid, unsigned core, frame_t saved)
{
    int error = home_vcore_make(p, vcoreid);
    if (error)
        return error;
    struct vcore_record *record = process_record(p, vcoreid);
    uint64_t key = vcore_key(p->pid, vcoreid);
    struct message m = {.head = message_head(MESSAGE_VCORE_ATTACH)};
    m.word[0] = key;
    m.word[1] = p->address;
    m.word[2] = record->data | (uint64_t)record->xsave << 32;
    m.word[3] = record->message | (uint64_t)p->data_frame << 32;
    m.word[4] = record->driver_written | (uint64_t)(p->state == PROCESS_RUNNING_M) << 32;
    m.word[5] = p->filter.permitted;
    error = command_start(core, &m);
    if (error)
        return error;
    if (event_rings_message(record, key, &m))
        command_start(core, &m);
    for (unsigned i = 0; i < p->roots; i++) {
        struct message slot = {.head = message_head(MESSAGE_VCORE_SLOT)};
        slot.word[0] = key;
        slot.word[1] = p->root[i].slot;
        slot.word[2] = p->root[i].frame;
        command_start(core, &slot);
    }
    struct message start = {.head = message_head(MESSAGE_VCORE_START)};
    start.word[0] = key;
    start.word[1] = saved;
    start.word[2] = placement_slice_us(core);
    command_start(core, &start);
    record->attached = 1;
    record->stop_sent = record->rings_awaited = record->abandoned = 0;
    record->core = (uint16_t)core;
    ASSERT(!core_set_has(p->cores, core));
    p->cores[core / 64] |= 1ull << core % 64;
    record->since = arch_clock();
    p->info->since_us[vcoreid] = ticks_to_us(record->since - boot_clock());
    p->attached++;
    return 0;
}

/* Nobody answers it any more. */
static void close_call(struct vcore_record *record)
{
    record->call_open = record->request_open = 0;
    record->waits_for = 0;
    record->handed_up = 0;
    if (record->channel_wait.end)
        channel_wait_end(&record->channel_wait);
}

void home_vcore_tell_stop(struct process *p, unsigned vcoreid, unsigned flags, long result)
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (record->stop_sent)
        return;
    struct message m = {.head = message_head(MESSAGE_VCORE_STOP)};
    m.word[0] = vcore_key(p->pid, vcoreid);
    m.word[1] = flags;
    m.word[2] = (uint64_t)result;
    m.word[3] = p->saved;
    home_command(record->core, &m);
    record->stop_sent = 1;
}

/* A vcore that this kernel drives is not told the result: it would be runnable until it has
 * stopped. */
void home_vcore_stop(struct process *p, unsigned vcoreid, unsigned flags, long result)
{
    struct vcore_record *record = process_record(p, vcoreid);
    home_vcore_tell_stop(p, vcoreid, flags, result);
    if (record->call_open && record->asker != ADDRESS_NONE)
        home_answer(p, vcoreid, result);
    close_call(record);
}

static __attribute__((noinline)) void answer_far(struct process *p, unsigned vcoreid,
                                                 uint64_t asker, long result)
{
    struct message m = {.head = message_head(MESSAGE_CALL_DONE)};
    m.word[0] = vcore_key(p->pid, vcoreid);
    m.word[1] = (uint64_t)result;
    actor_reply(p->actor, asker, &m);
}

void home_answer(struct process *p, unsigned vcoreid, long result)
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (!record->call_open)
        return;
    close_call(record);
    if (record->asker == ADDRESS_NONE) {
        vcore_answer(p->pid, vcoreid, result);
        return;
    }
    answer_far(p, vcoreid, record->asker, result);
}

/* --- notification ---------------------------------------------------------------------------- */

/* One VCORE_WAKE at a time is under way to a vcore: what is asked for meanwhile is sent when that
 * is answered. */
static void send_wake(struct process *p, unsigned vcoreid)
{
    struct vcore_record *record = process_record(p, vcoreid);
    uint64_t key = vcore_key(p->pid, vcoreid);
    if (record->core == this_core) {
        vcore_wake(key);
        return;
    }
    record->wake_again = record->wake_sent;
    if (record->wake_sent)
        return;
    record->wake_sent = 1;
    struct message m = {.head = message_head(MESSAGE_VCORE_WAKE), .word = {key, p->address}};
    home_command(record->core, &m);
}

static void on_woken(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    struct vcore_record *record = process_record(p, key_vcoreid(m->word[0]));
    int again = record->wake_again && record->attached && !record->stop_sent;
    record->wake_sent = record->wake_again = 0;
    if (again)
        send_wake(p, key_vcoreid(m->word[0]));
}

int home_notify(struct process *p, unsigned vcoreid)
{
    struct vcore_record *record = process_record(p, vcoreid);
    struct vcore_data *data = frame_pointer(record->data);
    user_flag_set(&data->notif_pending);
    int wakes = record->attached && !record->stop_sent && user_flag_read(&data->idle);
    if (wakes)
        send_wake(p, vcoreid);
    home_wake(p);
    return wakes;
}

static long call_notify(struct process *p, unsigned caller, long number, const long argument[4])
{
    unsigned long vcoreid = (unsigned long)argument[0], type = (unsigned long)argument[1];
    uint64_t payload[6] = {(uint64_t)argument[2]};
    if (type && type != EVENT_NOTIFY && (type < EVENT_STANDARD || type >= EVENT_TYPES))
        return -E_INVALID;
    struct vcore_record *record =
        vcoreid < VCORES_MAX ? process_record(p, (unsigned)vcoreid) : NULL;
    if (!record || !record->message)
        return -E_NO_ENTRY;
    if (!type)
        home_notify(p, (unsigned)vcoreid);
    else
        event_post_to(p, (unsigned)vcoreid, (enum event_type)type, caller, payload);
    return 0;
}

/* --- calls and faults ------------------------------------------------------------------------ */

static long call_exit(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (argument[0] & ~0xffl)
        return -E_INVALID;
    process_end(p, (int)argument[0], END_EXIT);
    return CALL_LATER;
}

/* Who answers each call at the home; those that are missing are the driver's. */
// clang-format off
static long (*const answers[SYSCALLS])(struct process *p, unsigned vcoreid, long number,
                                       const long argument[4]) = {
    [PANDO_exit] = call_exit,
    [PANDO_mem_map] = memory_call,
    [PANDO_mem_unmap] = memory_call,
    [PANDO_mem_protect] = memory_call,
    [PANDO_mem_pin] = memory_call,
    [PANDO_mem_unpin] = memory_call,
    [PANDO_mem_resident] = memory_call,
    [PANDO_mem_evict] = memory_call,
    [PANDO_cores_request] = cores_call,
    [PANDO_vcore_yield] = cores_call,
    [PANDO_vcore_notify] = call_notify,
    [PANDO_proc_create] = control_call,
    [PANDO_proc_run] = control_call,
    [PANDO_proc_wait] = control_call,
    [PANDO_proc_kill] = control_call,
    [PANDO_proc_give] = control_call,
    [PANDO_proc_limit] = control_call,
    [PANDO_proc_sandbox] = control_call,
    [PANDO_proc_watch] = control_call,
    [PANDO_proc_info] = control_call,
    [PANDO_proc_call] = control_call,
    [PANDO_proc_reply] = control_call,
    [PANDO_proc_arguments] = control_call,
    [PANDO_proc_image] = control_call,
    [PANDO_handle_close] = handle_call,
    [PANDO_handle_duplicate] = handle_call,
    [PANDO_handle_info] = handle_call,
    [PANDO_event_rings] = event_call,
    [PANDO_partition_root] = handle_call,
    [PANDO_channel_create] = channel_call,
    [PANDO_channel_send] = channel_send_call,
    [PANDO_channel_receive] = channel_receive_call,
    [PANDO_channel_ring] = channel_call,
    [PANDO_channel_watch] = channel_call,
    [PANDO_object_create] = object_call,
    [PANDO_object_map] = object_call,
    [PANDO_object_bytes] = object_call,
};
// clang-format on

static long call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (!filter_permits(p->filter.permitted, number))
        return filter_refuse(p, vcoreid, number, argument);
    if (number < 0 || number >= SYSCALLS || !answers[number])
        return -E_NO_CALL;
    return answers[number](p, vcoreid, number, argument);
}

long home_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (p->state >= PROCESS_DYING || record->stop_sent)
        return CALL_LATER; /* its stop is on the way */
    record->asker = ADDRESS_NONE;
    record->call_open = 1;
    long result = call(p, vcoreid, number, argument);
    if (result != CALL_LATER)
        record->call_open = 0;
    return result;
}

void home_call_again(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    int stops = process_record(p, vcoreid)->stop_sent;
    long result = stops ? -E_GONE : call(p, vcoreid, number, argument);
    if (result != CALL_LATER)
        home_answer(p, vcoreid, result);
}

static void on_call(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    unsigned vcoreid = key_vcoreid(m->word[0]);
    struct vcore_record *record = process_record(p, vcoreid);
    long argument[4];
    memcpy(argument, &m->word[1], sizeof argument);
    record->asker = m->word[5];
    record->call_open = 1;
    long result = -E_GONE;
    if (p->state < PROCESS_DYING && !record->stop_sent)
        result = call(p, vcoreid, key_number(m->word[0]), argument);
    if (result != CALL_LATER)
        home_answer(p, vcoreid, result);
}

static const char *fault_reason(const struct user_fault *fault, int error)
{
    switch (error) {
    case -E_PERMISSION:
        return "the access is not permitted there";
    case -E_NO_MEMORY:
        return "out of memory";
    case -E_LIMIT:
        return "the process holds as many frames as it may";
    default:
        return fault->address >= USER_TOP ? "the address is not the process's"
               : fault->present           ? "the access is not permitted there"
                                          : "nothing is mapped there";
    }
}

static void log_fault(const struct process *p, unsigned vcoreid, unsigned core,
                      const struct user_fault *fault, int error)
{
    static const char *const access[] = {"access", "read", "write", "", "execution"};
    if (fault->is_page_fault)
        log_line("process %u (%s) vcore %u core %u: %s of %lx by the instruction at %lx: %s",
                 p->pid, p->name, vcoreid, core, access[fault->access < 5 ? fault->access : 0],
                 fault->address, fault->instruction, fault_reason(fault, error));
    else
        log_line("process %u (%s) vcore %u core %u: %s by the instruction at %lx", p->pid, p->name,
                 vcoreid, core, arch_fault_name(fault->vector), fault->instruction);
}

static enum end_reason end_reason(int error)
{
    return error == -E_NO_MEMORY ? END_MEMORY : error == -E_LIMIT ? END_LIMIT : END_FAULT;
}

static __attribute__((noinline)) int fault_unresolved(struct process *p, unsigned vcoreid,
                                                      const struct user_fault *fault, int error)
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (error == FAULT_LATER) {
        record->fault_open = 1;
        record->fault_address = fault->address;
        return error;
    }
    log_fault(p, vcoreid, record->core, fault, error);
    process_end(p, STATUS_FAULT, end_reason(error));
    return error;
}

static inline int resolve(struct process *p, const struct vcore_record *record, unsigned vcoreid,
                          const struct user_fault *fault)
{
    if (p->state >= PROCESS_DYING || record->stop_sent)
        return -E_GONE;
    int error = fault->is_page_fault ? memory_fault(p, vcoreid, fault) : -E_INVALID;
    return error ? fault_unresolved(p, vcoreid, fault, error) : 0;
}

int home_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault)
{
    struct vcore_record *record = process_record(p, vcoreid);
    record->asker = ADDRESS_NONE;
    return resolve(p, record, vcoreid, fault);
}

static struct message fault_done(uint64_t key, int error, uint64_t address)
{
    return (struct message){.head = message_head(MESSAGE_FAULT_DONE),
                            .word = {key, (uint64_t)error, address}};
}

/* Answers a fault that was put off. */
static void answer_fault(struct process *p, unsigned vcoreid, int error)
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (!record->fault_open)
        return;
    record->fault_open = 0;
    uint64_t key = vcore_key(p->pid, vcoreid);
    struct message done = fault_done(key, error, record->fault_address);
    if (record->asker != ADDRESS_NONE)
        actor_reply(p->actor, record->asker, &done);
    else if (!error)
        vcore_fault_resolved(key, record->fault_address);
}

void home_fault_done(struct process *p, unsigned vcoreid)
{
    answer_fault(p, vcoreid, 0);
}

void home_fault_again(struct process *p, unsigned vcoreid, const struct user_fault *fault)
{
    int error = resolve(p, process_record(p, vcoreid), vcoreid, fault);
    if (error != FAULT_LATER)
        answer_fault(p, vcoreid, error);
}

static void on_fault(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    unsigned vcoreid = key_vcoreid(m->word[0]);
    struct user_fault fault = {.address = m->word[1],
                               .access = m->word[2] & 0xff,
                               .present = m->word[2] >> 8 & 1,
                               .is_page_fault = m->word[2] >> 16 & 1,
                               .vector = (unsigned)(m->word[2] >> 32),
                               .instruction = m->word[3]};
    struct vcore_record *record = process_record(p, vcoreid);
    record->asker = m->word[5];
    record->slot_left = (uint32_t)m->word[4];
    record->slot_stuck = (m->word[4] & SLOT_STUCK) != 0;
    int error = resolve(p, record, vcoreid, &fault);
    if (error == FAULT_LATER)
        return;
    struct message done = fault_done(m->word[0], error, fault.address);
    if (!error)
        slots_lend(p, vcoreid, fault.address, &done);
    actor_reply(p->actor, m->word[5], &done);
}

/* --- stops ----------------------------------------------------------------------------------- */

void home_give_up(struct process *p)
{
    int refused = home_want_cores(p, 0);
    ASSERT(!refused);
    home_return_first_grant(p);
    p->change.waiting = 0;
    memory_room_leave(p);
    for (unsigned id = 0; id < p->made; id++) {
        struct vcore_record *record = process_record(p, id);
        if (!record || !record->attached)
            continue;
        record->call_waits = 0;
        home_vcore_stop(p, id, STOP_DROP, -E_GONE);
        answer_fault(p, id, -E_GONE);
    }
}

static void on_stopped(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    unsigned vcoreid = key_vcoreid(m->word[0]);
    struct vcore_record *record = process_record(p, vcoreid);
    record->attached = record->stop_sent = 0;
    close_call(record);
    record->driver_written = (uint32_t)m->word[2];
    slots_returned(p, vcoreid, (uint32_t)m->word[4]);
    p->cores[record->core / 64] &= ~(1ull << record->core % 64);
    p->attached--;
    p->info->vcoremap[vcoreid] = (struct vcoremap_entry){0};
    p->info->used_us[vcoreid] += ticks_to_us(m->word[3]);
    p->info->used_ticks += m->word[3];
    if (record->granted)
        home_return_core(p, record->core);
    else
        single_left(p, record->core);
    record->granted = 0;
    if (record->abandoned)
        event_post_to(p, p->single, EVENT_VCORE_GONE, vcoreid, (uint64_t[6]){record->core});
    if (m->word[1] && p->state < PROCESS_DYING) {
        log_line("process %u (%s): core %u has no memory left to drive its vcore %u", p->pid,
                 p->name, record->core, vcoreid);
        process_end(p, STATUS_KILLED, END_MEMORY);
    }
    if (p->state >= PROCESS_DYING)
        process_continue_end(p);
    else if (p->state == PROCESS_RUNNABLE_M)
        home_start_many(p);
    else if (p->state == PROCESS_RUNNABLE_S && !p->attached)
        single_place(p);
    else
        event_pass_on(p, vcoreid);
}

static void on_rings_done(struct actor *self, const struct message *m, unsigned from)
{
    event_rings_done(self->state, m);
}

static void on_recalled(struct actor *self, const struct message *m, unsigned from)
{
    slots_returned(self->state, key_vcoreid(m->word[0]), (uint32_t)m->word[1]);
}

static void on_grant(struct actor *self, const struct message *m, unsigned from)
{
    home_granted(self->state, m);
}

static void on_continue(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    p->continue_sent = 0;
    if (p->short_untold)
        memory_room_tell(p);
    memory_continue(p); /* of a dying process: drops a change that is under way */
    if (p->state >= PROCESS_DYING)
        process_continue_end(p);
}

static struct actor_class home_class = {
    .name = "process",
    .handler =
        {
            [MESSAGE_CALL] = on_call,
            [MESSAGE_FAULT] = on_fault,
            [MESSAGE_ALLOC_GRANT] = on_grant,
            [MESSAGE_VCORE_STOPPED] = on_stopped,
            [MESSAGE_VCORE_WOKEN] = on_woken,
            [MESSAGE_VCORE_RECALLED] = on_recalled,
            [MESSAGE_VCORE_RINGS_DONE] = on_rings_done,
            [MESSAGE_CONTINUE] = on_continue,
        },
};
ACTOR_CLASS(home_class)

int home_actor_make(struct process *p)
{
    int error = actor_create(&home_class, p, &p->actor);
    if (!error)
        p->address = actor_address(p->actor);
    return error;
}
