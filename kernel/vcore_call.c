/* What a vcore comes with from user mode: system calls, reflection, faults. Asks go to the home, or
 * the console, as requests, and park the vcore. docs/vcore.md. */
#include "abi/error.h"
#include "abi/process.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/console.h"
#include "kernel/kernel.h"
#include "kernel/probe.h"
#include "kernel/process.h"
#include "kernel/shared/user_word.h"
#include "kernel/vcore.h"
#include "kernel/vcore_state.h"
#include "lib/string.h"

/* Parks the loaded vcore and sends its request. Refused: the vcore stays runnable. */
static int ask(struct vcore *v, uint64_t to, struct message *m)
{
    int error = actor_send_request(vcore_driver, to, m);
    if (error)
        return error;
    v->asked = 1;
    v->run = VCORE_PARKED;
    return 0;
}

/* The loaded vcore waits. Another one is entered at once if nothing waits that only the loop does: to
 * the rest of the kernel it is as if the call had returned. */
static _Noreturn void leave_to_next(void)
{
    struct vcore *next = actor_local_waits() ? NULL : vcore_next();
    if (next)
        vcore_enter(next);
    kernel_loop();
}

static __attribute__((noinline)) long call_far(struct vcore *v, long number, const long argument[4])
{
    struct message m = {.head = message_head(MESSAGE_CALL)};
    m.word[0] = vcore_key_of(v) | (uint64_t)number << 48;
    memcpy(&m.word[1], argument, 4 * sizeof argument[0]);
    int error = ask(v, v->home, &m);
    if (error)
        return error;
    kernel_loop();
}

/* A call for the home: directly when this kernel is the home, else by a request. */
static long call_home(struct vcore *v, long number, const long argument[4])
{
    v->yields = number == PANDO_vcore_yield;
    if (!v->process)
        return call_far(v, number, argument);
    v->run = VCORE_PARKED;
    long result = home_call(v->process, v->id, number, argument);
    if (result == CALL_LATER)
        leave_to_next();
    if (!actor_local_waits() && !v->yields) {
        v->run = VCORE_RUNNABLE;
        vcore_goes_on(v);
        return result;
    }
    vcore_answered(v, result);
    kernel_loop();
}

static __attribute__((noinline)) int fault_far(struct vcore *v, const struct user_fault *fault)
{
    struct message m = {.head = message_head(MESSAGE_FAULT)};
    m.word[0] = vcore_key_of(v);
    m.word[1] = fault->address;
    m.word[2] = fault->access | (uint64_t)(fault->present != 0) << 8 |
                (uint64_t)(fault->is_page_fault != 0) << 16 | (uint64_t)fault->vector << 32;
    m.word[3] = fault->instruction;
    m.word[4] = slot_holds(v->id, fault->address) ? slot_word(&v->slot, fault) : 0;
    ask(v, v->home, &m); /* refused: the instruction faults again */
    return 1;
}

/* Faults keep the context as it is: the answer resumes it, or the home stops the vcore. */
static inline int fault_home(struct vcore *v, const struct user_fault *fault)
{
    if (!v->process)
        return fault_far(v, fault);
    int error = home_fault(v->process, v->id, fault);
    if (error)
        v->run = VCORE_PARKED;
    return error;
}

/* The process gave no place to enter. -E_LIMIT: the home could not be told now. */
int vcore_fault_at_entry(struct vcore *v)
{
    struct user_fault fault = {
        .is_page_fault = 1, .access = PROT_X, .address = USER_TOP, .instruction = USER_TOP};
    fault_home(v, &fault);
    return v->run == VCORE_PARKED ? 0 : -E_LIMIT;
}

static __attribute__((noinline)) long call_console(struct vcore *v, const long argument[4])
{
    if (this_core == 0)
        return console_write(v->message, (uint64_t)argument[0], (uint64_t)argument[1]);
    struct message m = {.head = message_head(MESSAGE_CONSOLE_WRITE)};
    m.word[0] = vcore_key_of(v);
    m.word[1] = v->message;
    m.word[2] = (uint64_t)argument[0];
    m.word[3] = (uint64_t)argument[1];
    int error = ask(v, actor_well_known(0, ACTOR_CONSOLE), &m);
    if (error)
        return error;
    kernel_loop();
}

/* The home knows what becomes of it: the call may be handed up, with all arguments that it has. */
static __attribute__((noinline)) long call_refused(struct vcore *v, long number,
                                                   const long argument[4])
{
    if (number < 0 || number > NUMBER_MAX)
        return -E_NO_CALL;
    arch_call_more(v->data->call_more);
    return call_home(v, number, argument);
}

static long call_halt(struct vcore *v)
{
    user_flag_set(&v->data->idle);
    if (user_flag_take(&v->data->notif_pending)) {
        user_flag_clear(&v->data->idle);
        return 0;
    }
    v->run = VCORE_HALTED;
    kernel_loop();
}

/* --- what user mode comes with --------------------------------------------------------------- */

/* Seed two, 4.2; the architecture's "reflection": the context goes to the uthread slot and the
 * vcore is entered at its entry point, in vcore context. FP state stays in place. */
static _Noreturn void reflect(struct vcore *v)
{
    arch_context_reflect(arch_context());
    arch_context_save(&v->data->uthread);
    v->data->uthread_fp_saved = 0;
    v->data->uthread_valid = 1;
    if (vcore_enter_at_entry(v)) {
        v->fresh = vcore_fault_at_entry(v) != 0;
        kernel_loop();
    }
    arch_user_enter();
}

long kernel_syscall(long number, const long argument[4])
{
    struct vcore *v = vcore_loaded;
    if (!v->data->notif_disabled)
        reflect(v);
    if (!filter_permits(v->permitted, number))
        return call_refused(v, number, argument);
    switch (number) {
    case PANDO_null:
        return probe_path();
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

/* The home lends no slot to its own kernel. */
static inline int fault_own_slot(struct vcore *v, const struct user_fault *fault)
{
    return !v->process && fault->is_page_fault && slot_holds(v->id, fault->address) &&
           slot_fault(&v->slot, fault);
}

void kernel_fault(const struct user_fault *fault)
{
    struct vcore *v = vcore_loaded;
    if (fault_own_slot(v, fault))
        return;
    if (fault_home(v, fault))
        kernel_loop();
    if (fault->is_page_fault && fault->present)
        arch_user_flush(fault->address);
}
