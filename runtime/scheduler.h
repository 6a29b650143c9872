/* The second-level scheduler: which uthread runs on which vcore. One queue for the process; a vcore
 * with nothing to run is idle, and halts in the kernel.
 *
 * No wake-up is lost. An idle vcore first notes itself in the set of idle vcores and then looks at
 * the queue once more; who adds a uthread first puts it in the queue and then looks for an idle
 * vcore. Both steps are sequentially consistent, so at least one of the two sees the other. Who
 * takes a vcore's bit out of the set owes it a notification: the kernel keeps that in
 * notif_pending, with which vcore_halt returns at once, be it set before or after. A notification
 * to a vcore that found work by itself costs it one more look. */
#ifndef RUNTIME_SCHEDULER_H
#define RUNTIME_SCHEDULER_H

#include <stdbool.h>
#include "runtime/uthread.h"

/* All are called masked, but scheduler_has_runnable and scheduler_wait_online. */

/* Makes the uthread runnable, and wakes an idle vcore if there is one. */
void scheduler_add(struct uthread *uthread);

/* The same, for a caller that goes to scheduler_run itself right after: no vcore is woken. For
 * every one added so one is taken, so the others in the queue stay as well looked after as they
 * were. */
void scheduler_add_unannounced(struct uthread *uthread);
void scheduler_add_first(struct uthread *uthread); /* at the head: it is the one taken next */

/* Vcore context, with no current uthread: runs one, or waits for one. */
_Noreturn void scheduler_run(void);

/* A hint: is any uthread waiting for a vcore? Any context. */
bool scheduler_has_runnable(void);
/* The same, or there is an event that one waits for, or the vcore is to go: who yields, or would
 * halt, is to come to scheduler_run. */
bool scheduler_wants_vcore(void);

/* Uthread context: no other vcore is online, and no uthread waits for this one. */
bool scheduler_alone(void);

/* This vcore has been entered (again and again is no harm). False: the process is going back to one
 * context, and the vcore must go: scheduler_vcore_go. */
bool scheduler_vcore_online(void);
/* This vcore is about to be given back. */
void scheduler_vcore_offline(void);
/* The same unless it is the last one: false, it stays. Of several that leave at once one stays. */
bool scheduler_vcore_leave(void);
/* Vcore context, offline, with nothing held: the vcore is given back. */
_Noreturn void scheduler_vcore_go(void);

/* Back to one context: docs/runtime.md. The caller stays masked from the one to the other.
 * scheduler_gather returns when all other vcores that were online have put their uthreads into the
 * queue and hold nothing; none comes online until scheduler_gathered. */
void scheduler_gather(void);
void scheduler_gathered(void);

/* Uthread context. Returns when as many vcores are online as are granted, yielding until then. */
void scheduler_wait_online(void);

#endif
