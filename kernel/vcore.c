#include "kernel/vcore.h"
#include "abi/error.h"
#include "abi/process.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/console.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/process.h"
#include "kernel/shared/user_word.h"
#include "lib/string.h"

enum vcore_run {
    VCORE_ATTACHED, /* not started */
    VCORE_RUNNABLE,
    VCORE_PARKED,   /* waits for the answer to a call or a fault */
    VCORE_HALTED,   /* in vcore_halt */
};

#define SLICE_NS 2000000 /* of single-core processes that share a core */

#define BRIEF_NS 50000   /* in user mode while messages wait */

/* Owned by the driving kernel alone. What belongs to the process lies in frames that the home keeps while
 * the vcore is attached. Invariant: `asked` is set while another kernel, or the console, owes a reply. */
struct vcore {
    struct vcore *next; /* this kernel's vcores, a ring in the order of their turns */
    uint32_t pid;
    uint16_t id;
    uint8_t run;
    uint8_t fresh;      /* to be entered at the entry point */
    uint8_t asked;
    uint8_t stopping;   /* stop as soon as the reply is there */
    uint8_t stop_flags;
    uint64_t home;
    void *space;
    void *fp;           /* a page: FP state while not loaded */
    struct vcore_data *data; /* of the process's procdata: each word read once, then checked */
    struct procdata *procdata;
    frame_t xsave, message;
    struct context context; /* while not loaded */
    uint64_t gs_base;
};

static struct pool vcore_pool = POOL_OF(struct vcore);
static struct actor *driver;
static struct vcore *turns;  /* whose turn it is, of this kernel's vcores */
static struct vcore *sliced; /* who has a slice of the core, and until when on arch_clock */
static uint64_t slice_end;
static struct vcore *loaded; /* whose registers are in the core and in arch_context() */

static uint64_t key_of(const struct vcore *v)
{
    return vcore_key(v->pid, v->id);
}

static uint64_t block_address(unsigned vcoreid)
{
    return PROCDATA_BASE + (1 + (uint64_t)vcoreid) * VCORE_STRIDE;
}

static struct vcore *vcore_find(uint64_t key)
{
    struct vcore *v = turns;
    if (v)
        do
            if (v->pid == key_pid(key) && v->id == key_vcoreid(key))
                return v;
        while ((v = v->next) != turns);
    return NULL;
}

/* --- which vcore's state the core holds -------------------------------------------------------- */

static void unload(void)
{
    struct vcore *v = loaded;
    if (!v)
        return;
    v->context = *arch_context();
    v->context.fs_base = arch_fs_base();
    v->gs_base = arch_gs_base();
    arch_fp_save(v->fp);
    loaded = NULL;
}

static void load(struct vcore *v)
{
    if (loaded == v)
        return;
    unload();
    arch_space_enter(v->space);
    if (!v->fresh) {
        *arch_context() = v->context;
        arch_bases_set(v->context.fs_base, v->gs_base);
        arch_fp_load(v->fp);
    }
    loaded = v;
}

/* Sends a vcore in at its entry point, on its transition stack, in vcore context. */
static int enter_at_entry(struct vcore *v)
{
    uint64_t entry = user_word_read(&v->procdata->entry);
    uint64_t stack = user_word_read(&v->data->stack_top);
    v->data->notif_disabled = 1;
    uint64_t fs_base = arch_fs_base();
    int error = arch_context_entry(arch_context(), entry, stack, v->id);
    arch_bases_set(fs_base, block_address(v->id));
    return error;
}

struct vcore *vcore_next(void)
{
    struct vcore *v = turns;
    if (v)
        do
            if (v->run == VCORE_RUNNABLE)
                return v;
        while ((v = v->next) != turns);
    return NULL;
}

static int others_runnable(const struct vcore *v)
{
    for (const struct vcore *other = v->next; other != v; other = other->next)
        if (other->run == VCORE_RUNNABLE)
            return 1;
    return 0;
}

