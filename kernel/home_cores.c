/* A process's cores, at its home: what it wants of the allocator, what it is granted, the way from
 * _S to _M, and yields. docs/process.md. Messages: kernel/cores.h. */
#include "kernel/cores.h"
#include "abi/error.h"
#include "abi/syscall.h"
#include "kernel/actor.h"
#include "kernel/home.h"
#include "kernel/kernel.h"
#include "kernel/process.h"
#include "kernel/process_end.h"
#include "kernel/shared/shared.h"
#include "kernel/vcore.h"
#include "lib/string.h"

/* Each want is answered by one grant; the process does not go before all its wants are answered, so
 * that no grant comes to nobody. */
int home_want_cores(struct process *p, unsigned wanted)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_WANT)};
    m.word[0] = p->address;
    m.word[1] = p->pid;
    m.word[2] = wanted;
    int error = actor_send(actor_well_known(0, ACTOR_ALLOCATOR), &m);
    p->wants_open += !error;
    return error;
}

/* The allocator is to know at once that fewer are wanted; it does not answer. */
static void tell_wanted(struct process *p)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_WANT)};
    m.word[0] = p->address;
    m.word[1] = p->pid;
    m.word[2] = p->wanted;
    m.word[WANT_QUIET_WORD] = 1;
    int refused = actor_send(actor_well_known(0, ACTOR_ALLOCATOR), &m);
    ASSERT(!refused);
}

void home_return_core(struct process *p, unsigned core)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_RETURN)};
    m.word[0] = p->pid;
    m.word[1] = core;
    m.word[2] = p->state >= PROCESS_DYING ? 0 : p->wanted;
    int refused = actor_send(actor_well_known(0, ACTOR_ALLOCATOR), &m);
    ASSERT(!refused);
}

static void return_set(struct process *p, const uint64_t *set)
{
    for (unsigned core = 0; core < CORES_MAX; core++)
        if (core_set_has(set, core))
            home_return_core(p, core);
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

/* Attaches a vcore to a granted core; a core that cannot be used goes back. */
static int attach_granted(struct process *p, unsigned vcoreid, unsigned core)
{
    int error = home_vcore_attach(p, vcoreid, core);
    if (!error) {
        process_record(p, vcoreid)->granted = 1;
        return 0;
    }
    p->info->vcoremap[vcoreid] = (struct vcoremap_entry){0};
    p->granted--;
    home_return_core(p, core);
    return error;
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
        if (core_set_has(set, core))
            error |= attach_granted(p, id_of_core[core], core);
    if (error) {
        log_line("process %u (%s): out of memory for the vcores it was granted", p->pid, p->name);
        process_end(p, STATUS_KILLED, END_MEMORY);
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

void home_granted(struct process *p, const struct message *m)
{
    uint64_t any = m->word[1] | m->word[2] | m->word[3] | m->word[4];
    p->wants_open -= m->word[GRANT_KIND_WORD] != GRANT_LATER;
    if (p->state >= PROCESS_DYING) {
        return_set(p, &m->word[1]);
        process_continue_end(p);
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

static long cores_request(struct process *p, unsigned vcoreid, unsigned long wanted)
{
    if (wanted < 1 || wanted > p->info->max_vcores)
        return -E_INVALID;
    if (p->state != PROCESS_RUNNING_S && p->state != PROCESS_RUNNING_M)
        return -E_STATE;
    int error = home_want_cores(p, (unsigned)wanted);
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

static long yield(struct process *p, unsigned vcoreid)
{
    if (p->state != PROCESS_RUNNING_M)
        return -E_STATE;
    if (p->granted == 1)
        return -E_LAST_VCORE;
    struct vcore_record *record = process_record(p, vcoreid);
    p->granted--;
    if (p->wanted > p->granted)
        p->wanted = p->granted;
    p->info->vcoremap[vcoreid] = (struct vcoremap_entry){VCORE_LEAVING, record->core};
    show_cores(p);
    tell_wanted(p);
    home_vcore_stop(p, vcoreid, 0);
    if (record->asker != ADDRESS_NONE)
        home_answer(p, vcoreid, 0); /* behind the stop, so that it does not run on */
    return CALL_LATER;
}

void home_single_left(struct process *p)
{
    uint64_t set[CORE_SET_WORDS];
    memcpy(set, p->first_grant, sizeof set);
    memset(p->first_grant, 0, sizeof p->first_grant);
    process_set_state(p, PROCESS_RUNNING_M);
    start_granted(p, set);
}

/* Cores that were granted while the single context was leaving for them. */
void home_return_first_grant(struct process *p)
{
    return_set(p, p->first_grant);
}

long cores_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    return number == PANDO_vcore_yield ? yield(p, vcoreid)
                                       : cores_request(p, vcoreid, (unsigned long)argument[0]);
}
