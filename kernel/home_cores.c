/* A process's cores, at its home: what it wants of the allocator, what it is granted, the way from
 * _S to _M, and yields in _M. docs/cores.md. Messages: kernel/cores.h. */
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

static int send_want(struct process *p, unsigned wanted, enum want_kind kind)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_WANT)};
    m.word[0] = p->address;
    m.word[1] = p->pid;
    m.word[2] = wanted;
    m.word[WANT_KIND_WORD] = kind;
    return actor_send(actor_well_known(0, ACTOR_ALLOCATOR), &m);
}

/* Each want is answered by one grant; the process does not go before all its wants are answered, so
 * that no grant comes to nobody. */
int home_want_cores(struct process *p, unsigned wanted)
{
    int error = send_want(p, wanted, WANT_ANSWERED);
    p->wants_open += !error;
    return error;
}

static int waits_without_core(const struct process *p)
{
    return p->state == PROCESS_WAITING && p->waits == WAITS_FOR_EVENT;
}

void home_tell_wanted(struct process *p)
{
    int refused =
        waits_without_core(p) ? send_want(p, 0, WANT_KEPT) : send_want(p, p->wanted, WANT_QUIET);
    ASSERT(!refused);
}

void home_return_core(struct process *p, unsigned core)
{
    struct message m = {.head = message_head(MESSAGE_ALLOC_RETURN)};
    m.word[0] = p->pid;
    m.word[1] = core;
    m.word[2] = p->state >= PROCESS_DYING || waits_without_core(p) ? 0 : p->wanted;
    int refused = actor_send(actor_well_known(0, ACTOR_ALLOCATOR), &m);
    ASSERT(!refused);
}

static void return_set(struct process *p, const uint64_t *set)
{
    for (unsigned core = core_set_next(set, 0); core < CORES_MAX;
         core = core_set_next(set, core + 1))
        home_return_core(p, core);
}

/* Cores that were granted while the last vcore was stopping. */
void home_return_first_grant(struct process *p)
{
    return_set(p, p->first_grant);
    memset(p->first_grant, 0, sizeof p->first_grant);
}

void home_show_cores(struct process *p)
{
    p->info->amt_wanted = p->wanted;
    p->info->amt_granted = p->granted;
    p->info->manycore = p->many;
}

/* --- starting on them --------------------------------------------------------------------------- */

/* The lowest id that has no core: seed two, 2.4.4. But the context that comes from _S goes on as
 * the vcore that it was. */
static unsigned next_hole(struct process *p)
{
    unsigned id = 0;
    if (p->in_slot) {
        p->in_slot = 0;
        return p->single;
    }
    while (p->info->vcoremap[id].state != VCORE_NONE)
        id++;
    return id;
}

/* Attaches a vcore to a granted core; a core that cannot be used goes back. */
static int attach_granted(struct process *p, unsigned vcoreid, unsigned core)
{
    int error = home_vcore_attach(p, vcoreid, core, FRAME_NONE);
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
    for (unsigned core = core_set_next(set, 0); core < CORES_MAX;
         core = core_set_next(set, core + 1)) {
        unsigned id = next_hole(p);
        id_of_core[core] = (uint8_t)id;
        p->info->vcoremap[id] = (struct vcoremap_entry){VCORE_RUNNING, (uint16_t)core};
        p->granted++;
        p->info->grants++;
    }
    home_show_cores(p);
    int failed = 0;
    for (unsigned core = core_set_next(set, 0); core < CORES_MAX;
         core = core_set_next(set, core + 1))
        failed = attach_granted(p, id_of_core[core], core) ?: failed;
    if (failed) {
        log_line("process %u (%s): %s for the vcores it was granted", p->pid, p->name,
                 failed == -E_LIMIT ? "its limit leaves no frames" : "out of memory");
        process_end(p, STATUS_KILLED, failed == -E_LIMIT ? END_LIMIT : END_MEMORY);
    }
}

void home_start_many(struct process *p)
{
    uint64_t set[CORE_SET_WORDS], any = 0;
    memcpy(set, p->first_grant, sizeof set);
    for (unsigned i = 0; i < CORE_SET_WORDS; i++)
        any |= set[i];
    if (p->attached || !any)
        return;
    memset(p->first_grant, 0, sizeof p->first_grant);
    process_set_state(p, PROCESS_RUNNING_M);
    start_granted(p, set);
}

/* --- grants ------------------------------------------------------------------------------------- */

/* The single context goes to its vcore's uthread slot, with result 0; its core is no longer the
 * process's. */
