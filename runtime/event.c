#include "runtime/event.h"
#include "runtime/mailbox.h"
#include "runtime/scheduler.h"
#include "runtime/vcore.h"
#include "abi/error.h"
#include "abi/syscall.h"

static struct lock
    taking[VCORES_MAX]; /* who takes from the vcore's mailbox, or changes its rings */
static unsigned vcores; /* 1 + the highest id that was ever entered */

static struct lock lock; /* for these: */
static struct uthread_queue waiters;
static uint32_t waiting; /* changed under the lock, read anywhere */

void events_vcore_entered(unsigned vcoreid)
{
    unsigned before = __atomic_load_n(&vcores, __ATOMIC_RELAXED);

    while (before <= vcoreid && !__atomic_compare_exchange_n(&vcores, &before, vcoreid + 1, false,
                                                             __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
}

static unsigned vcores_known(void)
{
    return __atomic_load_n(&vcores, __ATOMIC_SEQ_CST);
}

static struct mailbox *mailbox_of(unsigned vcoreid)
{
    return &vcore_block(vcoreid)->mailbox;
}

static bool take_from(unsigned vcoreid, struct event *event)
{
    if (!mailbox_has(mailbox_of(vcoreid)))
        return false;
    lock_take(&taking[vcoreid]);
    bool taken = mailbox_take(mailbox_of(vcoreid), event);
    lock_release(&taking[vcoreid]);
    return taken;
}

/* Masked. The vcore's own mailbox first: it is the nearest. */
static bool take(struct event *event)
{
    unsigned own = user_vcoreid(), known = vcores_known();

    if (take_from(own, event))
        return true;
    for (unsigned vcoreid = 0; vcoreid < known; vcoreid++)
        if (vcoreid != own && take_from(vcoreid, event))
            return true;
    return false;
}

static bool any(void)
{
    unsigned known = vcores_known();

    for (unsigned vcoreid = 0; vcoreid < known; vcoreid++)
        if (mailbox_has(mailbox_of(vcoreid)))
            return true;
    return false;
}

/* --- waiting ------------------------------------------------------------------------------------
 */

bool events_wanted(void)
{
    return __atomic_load_n(&waiting, __ATOMIC_SEQ_CST) != 0 && any();
}

/* Under the lock, so that who waits first is served first. */
void events_hand_out(void)
{
    while (events_wanted()) {
        lock_take(&lock);
        struct uthread *uthread = waiters.head;
        bool served = uthread && take(&uthread->event);
        if (served) {
            uthread_queue_take(&waiters);
            __atomic_store_n(&waiting, waiting - 1, __ATOMIC_SEQ_CST);
        }
        lock_release(&lock);
        if (served)
            scheduler_add(uthread);
    }
}

/* The vcore goes to the scheduler, which hands out what there is. */
static void after_wait(struct uthread *uthread, void *arg)
{
    (void)arg;
    lock_take(&lock);
    uthread_queue_add(&waiters, uthread);
    __atomic_store_n(&waiting, waiting + 1, __ATOMIC_SEQ_CST);
    lock_release(&lock);
}

int runtime_event_poll(struct event *event)
{
    struct event found;

    vcore_mask();
    bool taken = take(&found);
    vcore_unmask();
    if (taken)
        *event = found; /* the program's memory may fault */
    return taken;
}

void runtime_event_wait(struct event *event)
{
    if (!__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) && runtime_event_poll(event))
        return;
    uthread_block(after_wait, NULL);
    *event = user_current()->event;
}

/* --- rings --------------------------------------------------------------------------------------
 */

/* The kernel moves what was not taken: nobody takes meanwhile. */
int runtime_event_rings(unsigned vcoreid, unsigned events)
{
    if (vcoreid >= vcores_known())
        return -E_NO_ENTRY;
    vcore_mask();
    lock_take(&taking[vcoreid]);
    int result = (int)system_call(PANDO_event_rings, vcoreid, events, 0, 0);
    lock_release(&taking[vcoreid]);
    vcore_unmask();
    return result;
}
