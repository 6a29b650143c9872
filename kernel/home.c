#include "kernel/home.h"
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/cores.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "kernel/shared/shared.h"
#include "kernel/shared/user_word.h"
#include "kernel/vcore.h"
#include "lib/string.h"

enum { RECORDS_PER_PAGE = PAGE_BYTES / sizeof(struct vcore_record) };
_Static_assert(RECORDS_PER_PAGE * RECORD_PAGES >= VCORES_MAX, "records for all vcores");

struct vcore_record *process_record(struct process *p, unsigned vcoreid)
{
    struct vcore_record *page = p->records[vcoreid / RECORDS_PER_PAGE];
    return page ? &page[vcoreid % RECORDS_PER_PAGE] : NULL;
}

/* Sends what must arrive. It cannot be refused: a home has at most ROOTS_MAX + 4 messages under way for a vcore, and
 * a ring takes more than that; within a kernel the same holds for one command a turn of its loop. */
static void command(unsigned core, struct message *m)
{
    int refused = actor_send(actor_well_known(core, ACTOR_KERNEL), m);
    ASSERT(!refused);
}

unsigned home_tell_drivers(struct process *p, struct message *m)
{
    unsigned told = 0;
    for (unsigned id = 0; id < VCORES_MAX && told < p->attached; id++) {
        struct vcore_record *record = process_record(p, id);
        if (!record || !record->attached)
            continue;
        m->word[0] = vcore_key(p->pid, id);
        command(record->core, m);
        told++;
    }
    return told;
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
        if (record->core != this_core || vcore_set_slot(m.word[0], root->slot, root->frame))
            command(record->core, &m);
    }
}

/* --- vcores ---------------------------------------------------------------------------------------- */

/* Makes the block of a vcore that was never granted: docs/vcore.md. What a failure leaves is mapped and goes
 * with the process. */
int home_vcore_make(struct process *p, unsigned vcoreid)
{
    struct vcore_record **page = &p->records[vcoreid / RECORDS_PER_PAGE];
    if (!*page && !(*page = arch_private_alloc()))
        return -E_NO_MEMORY;
    struct vcore_record *record = process_record(p, vcoreid);
    if (record->message)
        return 0;
    uint64_t block = PROCDATA_BASE + (1 + (uint64_t)vcoreid) * VCORE_STRIDE;
    frame_t data = memory_map_zeroed(p, block, PROT_R | PROT_W);
    frame_t xsave = memory_map_zeroed(p, block + VCORE_XSAVE_OFFSET, PROT_R | PROT_W);
    frame_t message = memory_map_zeroed(p, block + VCORE_MESSAGE_OFFSET, PROT_R | PROT_W);
    if (!data || !xsave || !message)
        return -E_NO_MEMORY;
    for (uint64_t at = 0; at < VCORE_STACK_BYTES; at += PAGE_BYTES)
        if (!memory_map_zeroed(p, block + VCORE_STACK_OFFSET + at, PROT_R | PROT_W))
            return -E_NO_MEMORY;
    struct vcore_data *vcore_data = frame_pointer(data);
    vcore_data->vcoreid = vcoreid;
    vcore_data->stack_top = block + VCORE_STACK_OFFSET + VCORE_STACK_BYTES;
    *record = (struct vcore_record){.data = data, .xsave = xsave, .message = message};
    return 0;
}

int home_vcore_attach(struct process *p, unsigned vcoreid, unsigned core)
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
    command(core, &m);
    for (unsigned i = 0; i < p->roots; i++) {
        struct message slot = {.head = message_head(MESSAGE_VCORE_SLOT)};
        slot.word[0] = key;
        slot.word[1] = p->root[i].slot;
        slot.word[2] = p->root[i].frame;
        command(core, &slot);
    }
    struct message start = {.head = message_head(MESSAGE_VCORE_START), .word = {key}};
    command(core, &start);
    record->attached = 1;
    record->stop_sent = 0;
    record->core = (uint16_t)core;
    p->attached++;
    return 0;
}

void home_vcore_stop(struct process *p, unsigned vcoreid, unsigned flags)
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (!record->attached || record->stop_sent)
        return;
    struct message m = {.head = message_head(MESSAGE_VCORE_STOP)};
    m.word[0] = vcore_key(p->pid, vcoreid);
    m.word[1] = flags;
    command(record->core, &m);
    record->stop_sent = 1;
}

void home_answer(struct process *p, unsigned vcoreid, long result)
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (!record->call_open)
        return;
    record->call_open = 0;
    if (record->asker == ADDRESS_NONE) {
        vcore_answer(p->pid, vcoreid, result);
        return;
    }
    struct message m = {.head = message_head(MESSAGE_CALL_DONE)};
    m.word[0] = vcore_key(p->pid, vcoreid);
    m.word[1] = (uint64_t)result;
    actor_reply(p->actor, record->asker, &m);
}

