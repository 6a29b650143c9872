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
static struct uthread_queue awaiters; /* for any event, that they do not take */
static uint32_t waiting, awaiting;    /* how many; changed under the lock, read anywhere */

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

bool events_there(void)
{
    unsigned known = vcores_known();

    for (unsigned vcoreid = 0; vcoreid < known; vcoreid++)
        if (mailbox_has(mailbox_of(vcoreid)))
            return true;
    return false;
}

/* --- waiting ------------------------------------------------------------------------------------
 */

static bool taking_wanted(void)
{
    return __atomic_load_n(&waiting, __ATOMIC_SEQ_CST) != 0 && events_there();
}

/* Under the lock, so that who waits first is served first. */
static void hand_out(void)
{
    while (taking_wanted()) {
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

/* --- waiting for any event, without taking it ---------------------------------------------------
 */

/* A mailbox's counts only grow: what does not fit in its ring is counted as lost. */
uint32_t runtime_events_posted(void)
{
    unsigned known = vcores_known();
    uint32_t posted = 0;

    for (unsigned vcoreid = 0; vcoreid < known; vcoreid++) {
        const struct mailbox *mailbox = mailbox_of(vcoreid);
        posted += __atomic_load_n(&mailbox->home.written, __ATOMIC_SEQ_CST) +
                  __atomic_load_n(&mailbox->home.lost, __ATOMIC_SEQ_CST) +
                  __atomic_load_n(&mailbox->driver.written, __ATOMIC_SEQ_CST) +
                  __atomic_load_n(&mailbox->driver.lost, __ATOMIC_SEQ_CST);
    }
    return posted;
}

/* The first in the queue has waited longest: the others have seen no less. */
static bool await_due(void)
{
    if (!__atomic_load_n(&awaiting, __ATOMIC_SEQ_CST))
        return false;
    uint32_t posted = runtime_events_posted();
    lock_take(&lock);
    bool due = awaiters.head && awaiters.head->posted != posted;
    lock_release(&lock);
    return due;
}

static void await_hand_out(void)
{
    while (await_due()) {
        lock_take(&lock);
        struct uthread *uthread = uthread_queue_take(&awaiters);
        if (uthread)
            __atomic_store_n(&awaiting, awaiting - 1, __ATOMIC_SEQ_CST);
        lock_release(&lock);
        if (uthread)
            scheduler_add(uthread);
    }
}

/* As after_wait. */
static void after_await(struct uthread *uthread, void *arg)
{
    (void)arg;
    lock_take(&lock);
    bool stays = uthread->posted == runtime_events_posted();
    if (stays) {
        uthread_queue_add(&awaiters, uthread);
        __atomic_store_n(&awaiting, awaiting + 1, __ATOMIC_SEQ_CST);
    }
    lock_release(&lock);
    if (!stays)
        scheduler_add_first(uthread);
}

void runtime_events_await(uint32_t posted)
{
    if (runtime_events_posted() != posted)
        return;
    user_current()->posted = posted;
    uthread_block(after_await, NULL);
}

int runtime_alone(void)
{
    return !__atomic_load_n(&waiting, __ATOMIC_SEQ_CST) &&
           !__atomic_load_n(&awaiting, __ATOMIC_SEQ_CST) && scheduler_alone();
}

/* --- for the scheduler --------------------------------------------------------------------------
 */

bool events_wanted(void)
{
    return taking_wanted() || await_due();
}

void events_hand_out(void)
{
    await_hand_out();
    hand_out();
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