/* A slice goes on when its vcore is entered again; a vcore that is alone has none, and no tick. */
static void arm_slice(struct vcore *v)
{
    if (!others_runnable(v)) {
        if (sliced)
            arch_timer_arm(0);
        sliced = NULL;
        return;
    }
    uint64_t ticks_a_us = arch_clock_hz() / 1000000, now = arch_clock();
    if (sliced != v)
        slice_end = now + SLICE_NS / 1000 * ticks_a_us;
    sliced = v;
    arch_timer_arm(now < slice_end ? (slice_end - now) * 1000 / ticks_a_us + 1 : 1);
}

static int fault_at_entry(struct vcore *v);

static void enter_state(struct vcore *v)
{
    turns = v;
    load(v);
    if (v->fresh) {
        v->fresh = 0;
        arch_registers_reset();
        if (enter_at_entry(v)) {
            v->fresh = fault_at_entry(v) != 0;
            kernel_loop();
        }
    }
}

_Noreturn void vcore_enter(struct vcore *v)
{
    enter_state(v);
    arm_slice(v);
    arch_user_enter();
}

_Noreturn void vcore_enter_briefly(struct vcore *v)
{
    enter_state(v);
    arm_slice(v); /* takes note of whose slice it is */
    arch_timer_arm(BRIEF_NS);
    arch_user_enter();
}

/* --- asking the home ---------------------------------------------------------------------------- */

/* Parks the loaded vcore and sends its request. Refused: the vcore stays runnable. */
static int ask(struct vcore *v, uint64_t to, struct message *m)
{
    int error = actor_send_request(driver, to, m);
    if (error)
        return error;
    v->asked = 1;
    v->run = VCORE_PARKED;
    return 0;
}

static void answered(struct vcore *v, long result)
{
    if (v->run != VCORE_PARKED)
        return;
    v->run = VCORE_RUNNABLE;
    arch_context_result(v == loaded ? arch_context() : &v->context, result);
}

void vcore_answer(uint32_t pid, unsigned vcoreid, long result)
{
    struct vcore *v = vcore_find(vcore_key(pid, vcoreid));
    if (v)
        answered(v, result);
}

/* A call for the home: directly when this kernel is the home, else by a request. */
static long call_home(struct vcore *v, long number, const long argument[4])
{
    if (address_core(v->home) == this_core) {
        v->run = VCORE_PARKED;
        long result = home_call(process_find(v->pid), v->id, number, argument);
        if (result == CALL_LATER)
            kernel_loop();
        if (!actor_local_waits()) {
            v->run = VCORE_RUNNABLE;
            return result;
        }
        answered(v, result);
        kernel_loop();
    }
    struct message m = {.head = message_head(MESSAGE_CALL)};
    m.word[0] = key_of(v) | (uint64_t)number << 48;
    memcpy(&m.word[1], argument, 4 * sizeof argument[0]);
    int error = ask(v, v->home, &m);
    if (error)
        return error;
    kernel_loop();
}

/* Faults keep the context as it is: the answer resumes it, or the home stops the vcore. */
static int fault_home(struct vcore *v, const struct user_fault *fault)
{
    if (address_core(v->home) == this_core) {
        int error = home_fault(process_find(v->pid), v->id, fault);
        if (error)
            v->run = VCORE_PARKED;
        return error;
    }
    struct message m = {.head = message_head(MESSAGE_FAULT)};
    m.word[0] = key_of(v);
    m.word[1] = fault->address;
    m.word[2] = fault->access | (uint64_t)(fault->present != 0) << 8 |
                (uint64_t)(fault->is_page_fault != 0) << 16 | (uint64_t)fault->vector << 32;
    m.word[3] = fault->instruction;
    ask(v, v->home, &m); /* refused: the instruction faults again */
    return 1;
}

/* The process gave no place to enter. -E_LIMIT: the home could not be told now. */
static int fault_at_entry(struct vcore *v)
{
    struct user_fault fault = {.is_page_fault = 1,
                               .access = PROT_X,
                               .address = USER_TOP,
                               .instruction = USER_TOP};
    fault_home(v, &fault);
    return v->run == VCORE_PARKED ? 0 : -E_LIMIT;
}