/* --- cores ------------------------------------------------------------------------------------------ */

static int want_cores(struct process *p, unsigned wanted)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_WANT)};
    m.word[0] = p->address;
    m.word[1] = p->pid;
    m.word[2] = wanted;
    return actor_send(actor_well_known(0, ACTOR_ALLOCATOR), &m);
}

static void return_core(struct process *p, unsigned core)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_RETURN)};
    m.word[0] = p->pid;
    m.word[1] = core;
    m.word[2] = p->state >= PROCESS_DYING ? 0 : p->wanted;
    int refused = actor_send(actor_well_known(0, ACTOR_ALLOCATOR), &m);
    ASSERT(!refused);
}

static void show_cores(struct process *p)
{
    p->info->amt_wanted = p->wanted;
    p->info->amt_granted = p->granted;
    p->info->manycore = p->state == PROCESS_RUNNABLE_M || p->state == PROCESS_RUNNING_M;
}

/* The lowest id that has no core: seed two, 2.4.4. */
static unsigned lowest_hole(struct process *p)
{
    unsigned id = 0;
    while (p->info->vcoremap[id].state != VCORE_NONE)
        id++;
    return id;
}

/* Puts the granted cores into the map, then attaches them: all are seen before the first runs. */
static void start_granted(struct process *p, const uint64_t *set)
{
    uint8_t id_of_core[CORES_MAX];
    for (unsigned core = 0; core < CORES_MAX; core++)
        if (core_set_has(set, core)) {
            unsigned id = lowest_hole(p);
            id_of_core[core] = (uint8_t)id;
            p->info->vcoremap[id] = (struct vcoremap_entry){VCORE_RUNNING, (uint16_t)core};
            p->granted++;
        }
    show_cores(p);
    int error = 0;
    for (unsigned core = 0; core < CORES_MAX; core++)
        if (core_set_has(set, core)) {
            error = home_vcore_attach(p, id_of_core[core], core);
            process_record(p, id_of_core[core])->granted = 1;
            if (error) {
                p->info->vcoremap[id_of_core[core]] = (struct vcoremap_entry){0};
                p->granted--;
                return_core(p, core);
            }
        }
    if (error) {
        log_line("process %u (%s): out of memory for the vcores it was granted", p->pid, p->name);
        process_end(p, STATUS_KILLED);
    }
}

/* The single context goes to vcore 0's uthread slot; its core is no longer the process's. */
static void leave_single(struct process *p)
{
    process_set_state(p, PROCESS_RUNNABLE_M);
    p->info->vcoremap[0] = (struct vcoremap_entry){0};
    process_record(p, 0)->call_open = 0; /* answered by the slot: result 0 */
    home_vcore_stop(p, 0, STOP_TO_UTHREAD_SLOT);
}

/* _S waits until there is a core. */
static void first_grant(struct process *p, const struct message *m, int any)
{
    if (any) {
        memcpy(p->first_grant, &m->word[1], sizeof p->first_grant);
        leave_single(p); /* goes on when the vcore has stopped */
    } else if (m->word[GRANT_KIND_WORD] == GRANT_REFUSAL) {
        process_set_state(p, PROCESS_RUNNABLE_S);
        process_set_state(p, PROCESS_RUNNING_S);
        home_answer(p, 0, -E_NO_MEMORY);
    }
}

static void request_queue(struct process *p, unsigned vcoreid)
{
    if (p->requests++)
        process_record(p, p->request_last)->request_next = (uint8_t)vcoreid;
    else
        p->request_first = (uint8_t)vcoreid;
    p->request_last = (uint8_t)vcoreid;
}

static void request_answered(struct process *p, long result)
{
    ASSERT(p->requests);
    unsigned vcoreid = p->request_first;
    p->request_first = process_record(p, vcoreid)->request_next;
    p->requests--;
    home_answer(p, vcoreid, result);
}

static void on_grant(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    uint64_t any = m->word[1] | m->word[2] | m->word[3] | m->word[4];
    if (p->state >= PROCESS_DYING) {
        for (unsigned core = 0; core < CORES_MAX; core++)
            if (core_set_has(&m->word[1], core))
                return_core(p, core);
        return;
    }
    if (p->state == PROCESS_WAITING) {
        first_grant(p, m, any != 0);
        return;
    }
    if (any && p->state == PROCESS_RUNNABLE_M) {
        for (unsigned i = 0; i < CORE_SET_WORDS; i++) /* more, while the single context leaves */
            p->first_grant[i] |= m->word[1 + i];
        return;
    }
    if (any)
        start_granted(p, &m->word[1]);
    if (m->word[GRANT_KIND_WORD] != GRANT_LATER)
        request_answered(p, m->word[GRANT_KIND_WORD] == GRANT_REFUSAL ? -E_NO_MEMORY : 0);
}

