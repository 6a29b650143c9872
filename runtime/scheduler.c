#include "runtime/scheduler.h"
#include "runtime/event.h"
#include "runtime/vcore.h"

enum { IDLE_WORDS = (VCORES_MAX + 64) / 64 };

static struct lock lock; /* for these: */
static struct uthread_queue runnable;

static uint32_t runnable_count; /* changed under the lock, read anywhere */

/* The number of vcores online, and whether the process is going back to one context, in one word:
 * so that no vcore comes online unseen. */
#define GATHERING 0x80000000u
static uint32_t online;
static uint32_t gatherer; /* the vcore that stays */
static uint64_t idle[IDLE_WORDS];

bool scheduler_has_runnable(void)
{
    return __atomic_load_n(&runnable_count, __ATOMIC_SEQ_CST) != 0;
}

static bool gathering(void)
{
    return __atomic_load_n(&online, __ATOMIC_SEQ_CST) & GATHERING;
}

bool scheduler_wants_vcore(void)
{
    return scheduler_has_runnable() || events_wanted() || gathering();
}

bool scheduler_alone(void)
{
    return !scheduler_has_runnable() && __atomic_load_n(&online, __ATOMIC_RELAXED) == 1;
}

/* --- the queue ----------------------------------------------------------------------------------
 */

static void count_change(int by)
{
    __atomic_store_n(&runnable_count, runnable_count + by, __ATOMIC_SEQ_CST);
}

void scheduler_add_unannounced(struct uthread *uthread)
{
    lock_take(&lock);
    uthread_queue_add(&runnable, uthread);
    count_change(1);
    lock_release(&lock);
}

void scheduler_add_first(struct uthread *uthread)
{
    lock_take(&lock);
    uthread->next = runnable.head;
    if (!runnable.head)
        runnable.tail = uthread;
    runnable.head = uthread;
    count_change(1);
    lock_release(&lock);
}

static struct uthread *runnable_take(void)
{
    lock_take(&lock);
    struct uthread *uthread = uthread_queue_take(&runnable);
    if (uthread)
        count_change(-1);
    lock_release(&lock);
    return uthread;
}

/* --- idle vcores --------------------------------------------------------------------------------
 */

/* Takes the vcore out of the idle set. True for one caller only. */
static bool idle_claim(unsigned vcoreid)
{
    uint64_t bit = 1ull << vcoreid % 64;

    return __atomic_fetch_and(&idle[vcoreid / 64], ~bit, __ATOMIC_SEQ_CST) & bit;
}

static void idle_wake_one(void)
{
    for (unsigned word = 0; word < IDLE_WORDS; word++) {
        uint64_t bits;
        while ((bits = __atomic_load_n(&idle[word], __ATOMIC_SEQ_CST)) != 0) {
            unsigned vcoreid = word * 64 + __builtin_ctzll(bits);
            if (idle_claim(vcoreid) && system_call(PANDO_vcore_notify, vcoreid, 0, 0, 0) == 0)
                return;
        }
    }
}

/* In _S there is nobody else who could make a uthread runnable: the process waits to be told
 * something, which notif_pending keeps until then. */
static void idle_wait(unsigned vcoreid)
{
    if (!pando_procinfo()->manycore) {
        system_call(PANDO_vcore_yield, YIELD_WAIT, 0, 0, 0);
        return;
    }
    __atomic_fetch_or(&idle[vcoreid / 64], 1ull << vcoreid % 64, __ATOMIC_SEQ_CST);
    __atomic_store_n(&vcore_self()->idle, 1, __ATOMIC_SEQ_CST);
    if (!scheduler_wants_vcore())
        system_call(PANDO_vcore_halt, 0, 0, 0, 0);
    vcore_self()->idle = 0;
    idle_claim(vcoreid);
}

void scheduler_add(struct uthread *uthread)
{
    scheduler_add_unannounced(uthread);
    idle_wake_one();
}

/* notif_pending is cleared before the queue is looked at: what is told later sets it again. */
_Noreturn void scheduler_run(void)
{
    struct vcore_data *vcore = vcore_self();

    for (;;) {
        vcore_pending_clear(vcore);
        if (gathering()) {
            scheduler_vcore_offline();
            scheduler_vcore_go();
        }
        events_hand_out();
        struct uthread *uthread = runnable_take();
        if (uthread)
            uthread_resume(uthread);
        idle_wait(vcore->vcoreid);
    }
}

/* --- vcores coming and going --------------------------------------------------------------------
 */

bool scheduler_vcore_online(void)
{
    struct vcore_own *own = vcore_own();
    uint32_t count = __atomic_load_n(&online, __ATOMIC_SEQ_CST);

    if (own->online)
        return true;
    do {
        if (count & GATHERING)
            return false;
    } while (!__atomic_compare_exchange_n(&online, &count, count + 1, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    own->online = 1;
    events_vcore_entered(user_vcoreid());
    return true;
}

/* before: the word of which this vcore was counted. Who gathers waits for each that goes. */
static void gone_offline(uint32_t before)
{
    if (before & GATHERING)
        system_call(PANDO_vcore_notify, __atomic_load_n(&gatherer, __ATOMIC_RELAXED), 0, 0, 0);
}

void scheduler_vcore_offline(void)
{
    vcore_own()->online = 0;
    gone_offline(__atomic_fetch_sub(&online, 1, __ATOMIC_SEQ_CST));
}

bool scheduler_vcore_leave(void)
{
    uint32_t count = __atomic_load_n(&online, __ATOMIC_SEQ_CST);

    do {
        if (count == 1)
            return false;
    } while (!__atomic_compare_exchange_n(&online, &count, count - 1, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    vcore_own()->online = 0;
    gone_offline(count);
    return true;
}

/* A yield that returns is tried again. */
_Noreturn void scheduler_vcore_go(void)
{
    for (;;)
        system_call(PANDO_vcore_yield, 0, 0, 0, 0);
}

void scheduler_wait_online(void)
{
    while (__atomic_load_n(&online, __ATOMIC_ACQUIRE) < pando_procinfo()->amt_granted) {
        runtime_uthread_yield();
        cpu_relax();
    }
}

/* --- back to one context ------------------------------------------------------------------------
 */

/* An idle vcore sets its bit and then looks whether vcores are gathered: one of the two sees the
 * other. */
static void idle_wake_all(void)
{
    for (unsigned vcoreid = 0; vcoreid < VCORES_MAX; vcoreid++)
        if (idle_claim(vcoreid))
            system_call(PANDO_vcore_notify, vcoreid, 0, 0, 0);
}

void scheduler_gather(void)
{
    __atomic_store_n(&gatherer, vcore_self()->vcoreid, __ATOMIC_RELAXED);
    __atomic_fetch_or(&online, GATHERING, __ATOMIC_SEQ_CST);
    idle_wake_all();
    while (__atomic_load_n(&online, __ATOMIC_SEQ_CST) != (GATHERING | 1))
        system_call(PANDO_vcore_halt, 0, 0, 0, 0);
}

void scheduler_gathered(void)
{
    __atomic_fetch_and(&online, ~GATHERING, __ATOMIC_SEQ_CST);
}