static void leave_single(struct process *p)
{
    process_set_state(p, PROCESS_RUNNABLE_M);
    p->many = 1;
    p->in_slot = 1;
    p->asks_first = 0;
    p->info->vcoremap[p->single].state = VCORE_LEAVING;
    home_vcore_stop(p, p->single, STOP_TO_UTHREAD_SLOT, 0);
}

static void first_refused(struct process *p)
{
    p->asks_first = 0;
    p->wanted = 0;
    home_show_cores(p);
    single_resume(p);
    process_set_state(p, PROCESS_RUNNABLE_S);
    process_set_state(p, PROCESS_RUNNING_S);
    home_answer(p, p->single, -E_NO_MEMORY);
}

static void request_queue(struct process *p, unsigned vcoreid)
{
    process_record(p, vcoreid)->request_open = 1;
    if (p->requests++)
        process_record(p, p->request_last)->request_next = (uint8_t)vcoreid;
    else
        p->request_first = (uint8_t)vcoreid;
    p->request_last = (uint8_t)vcoreid;
}

static void request_answered(struct process *p, long result)
{
    unsigned vcoreid = p->request_first;
    p->request_first = process_record(p, vcoreid)->request_next;
    p->requests--;
    home_answer(p, vcoreid, result);
}

/* Cores go to a process that is RUNNING_M, or is to be; else they go back. */
static void take_cores(struct process *p, const uint64_t *set)
{
    if (p->state == PROCESS_RUNNING_M) {
        start_granted(p, set);
        return;
    }
    if (p->asks_first)
        leave_single(p);
    if (p->state != PROCESS_RUNNABLE_M) {
        return_set(p, set);
        return;
    }
    for (unsigned i = 0; i < CORE_SET_WORDS; i++)
        p->first_grant[i] |= set[i];
    home_start_many(p);
}

/* The newest wants that are not answered are those that calls wait for; an answer to an older one
 * is nobody's. */
void home_granted(struct process *p, const struct message *m)
{
    uint64_t kind = m->word[GRANT_KIND_WORD];
    int awaited = kind != GRANT_LATER && p->wants_open <= p->requests + p->asks_first;
    p->wants_open -= kind != GRANT_LATER;
    if (p->state >= PROCESS_DYING) {
        return_set(p, &m->word[1]);
        process_continue_end(p);
        return;
    }
    if (awaited && p->asks_first && kind == GRANT_REFUSAL)
        first_refused(p);
    if (m->word[1] | m->word[2] | m->word[3] | m->word[4])
        take_cores(p, &m->word[1]);
    if (awaited && p->requests)
        request_answered(p, kind == GRANT_REFUSAL ? -E_NO_MEMORY : 0);
}

/* --- calls -------------------------------------------------------------------------------------- */

static long cores_request(struct process *p, unsigned vcoreid, unsigned long wanted)
{
    if (wanted > p->info->max_vcores || (!wanted && !p->many))
        return -E_INVALID;
    if (!wanted)
        return single_become(p, vcoreid);
    int error = home_want_cores(p, (unsigned)wanted);
    if (error)
        return error;
    p->wanted = (unsigned)wanted;
    home_show_cores(p);
    if (p->many) {
        request_queue(p, vcoreid);
        return CALL_LATER;
    }
    process_set_state(p, PROCESS_WAITING);
    p->waits = WAITS_FOR_CORES;
    p->asks_first = 1;
    single_rest(p);
    return CALL_LATER;
}

/* The last vcore stays if something came that the process may not have seen. */
static long yield_many(struct process *p, unsigned vcoreid)
{
    if (p->granted == 1) {
        if (home_take_pending(p))
            return 0;
        process_set_state(p, PROCESS_WAITING);
        p->waits = WAITS_FOR_EVENT;
    }
    p->granted--;
    if (p->wanted > p->granted)
        p->wanted = p->granted ? p->granted : 1;
    p->info->vcoremap[vcoreid].state = VCORE_LEAVING;
    home_show_cores(p);
    home_tell_wanted(p);
    home_vcore_stop(p, vcoreid, STOP_DROP, 0);
    return CALL_LATER;
}

void home_wake_many(struct process *p)
{
    process_set_state(p, PROCESS_RUNNABLE_M);
    int refused = home_want_cores(p, p->wanted);
    ASSERT(!refused);
}

long cores_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (number == PANDO_cores_request)
        return cores_request(p, vcoreid, (unsigned long)argument[0]);
    unsigned long flags = (unsigned long)argument[0];
    if (flags & ~(unsigned long)YIELD_WAIT)
        return -E_INVALID;
    return p->many ? yield_many(p, vcoreid) : single_yield(p, flags);
}