static long call_cores_request(struct process *p, unsigned vcoreid, unsigned long wanted)
{
    if (wanted < 1 || wanted > p->info->max_vcores)
        return -E_INVALID;
    if (p->state != PROCESS_RUNNING_S && p->state != PROCESS_RUNNING_M)
        return -E_STATE;
    int error = want_cores(p, (unsigned)wanted);
    if (error)
        return error;
    p->wanted = (unsigned)wanted;
    show_cores(p);
    if (p->state == PROCESS_RUNNING_M)
        request_queue(p, vcoreid);
    else
        process_set_state(p, PROCESS_WAITING); /* for its first cores */
    return CALL_LATER;
}

static long call_yield(struct process *p, unsigned vcoreid)
{
    if (p->state != PROCESS_RUNNING_M)
        return -E_STATE;
    if (p->granted == 1)
        return -E_LAST_VCORE;
    struct vcore_record *record = process_record(p, vcoreid);
    p->granted--;
    p->wanted = p->granted;
    p->info->vcoremap[vcoreid] = (struct vcoremap_entry){VCORE_LEAVING, record->core};
    show_cores(p);
    home_vcore_stop(p, vcoreid, 0);
    if (record->asker != ADDRESS_NONE)
        home_answer(p, vcoreid, 0); /* behind the stop, so that it does not run on */
    return CALL_LATER;
}

static long call_notify(struct process *p, unsigned long vcoreid)
{
    struct vcore_record *record = vcoreid < VCORES_MAX ? process_record(p, (unsigned)vcoreid) : NULL;
    if (!record || !record->attached || record->stop_sent)
        return -E_NO_ENTRY;
    struct vcore_data *data = frame_pointer(record->data);
    user_flag_set(&data->notif_pending);
    struct message m = {.head = message_head(MESSAGE_VCORE_WAKE)};
    m.word[0] = vcore_key(p->pid, (unsigned)vcoreid);
    command(record->core, &m);
    return 0;
}

/* --- children ----------------------------------------------------------------------------------------- */

static struct process *child_of(struct process *p, unsigned long pid)
{
    struct process *child = pid <= 0xffffffff ? process_find((uint32_t)pid) : NULL;
    return child && child->parent == p->pid ? child : NULL;
}

static long call_create(struct process *p, unsigned vcoreid, unsigned long bytes)
{
    if (bytes < 1 || bytes > PAGE_BYTES)
        return -E_INVALID;
    char *copy = arch_private_alloc(); /* the page is the process's to change: read once */
    if (!copy)
        return -E_NO_MEMORY;
    memcpy(copy, frame_pointer(process_record(p, vcoreid)->message), bytes);
    long pid = process_create(p->pid, copy, bytes);
    arch_private_free(copy);
    return pid;
}

static long call_wait(struct process *p, unsigned vcoreid, struct process *child)
{
    if (child->waited_by)
        return -E_STATE;
    child->waited_by = p->pid;
    child->waiter_vcore = vcoreid;
    if (child->gone)
        process_answer_waiter(child);
    return CALL_LATER;
}

static long child_call(struct process *p, unsigned vcoreid, long number, unsigned long pid)
{
    struct process *child = child_of(p, pid);
    if (!child)
        return -E_NO_ENTRY;
    switch (number) {
    case SYS_proc_run:
        return process_run(child);
    case SYS_proc_kill:
        process_end(child, STATUS_KILLED);
        return 0;
    default:
        return call_wait(p, vcoreid, child);
    }
}

/* --- calls and faults --------------------------------------------------------------------------------- */

static long call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    switch (number) {
    case SYS_exit:
        if (argument[0] & ~0xffl)
            return -E_INVALID;
        process_end(p, (int)argument[0]);
        return CALL_LATER;
    case SYS_mem_map:
    case SYS_mem_unmap:
    case SYS_mem_protect:
        return memory_call(p, vcoreid, number, argument);
    case SYS_cores_request:
        return call_cores_request(p, vcoreid, (unsigned long)argument[0]);
    case SYS_vcore_yield:
        return call_yield(p, vcoreid);
    case SYS_vcore_notify:
        return call_notify(p, (unsigned long)argument[0]);
    case SYS_proc_create:
        return call_create(p, vcoreid, (unsigned long)argument[0]);
    case SYS_proc_run:
    case SYS_proc_wait:
    case SYS_proc_kill:
        return child_call(p, vcoreid, number, (unsigned long)argument[0]);
    default:
        return -E_NO_CALL;
    }
}

