#include "kernel/process.h"
#include "abi/error.h"
#include "abi/runtime.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/archive.h"
#include "kernel/home.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/probe.h"
#include "kernel/supervisor.h"
#include "lib/string.h"

extern const char runtime_image_start[], runtime_image_end[];

static struct pool process_pool = POOL_OF(struct process);
static struct process *processes;
static uint32_t last_pid;
static unsigned process_count;

/* The legal transitions: docs/process.md draws them. */
static const uint16_t legal[PROCESS_STATES] = {
#define TO(state) (1u << PROCESS_##state)
    [PROCESS_CREATED] = TO(RUNNABLE_S) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_RUNNABLE_S] = TO(RUNNING_S) | TO(RUNNABLE_M) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_RUNNING_S] =
        TO(RUNNABLE_S) | TO(WAITING) | TO(RUNNABLE_M) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_WAITING] = TO(RUNNABLE_S) | TO(RUNNABLE_M) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_RUNNABLE_M] = TO(RUNNING_M) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_RUNNING_M] =
        TO(RUNNABLE_M) | TO(WAITING) | TO(RUNNING_S) | TO(DYING) | TO(DYING_ABORT),
    [PROCESS_DYING] = TO(DYING_ABORT),
    [PROCESS_DYING_ABORT] = 0,
#undef TO
};

int process_may_move(enum process_state from, enum process_state to)
{
    return legal[from] >> to & 1;
}

void process_set_state(struct process *p, enum process_state state)
{
    ASSERT(process_may_move(p->state, state));
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

/* --- creation -------------------------------------------------------------------------------- */

/* The runtime image: text and read-only data are the kernel image's own frames, for all processes;
 * data is copied. */
static int map_runtime(struct process *p)
{
    const struct runtime_head *head = (const struct runtime_head *)runtime_image_start;
    uint64_t address = RUNTIME_BASE;
    const char *from = runtime_image_start;
    uint64_t fixed = head->text_bytes + head->rodata_bytes;
    for (uint64_t at = 0; at < fixed; at += PAGE_BYTES) {
        frame_t frame = arch_image_frame(from + at);
        if (memory_map_frame(p, address + at, frame,
                             at < head->text_bytes ? PROT_R | PROT_X : PROT_R))
            return -E_NO_MEMORY;
    }
    for (uint64_t at = fixed; at < fixed + head->data_bytes + head->bss_bytes; at += PAGE_BYTES) {
        frame_t frame = memory_map_zeroed(p, address + at, PROT_R | PROT_W);
        if (!frame)
            return -E_NO_MEMORY;
        if (at < fixed + head->data_bytes)
            memcpy(frame_pointer(frame), from + at, PAGE_BYTES);
    }
    return 0;
}

static int map_arguments(struct process *p, const char *arguments, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += PAGE_BYTES) {
        frame_t frame = memory_map_zeroed(p, PROCINFO_ARGS + at, PROT_R);
        if (!frame)
            return -E_NO_MEMORY;
        memcpy(frame_pointer(frame), arguments + at,
               bytes - at < PAGE_BYTES ? bytes - at : PAGE_BYTES);
    }
    p->info->args_bytes = (uint32_t)bytes;
    for (size_t at = 0; at < bytes; at++)
        p->info->argc += arguments[at] == 0;
    return 0;
}

static int map_procinfo(struct process *p)
{
    p->info_frame = memory_map_zeroed(p, PROCINFO_BASE, PROT_R);
    p->data_frame = memory_map_zeroed(p, PROCDATA_BASE, PROT_R | PROT_W);
    if (!p->info_frame || !p->data_frame)
        return -E_NO_MEMORY;
    p->info = frame_pointer(p->info_frame);
    p->data = frame_pointer(p->data_frame);
    p->data->entry = ((const struct runtime_head *)runtime_image_start)->entry;
    p->info->version = 1;
    p->info->pid = p->pid;
    p->info->tsc_hz = arch_clock_hz();
    p->info->boot_tsc = probe_boot_clock(boot_clock());
    p->info->cores = supervisor_cores();
    p->info->max_vcores = p->info->cores > 1 ? p->info->cores - 1 : 1;
    p->info->xsave_bytes = arch_fp_bytes();
    p->info->xsave_mask = arch_fp_mask();
    p->info->archive_bytes = archive_bytes();
    return 0;
}

static int map_archive(struct process *p)
{
    uint64_t pages = (archive_bytes() + PAGE_BYTES - 1) / PAGE_BYTES;
    return region_add(&p->regions, ARCHIVE_BASE, ARCHIVE_BASE + pages * PAGE_BYTES, REGION_ARCHIVE,
                      PROT_R);
}