static long call_console(struct vcore *v, const long argument[4])
{
    if (this_core == 0)
        return console_write(v->message, (uint64_t)argument[0], (uint64_t)argument[1]);
    struct message m = {.head = message_head(MESSAGE_CONSOLE_WRITE)};
    m.word[0] = key_of(v);
    m.word[1] = v->message;
    m.word[2] = (uint64_t)argument[0];
    m.word[3] = (uint64_t)argument[1];
    int error = ask(v, actor_well_known(0, ACTOR_CONSOLE), &m);
    if (error)
        return error;
    kernel_loop();
}

static long call_halt(struct vcore *v)
{
    if (user_flag_take(&v->data->notif_pending))
        return 0;
    v->run = VCORE_HALTED;
    kernel_loop();
}

/* --- what user mode comes with ---------------------------------------------------------------------- */

/* Seed two, 4.2; the architecture's "reflection": the context goes to the uthread slot and the vcore is
 * entered at its entry point, in vcore context. FP state stays in place. */
static _Noreturn void reflect(struct vcore *v)
{
    struct context *context = arch_context();
    arch_context_reflect(context);
    context->fs_base = arch_fs_base();
    v->data->uthread = *context;
    v->data->uthread_fp_saved = 0;
    v->data->uthread_valid = 1;
    if (enter_at_entry(v)) {
        v->fresh = fault_at_entry(v) != 0;
        kernel_loop();
    }
    arch_user_enter();
}

long kernel_syscall(long number, const long argument[4])
{
    struct vcore *v = loaded;
    if (!v->data->notif_disabled)
        reflect(v);
    switch (number) {
    case PANDO_null:
        return 0;
    case PANDO_console_write:
        return call_console(v, argument);
    case PANDO_vcore_halt:
        return call_halt(v);
    case PANDO_vcore_id:
        return v->id | (long)this_core << 16;
    default:
        if (number < 0 || number >= SYSCALLS)
            return -E_NO_CALL;
        return call_home(v, number, argument);
    }
}

void kernel_fault(const struct user_fault *fault)
{
    if (fault_home(loaded, fault))
        kernel_loop();
    if (fault->is_page_fault && fault->present)
        arch_user_flush(fault->address);
}

void kernel_interrupt(enum interrupt which)
{
    if (which == INTERRUPT_TIMER && turns && sliced == turns && arch_clock() >= slice_end)
        turns = turns->next; /* else the tick is another's, which came late */
    kernel_loop();
}

/* --- the home's commands --------------------------------------------------------------------------------- */

static int vcore_fill(struct vcore *v, const struct message *m)
{
    v->pid = key_pid(m->word[0]);
    v->id = (uint16_t)key_vcoreid(m->word[0]);
    v->home = m->word[1];
    v->data = frame_pointer((frame_t)m->word[2]);
    v->xsave = (frame_t)(m->word[2] >> 32);
    v->message = (frame_t)m->word[3];
    v->procdata = frame_pointer((frame_t)(m->word[3] >> 32));
    v->run = VCORE_ATTACHED;
    v->space = arch_space_make();
    v->fp = arch_private_alloc();
    return v->space && v->fp ? 0 : -E_NO_MEMORY;
}

static void vcore_free(struct vcore *v)
{
    if (v->space)
        arch_space_free(v->space);
    if (v->fp)
        arch_private_free(v->fp);
    pool_put(&vcore_pool, v);
}

/* What answers a command. A home has few commands under way, so the answers find room; a home that has ended needs
 * no answer. */
static void tell_home(uint64_t home, struct message *m)
{
    int error = actor_send(home, m);
    ASSERT(!error || error == -E_GONE);
}

static void tell_stopped(uint64_t home, uint64_t key, int error)
{
    struct message m = {.head = message_head(MESSAGE_VCORE_STOPPED)};
    m.word[0] = key;
    m.word[1] = (uint64_t)error;
    tell_home(home, &m);
}

static void on_attach(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = pool_get(&vcore_pool);
    if (!v || vcore_fill(v, m)) {
        if (v)
            vcore_free(v);
        tell_stopped(m->word[1], m->word[0], E_NO_MEMORY);
        return;
    }
    if (turns) {
        v->next = turns->next;
        turns->next = v;
    } else {
        v->next = v;
        turns = v;
    }
}

