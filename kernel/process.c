#include "kernel/process.h"
#include "abi/error.h"
#include "abi/syscall.h"
#include "kernel/actor.h"
#include "kernel/control.h"
#include "kernel/home.h"
#include "kernel/kernel.h"
#include "kernel/options.h"
#include "kernel/pool.h"
#include "kernel/process_end.h"

static struct pool process_pool = POOL_OF(struct process);
static struct process *processes;
static uint32_t last_pid;
static unsigned process_count;

/* The legal transitions: docs/process.md draws them. */
static const uint16_t legal[PROCESS_STATES] = {
#define TO(state) (1u << PROCESS_##state)
    [PROCESS_CREATED] = TO(RUNNABLE_S) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_RUNNABLE_S] = TO(RUNNING_S) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_RUNNING_S] = TO(RUNNABLE_S) | TO(WAITING) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_WAITING] = TO(RUNNABLE_S) | TO(RUNNABLE_M) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_RUNNABLE_M] = TO(RUNNING_M) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_RUNNING_M] = TO(WAITING) | TO(RUNNABLE_S) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_DYING] = TO(DYING_ABORT),
    [PROCESS_DYING_ABORT] = 0,
#undef TO
};

static const char *const state_names[PROCESS_STATES] = {
    "CREATED",    "RUNNABLE_S", "RUNNING_S", "WAITING",
    "RUNNABLE_M", "RUNNING_M",  "DYING",     "DYING_ABORT",
};

int process_may_move(enum process_state from, enum process_state to)
{
    return legal[from] >> to & 1;
}

void process_set_state(struct process *p, enum process_state state)
{
    ASSERT(process_may_move(p->state, state));
    if (options.trace_states)
        log_line("process %u (%s): %s to %s", p->pid, p->name, state_names[p->state],
                 state_names[state]);
    p->state = state;
}

struct process *process_find(uint32_t pid)
{
    for (struct process *p = processes; p; p = p->next)
        if (p->pid == pid)
            return p;
    return NULL;
}

int process_any(void)
{
    return processes != NULL;
}

/* --- the records ------------------------------------------------------------------------------ */

int process_new(struct process **made)
{
    if (process_count == PROCESSES_MAX)
        return -E_LIMIT;
    struct process *p = pool_get(&process_pool);
    if (!p)
        return -E_NO_MEMORY;
    p->pid = ++last_pid;
    p->account =
        (struct frame_account){.owner = {(uint8_t)this_core, p->pid}, .limit = ACCOUNT_UNLIMITED};
    p->pin_limit = ACCOUNT_UNLIMITED;
    p->next = processes;
    processes = p;
    process_count++;
    *made = p;
    return 0;
}

void process_forget(struct process *p)
{
    struct process **at = &processes;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    process_count--;
    pool_put(&process_pool, p);
}

struct process *process_after(const struct process *p)
{
    return p ? p->next : processes;
}

static void process_hold(const struct handle *handle)
{
    struct process *p = handle->object;
    p->holds++;
}

static void process_release(const struct handle *handle, struct process *holder)
{
    struct process *p = handle->object;
    ASSERT(p->holds);
    if (--p->holds)
        return;
    if (p->gone)
        process_forget(p);
    else if (p->state == PROCESS_CREATED) /* nobody can run it any more */
        process_end(p, STATUS_KILLED, END_KILLED);
}

const struct handle_class process_handles = {
    .name = "process", .hold = process_hold, .release = process_release, .leave = control_leave};

int process_run(struct process *p)
{
    if (p->state != PROCESS_CREATED)
        return -E_STATE;
    int error = single_attach(p);
    if (error)
        return error;
    process_set_state(p, PROCESS_RUNNABLE_S);
    process_set_state(p, PROCESS_RUNNING_S);
    return 0;
}
