/* Whose state the core holds, and whose turn it is. docs/vcore.md. */
#include "kernel/vcore.h"
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/probe.h"
#include "kernel/shared/user_word.h"
#include "kernel/vcore_state.h"

#define BRIEF_NS 50000 /* in user mode while messages wait */

struct vcore *vcore_turns, *vcore_loaded;
static struct vcore *sliced; /* who has a slice of the core, and until when on arch_clock */
static uint64_t slice_end;
static uint64_t tick_at; /* when the timer ticks, on arch_clock; past or 0: not known */
static int others_wait;  /* since nobody has a slice */

struct vcore *vcore_find(uint64_t key)
{
    struct vcore *v = vcore_turns;
    if (v)
        do
            if (v->pid == key_pid(key) && v->id == key_vcoreid(key))
                return v;
        while ((v = v->next) != vcore_turns);
    return NULL;
}

void vcore_add(struct vcore *v)
{
    if (vcore_turns) {
        v->next = vcore_turns->next;
        vcore_turns->next = v;
    } else {
        v->next = v;
        vcore_turns = v;
    }
}

void vcore_remove(struct vcore *v)
{
    struct vcore *before = v;
    while (before->next != v)
        before = before->next;
    before->next = v->next;
    if (vcore_turns == v)
        vcore_turns = v->next == v ? NULL : v->next;
    if (vcore_loaded == v) {
        v->used += arch_clock() - v->loaded_at;
        vcore_loaded = NULL;
    }
    if (sliced == v)
        sliced = NULL;
}

void vcore_unload(void)
{
    struct vcore *v = vcore_loaded;
    if (!v)
        return;
    arch_context_save(&v->context);
    v->gs_base = arch_gs_base();
    arch_fp_save(v->fp);
    v->used += arch_clock() - v->loaded_at;
    vcore_loaded = NULL;
}

static void load(struct vcore *v)
{
    if (vcore_loaded == v)
        return;
    vcore_unload();
    arch_space_enter(v->space);
    if (!v->fresh) {
        arch_context_load(&v->context, v->gs_base);
        arch_fp_load(v->fp);
    }
    v->loaded_at = arch_clock();
    vcore_loaded = v;
}

/* Sends a vcore in at its entry point, on its transition stack, in vcore context. */
int vcore_enter_at_entry(struct vcore *v)
{
    uint64_t entry = user_word_read(&v->procdata->entry);
    uint64_t stack = user_word_read(&v->data->stack_top);
    v->data->notif_disabled = 1;
    uint64_t fs_base = arch_fs_base();
    int error = arch_context_entry(arch_context(), entry, stack, v->id);
    arch_bases_set(fs_base, vcore_block(v->id));
    return error;
}

struct vcore *vcore_next(void)
{
    struct vcore *v = vcore_turns;
    if (v)
        do
            if (v->run == VCORE_RUNNABLE)
                return v;
        while ((v = v->next) != vcore_turns);
    return NULL;
}

void vcore_make_runnable(struct vcore *v)
{
    v->run = VCORE_RUNNABLE;
    others_wait |= !sliced && v != vcore_loaded;
}

static int others_runnable(const struct vcore *v)
{
    for (const struct vcore *other = v->next; other != v; other = other->next)
        if (other->run == VCORE_RUNNABLE)
            return 1;
    return 0;
}

/* A timer that ticks earlier is left as it is: the tick finds the slice not over, and the timer is
 * armed again. So vcores that take turns fast do not arm it each time. */
static void tick_by(uint64_t end, uint64_t now)
{
    if (now < tick_at && tick_at <= end)
        return;
    tick_at = end;
    arch_timer_arm((end - now) * 1000 / (arch_clock_hz() / 1000000) + 1);
}

/* A slice goes on when its vcore is entered again; a vcore that is alone has none. */
static void arm_slice(struct vcore *v)
{
    others_wait = 0;
    if (!others_runnable(v)) {
        sliced = NULL;
        return;
    }
    uint64_t now = arch_clock();
    if (sliced != v)
        slice_end = now + v->slice_ticks;
    sliced = v;
    tick_by(now < slice_end ? slice_end : now, now);
}

void vcore_goes_on(struct vcore *v)
{
    if (others_wait)
        arm_slice(v);
}

static void enter_state(struct vcore *v)
{
    vcore_turns = v;
    probe_user_entered();
    load(v);
    if (v->fresh) {
        v->fresh = 0;
        arch_registers_reset();
        if (vcore_enter_at_entry(v)) {
            v->fresh = vcore_fault_at_entry(v) != 0;
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
    tick_at = 0;
    arch_user_enter();
}

void kernel_interrupt(enum interrupt which)
{
    probe_interrupted();
    tick_at = which == INTERRUPT_TIMER ? 0 : tick_at;
    if (which == INTERRUPT_TIMER && vcore_turns && sliced == vcore_turns &&
        arch_clock() >= slice_end)
        vcore_turns = vcore_turns->next; /* else the tick is another's, which came late */
    kernel_loop();
}

void vcore_answered(struct vcore *v, long result)
{
    if (v->run != VCORE_PARKED)
        return;
    vcore_make_runnable(v);
    arch_context_result(v == vcore_loaded ? arch_context() : &v->context, result);
    if (v->yields && vcore_turns == v)
        vcore_turns = v->next;
    v->yields = 0;
}

void vcore_fault_resolved(uint64_t key, uint64_t address)
{
    struct vcore *v = vcore_find(key);
    if (!v || v->run != VCORE_PARKED)
        return;
    v->run = VCORE_RUNNABLE;
    if (v == vcore_loaded)
        arch_user_flush(address);
}

void vcore_answer(uint32_t pid, unsigned vcoreid, long result)
{
    struct vcore *v = vcore_find(vcore_key(pid, vcoreid));
    if (v)
        vcore_answered(v, result);
}