int vcore_set_slot(uint64_t key, unsigned slot, uint32_t root)
{
    struct vcore *v = vcore_find(key);
    if (!v)
        return -1;
    arch_space_set(v->space, slot, root);
    return 0;
}

static void on_slot(struct actor *self, const struct message *m, unsigned from)
{
    vcore_set_slot(m->word[0], (unsigned)m->word[1], (frame_t)m->word[2]);
}

static void on_start(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    if (v) {
        v->fresh = 1;
        v->run = VCORE_RUNNABLE;
    }
}

void vcore_wake(uint64_t key)
{
    struct vcore *v = vcore_find(key);
    if (v && v->run == VCORE_HALTED && user_flag_take(&v->data->notif_pending)) {
        v->run = VCORE_PARKED;
        answered(v, 0);
    }
}

static void on_wake(struct actor *self, const struct message *m, unsigned from)
{
    vcore_wake(m->word[0]);
    struct message woken = {.head = message_head(MESSAGE_VCORE_WOKEN), .word = {m->word[0]}};
    tell_home(m->word[1], &woken);
}

static void on_flush(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    if (v && v == loaded)
        for (uint64_t i = 0; i < m->word[2]; i++)
            arch_user_flush(m->word[1] + i * PAGE_BYTES);
    struct message done = {.head = message_head(MESSAGE_VCORE_FLUSHED), .word = {m->word[0]}};
    tell_home(m->word[3], &done);
}

static void save_to_uthread_slot(struct vcore *v)
{
    if (v == loaded)
        unload();
    arch_context_result(&v->context, 0);
    v->context.trap = 0; /* not a reflected trap */
    v->data->uthread = v->context;
    memcpy(frame_pointer(v->xsave), v->fp, PAGE_BYTES);
    v->data->uthread_fp_saved = 1;
    v->data->uthread_valid = 1;
}

static void vcore_remove(struct vcore *v)
{
    struct vcore *before = v;
    while (before->next != v)
        before = before->next;
    before->next = v->next;
    if (turns == v)
        turns = v->next == v ? NULL : v->next;
    if (loaded == v)
        loaded = NULL;
    if (sliced == v)
        sliced = NULL;
}

static void stop(struct vcore *v, unsigned flags)
{
    uint64_t home = v->home, key = key_of(v);
    if (flags & STOP_TO_UTHREAD_SLOT)
        save_to_uthread_slot(v);
    vcore_remove(v);
    vcore_free(v);
    tell_stopped(home, key, 0);
}

static void on_stop(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    if (!v)
        return; /* it could not be attached, and the home was told */
    if (v->asked) {
        v->stopping = 1;
        v->stop_flags = (uint8_t)m->word[1];
        return;
    }
    stop(v, (unsigned)m->word[1]);
}

/* The reply to any request of a vcore's: {key, result}. */
static void on_done(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    ASSERT(v && v->asked);
    v->asked = 0;
    if (v->stopping)
        stop(v, v->stop_flags);
    else
        answered(v, (long)m->word[1]);
}

static void on_fault_done(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    ASSERT(v && v->asked);
    v->asked = 0;
    if (v->stopping) {
        stop(v, v->stop_flags);
    } else if (m->word[1] == 0) {
        v->run = VCORE_RUNNABLE;
        if (v == loaded)
            arch_user_flush(m->word[2]);
    }
}

static struct actor_class driver_class = {
    .name = "driver",
    .handler =
        {
            [MESSAGE_VCORE_ATTACH] = on_attach,
            [MESSAGE_VCORE_SLOT] = on_slot,
            [MESSAGE_VCORE_START] = on_start,
            [MESSAGE_VCORE_WAKE] = on_wake,
            [MESSAGE_VCORE_FLUSH] = on_flush,
            [MESSAGE_VCORE_STOP] = on_stop,
            [MESSAGE_CALL_DONE] = on_done,
            [MESSAGE_CONSOLE_DONE] = on_done,
            [MESSAGE_FAULT_DONE] = on_fault_done,
        },
};
ACTOR_CLASS(driver_class)

void vcore_driver_start(void)
{
    ASSERT(actor_create_at(ACTOR_KERNEL, &driver_class, NULL, &driver) == 0);
}