static void name_process(struct process *p, const char *arguments)
{
    const char *base = arguments;
    for (const char *c = arguments; *c; c++)
        if (*c == '/')
            base = c + 1;
    for (unsigned i = 0; i < NAME_BYTES - 1 && base[i]; i++)
        p->name[i] = base[i] > ' ' && base[i] < 0x7f ? base[i] : '?';
}

static int process_fill(struct process *p, const char *arguments, size_t bytes)
{
    int error = map_procinfo(p);
    if (!error)
        error = map_runtime(p);
    if (!error)
        error = map_arguments(p, arguments, bytes);
    if (!error)
        error = map_archive(p);
    if (!error)
        error = home_vcore_make(p, 0);
    return error;
}

static void records_free(struct process *p)
{
    for (unsigned i = 0; i < RECORD_PAGES; i++)
        if (p->records[i]) {
            arch_private_free(p->records[i]);
            p->records[i] = NULL;
        }
}

/* Nothing of it has run: it is given back at once. */
static void process_undo(struct process *p)
{
    while (!memory_give_back(p))
        ;
    ASSERT(p->account.used == 0);
    records_free(p);
    if (p->actor)
        actor_end(p->actor, E_NO_MEMORY, 0);
    pool_put(&process_pool, p);
}

long process_create(uint32_t parent, const char *arguments, size_t bytes)
{
    if (!bytes || bytes > ARGS_MAX_BYTES || arguments[bytes - 1] || !arguments[0])
        return -E_INVALID;
    if (process_count == PROCESSES_MAX)
        return -E_LIMIT;
    struct process *p = pool_get(&process_pool);
    if (!p)
        return -E_NO_MEMORY;
    p->pid = ++last_pid;
    p->parent = parent;
    p->account =
        (struct frame_account){.owner = {(uint8_t)this_core, p->pid}, .limit = ACCOUNT_UNLIMITED};
    p->pin_limit = ACCOUNT_UNLIMITED;
    int error = home_actor_make(p);
    if (!error)
        error = process_fill(p, arguments, bytes);
    if (error) {
        process_undo(p);
        return error;
    }
    name_process(p, arguments);
    p->next = processes;
    processes = p;
    process_count++;
    return p->pid;
}

int process_run(struct process *p)
{
    if (p->state != PROCESS_CREATED)
        return -E_STATE;
    process_set_state(p, PROCESS_RUNNABLE_S);
    p->info->vcoremap[0] = (struct vcoremap_entry){VCORE_RUNNING, (uint16_t)this_core};
    int error = home_vcore_attach(p, 0, this_core);
    if (!error)
        process_set_state(p, PROCESS_RUNNING_S);
    else
        process_end(p, STATUS_KILLED);
    return error;
}

/* --- the end --------------------------------------------------------------------------------- */

static void process_forget(struct process *p)
{
    struct process **at = &processes;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    process_count--;
    pool_put(&process_pool, p);
}

void process_answer_waiter(struct process *p)
{
    struct process *waiter = process_find(p->waited_by);
    int status = p->status;
    unsigned vcoreid = p->waiter_vcore;
    process_forget(p);
    home_answer(waiter, vcoreid, status);
}

enum { HANDLES_A_TURN = 32, CHILDREN_A_TURN = 16 }; /* each has messages queued for it */

/* Nobody else can run or wait for them: they end with their parent, some a turn. 1: none is left. */
static int end_children(uint32_t pid)
{
    unsigned ended = 0;
    for (struct process *child = processes, *next; child; child = next) {
        next = child->next;
        if (child->parent != pid)
            continue;
        if (ended++ == CHILDREN_A_TURN)
            return 0;
        child->parent = child->waited_by = 0;
        if (child->gone)
            process_forget(child);
        else
            process_end(child, STATUS_KILLED);
    }
    return 1;
}

void process_continue_later(struct process *p)
{
    if (p->continue_sent)
        return;
    p->continue_sent = 1;
    struct message m = {.head = message_head(MESSAGE_CONTINUE)};
    int refused = actor_send(p->address, &m);
    ASSERT(!refused);
}

static void process_gone(struct process *p)
{
    ASSERT(p->account.used == 0);
    records_free(p);
    p->gone = 1;
    struct actor *actor = p->actor;
    p->actor = NULL;
    actor_end(actor, E_OK, (uint64_t)p->status);
    if (p->waited_by)
        process_answer_waiter(p);
    else if (p->parent == 0)
        process_forget(p);
}

void process_continue_end(struct process *p)
{
    if (p->attached || p->change.active || p->wants_open)
        return;
    if (end_children(p->pid) && handles_give_back(p, HANDLES_A_TURN) && memory_give_back(p))
        process_gone(p);
    else
        process_continue_later(p);
}

void process_end(struct process *p, int status)
{
    if (p->state >= PROCESS_DYING)
        return;
    process_set_state(p, PROCESS_DYING);
    p->status = status;
    home_give_up(p);
    if (!p->attached)
        process_continue_later(p);
}