long home_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    struct vcore_record *record = process_record(p, vcoreid);
    if (p->state >= PROCESS_DYING)
        return CALL_LATER; /* its stop is on the way */
    record->asker = ADDRESS_NONE;
    record->call_open = 1;
    long result = call(p, vcoreid, number, argument);
    if (result != CALL_LATER)
        record->call_open = 0;
    return result;
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
    long result = p->state >= PROCESS_DYING
                      ? -E_GONE
                      : call(p, vcoreid, key_number(m->word[0]), argument);
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
    default:
        return fault->address >= USER_TOP ? "the address is not the process's" : "nothing is mapped there";
    }
}

static void log_fault(const struct process *p, unsigned vcoreid, unsigned core,
                      const struct user_fault *fault, int error)
{
    static const char *const access[] = {"access", "read", "write", "", "execution"};
    if (fault->is_page_fault)
        log_line("process %u (%s) vcore %u core %u: %s of %lx by the instruction at %lx: %s", p->pid,
                 p->name, vcoreid, core, access[fault->access < 5 ? fault->access : 0], fault->address,
                 fault->instruction, fault_reason(fault, error));
    else
        log_line("process %u (%s) vcore %u core %u: %s by the instruction at %lx", p->pid, p->name,
                 vcoreid, core, arch_fault_name(fault->vector), fault->instruction);
}

int home_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault)
{
    if (p->state >= PROCESS_DYING)
        return -E_GONE;
    int error = -E_INVALID;
    if (fault->is_page_fault)
        error = fault->address < USER_TOP ? memory_fault(p, fault->address, fault->access) : -E_RANGE;
    if (error) {
        log_fault(p, vcoreid, process_record(p, vcoreid)->core, fault, error);
        process_end(p, STATUS_FAULT);
    }
    return error;
}

static void on_fault(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    struct user_fault fault = {.address = m->word[1],
                               .access = m->word[2] & 0xff,
                               .present = m->word[2] >> 8 & 1,
                               .is_page_fault = m->word[2] >> 16 & 1,
                               .vector = (unsigned)(m->word[2] >> 32),
                               .instruction = m->word[3]};
    struct message done = {.head = message_head(MESSAGE_FAULT_DONE)};
    done.word[0] = m->word[0];
    done.word[1] = (uint64_t)home_fault(p, key_vcoreid(m->word[0]), &fault);
    done.word[2] = fault.address;
    actor_reply(self, m->word[5], &done);
}

/* --- stops ---------------------------------------------------------------------------------------------- */

void home_give_up(struct process *p)
{
    int refused = want_cores(p, 0);
    ASSERT(!refused);
    for (unsigned id = 0; id < VCORES_MAX; id++) {
        struct vcore_record *record = process_record(p, id);
        if (!record || !record->attached)
            continue;
        home_vcore_stop(p, id, 0); /* before the answer, so that the vcore does not run on */
        record->call_waits = 0;
        home_answer(p, id, -E_GONE);
    }
}

static void single_left(struct process *p)
{
    process_set_state(p, PROCESS_RUNNING_M);
    start_granted(p, p->first_grant);
}

static void on_stopped(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    unsigned vcoreid = key_vcoreid(m->word[0]);
    struct vcore_record *record = process_record(p, vcoreid);
    record->attached = record->stop_sent = 0;
    p->attached--;
    p->info->vcoremap[vcoreid] = (struct vcoremap_entry){0};
    if (record->granted)
        return_core(p, record->core);
    record->granted = 0;
    if (m->word[1] && p->state < PROCESS_DYING) {
        log_line("process %u (%s): core %u has no memory left to drive its vcore %u", p->pid, p->name,
                 record->core, vcoreid);
        process_end(p, STATUS_KILLED);
    }
    if (p->state >= PROCESS_DYING)
        process_continue_end(p);
    else if (p->state == PROCESS_RUNNABLE_M)
        single_left(p);
}

static void on_flushed(struct actor *self, const struct message *m, unsigned from)
{
    memory_flushed(self->state);
}

static void on_continue(struct actor *self, const struct message *m, unsigned from)
{
    struct process *p = self->state;
    if (p->state >= PROCESS_DYING)
        process_continue_end(p);
    else
        memory_continue(p);
}

static struct actor_class home_class = {
    .name = "process",
    .handler =
        {
            [MESSAGE_CALL] = on_call,
            [MESSAGE_FAULT] = on_fault,
            [MESSAGE_ALLOC_GRANT] = on_grant,
            [MESSAGE_VCORE_STOPPED] = on_stopped,
            [MESSAGE_VCORE_FLUSHED] = on_flushed,
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
