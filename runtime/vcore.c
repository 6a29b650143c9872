#include "runtime/vcore.h"
#include "runtime/call.h"
#include "runtime/console.h"
#include "runtime/event.h"
#include "runtime/memory.h"
#include "runtime/mutex.h"
#include "runtime/program.h"
#include "runtime/scheduler.h"
#include "runtime/uthread.h"
#include "abi/error.h"

/* --- entry --------------------------------------------------------------------------------------
 */

/* Loading touches memory that is not pinned, so it is done in uthread context. Level 1 from birth:
 * the program's context, at level 0, is what program_start makes. */
_Noreturn void process_begin(uint32_t vcoreid)
{
    (void)vcoreid;
    memory_init();
    struct uthread *first = uthread_make(true);
    if (!first)
        console_fail("out of memory for the first uthread");
    scheduler_vcore_online();
    first->level = LEVEL_CALL;
    vcore_own()->current = first;
    context_begin((void *)first->call_stack_top, program_start, first);
}

static bool in_pop(uint64_t rip)
{
    return rip >= (uintptr_t)context_pop_begin && rip < (uintptr_t)context_pop_end;
}

/* Takes what was running out of the vcore's uthread slot into its control block. A context in
 * context_pop is not worth having: the block it was being loaded from holds the truth. Afterwards
 * FP state is in the registers. Returns whether it stopped for a system call of the program. */
static bool slot_take(struct vcore_data *vcore, struct uthread *uthread)
{
    uint64_t rip = vcore->uthread.rip;

    if (vcore->uthread_fp_saved) {
        fp_restore((uint8_t *)vcore + VCORE_XSAVE_OFFSET, pando_procinfo()->xsave_mask);
        vcore->uthread_fp_saved = 0;
    }
    if (!in_pop(rip))
        uthread->context[uthread->level] = vcore->uthread;
    uthread->saved = SAVED_TRAP;
    bool reflected = (vcore->uthread.trap & 0x1ff) == TRAP_SYSCALL && !in_pop(rip) &&
                     rip != (uintptr_t)kernel_call_return;
    vcore->uthread_valid = 0;
    return reflected;
}

/* A vcore is entered: fresh, with uthread_valid clear; because its uthread made a system call; or
 * to be told something, which at present is at most that there is work. Then the uthread goes on.
 */
_Noreturn void vcore_entered(uint32_t vcoreid)
{
    struct vcore_data *vcore = vcore_self();
    struct uthread *uthread = vcore_own()->current;

    (void)vcoreid;
    if (!scheduler_vcore_online())
        scheduler_vcore_go();
    if (!vcore->uthread_valid || !uthread)
        scheduler_run();
    if (slot_take(vcore, uthread))
        call_begin(uthread);
    vcore_pending_clear(vcore);
    events_hand_out();
    uthread_resume(uthread);
}

/* The uthread that was being resumed is still whole in its control block, and its FP state is in
 * the registers. */
_Noreturn void vcore_raced(void)
{
    vcore_pending_clear(vcore_self());
    events_hand_out();
    uthread_resume(vcore_own()->current);
}

/* --- for programs -------------------------------------------------------------------------------
 */

int runtime_vcore_id(void)
{
    return user_vcoreid();
}

static struct mutex requests; /* one at a time */

/* Masked: nobody else runs on this vcore meanwhile, and it is the one that the caller keeps. */
static long request_none(void)
{
    vcore_mask();
    scheduler_gather();
    long result = system_call(PANDO_cores_request, 0, 0, 0, 0);
    scheduler_gathered();
    vcore_unmask();
    return result;
}

static long request_some(unsigned long amt_wanted)
{
    long result = kernel_call(PANDO_cores_request, amt_wanted, 0, 0, 0);

    if (result < 0)
        return result;
    scheduler_wait_online();
    return pando_procinfo()->amt_granted;
}

static long vcores_request(unsigned long amt_wanted)
{
    mutex_take(&requests);
    bool to_single = !amt_wanted && pando_procinfo()->manycore;
    long result = to_single ? request_none() : request_some(amt_wanted);
    mutex_release(&requests);
    return result;
}

int runtime_vcores_request(unsigned amt_wanted)
{
    return vcores_request(amt_wanted);
}

/* Masked: what is told after the look is in notif_pending, which nobody clears before the kernel
 * looks at it. */
static long yield(long flags)
{
    if (flags & YIELD_WAIT && events_there())
        return 0;
    return system_call(PANDO_vcore_yield, flags, 0, 0, 0);
}

/* The vcore stays if it is the last and the process is not to wait, since the uthread could run; or
 * if something has come for the process that it may not have seen. */
static void after_give_back(struct uthread *uthread, void *arg)
{
    scheduler_add(uthread);
    if ((long)arg & YIELD_WAIT)
        scheduler_vcore_offline();
    else if (!scheduler_vcore_leave())
        return;
    yield((long)arg);
    if (!scheduler_vcore_online())
        scheduler_vcore_go();
}

/* In _M the vcore goes, the last one only to wait; the uthread that asked for it goes on with 0:
 * elsewhere, or where it was, or when the process has cores again. */
static long vcore_give_back(long flags)
{
    if (pando_procinfo()->manycore && !(flags & ~YIELD_WAIT)) {
        uthread_block(after_give_back, (void *)flags);
        return 0;
    }
    vcore_mask();
    long result = yield(flags);
    vcore_unmask();
    return result;
}

long runtime_kernel_call(long number, long a, long b, long c, long d)
{
    if (number == PANDO_vcore_yield)
        return vcore_give_back(a);
    if (number == PANDO_cores_request && a == 0)
        return vcores_request(0);
    return kernel_call(number, a, b, c, d);
}
