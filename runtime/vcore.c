#include "runtime/vcore.h"
#include "runtime/call.h"
#include "runtime/console.h"
#include "runtime/event.h"
#include "runtime/memory.h"
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
    scheduler_vcore_online();
    if (!vcore->uthread_valid || !uthread)
        scheduler_run();
    if (slot_take(vcore, uthread))
        call_begin(uthread);
    vcore->notif_pending = 0;
    events_hand_out();
    uthread_resume(uthread);
}

/* The uthread that was being resumed is still whole in its control block, and its FP state is in
 * the registers. */
_Noreturn void vcore_raced(void)
{
    vcore_self()->notif_pending = 0;
    events_hand_out();
    uthread_resume(vcore_own()->current);
}

/* --- for programs -------------------------------------------------------------------------------
 */

int runtime_vcore_id(void)
{
    return user_vcoreid();
}

int runtime_vcores_request(unsigned amt_wanted)
{
    long result = kernel_call(PANDO_cores_request, amt_wanted, 0, 0, 0);

    if (result < 0)
        return result;
    scheduler_wait_online();
    return (int)pando_procinfo()->amt_granted;
}

static void after_give_back(struct uthread *uthread, void *arg)
{
    (void)arg;
    scheduler_add(uthread);
    scheduler_vcore_offline();
    system_call(PANDO_vcore_yield, 0, 0, 0, 0);
    scheduler_vcore_online(); /* refused: the vcore stays */
}

/* The vcore goes; the uthread that asked for it goes on elsewhere, with 0. */
static long vcore_give_back(void)
{
    if (!pando_procinfo()->manycore)
        return -E_STATE;
    if (pando_procinfo()->amt_granted <= 1)
        return -E_LAST_VCORE;
    uthread_block(after_give_back, NULL);
    return 0;
}

long runtime_kernel_call(long number, long a, long b, long c, long d)
{
    if (number == PANDO_vcore_yield)
        return vcore_give_back();
    return kernel_call(number, a, b, c, d);
}
