/* The home of a process: the actor that its drivers and the core allocator talk to, and the records
 * of its vcores. docs/process.md. Messages: kernel/vcore.h, kernel/cores.h. */
#ifndef KERNEL_HOME_H
#define KERNEL_HOME_H

#include <stdint.h>

struct process;

int home_actor_make(struct process *p); /* sets p->actor, p->address */

/* A dying process lets go: no more cores are wanted, open calls are answered with E_GONE, every
 * vcore is told to stop. */
void home_give_up(struct process *p);

/* --- the process's cores: home_cores.c ------------------------------------------------------- */

struct message;
int home_want_cores(struct process *p,
                    unsigned wanted); /* tells the allocator; errors of actor_send */
void home_return_core(struct process *p, unsigned core);
void home_return_first_grant(struct process *p);
void home_granted(struct process *p, const struct message *m); /* ALLOC_GRANT */
/* RUNNABLE_M: becomes RUNNING_M if it has cores and its last vcore has stopped. */
void home_start_many(struct process *p);
/* cores_request, vcore_yield */
long cores_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);
/* Tells the process of what it wants and has. */
void home_show_cores(struct process *p);
/* Tells the allocator, which does not answer, that fewer are wanted. */
void home_tell_wanted(struct process *p);
/* In _M, WAITING for an event: asks for cores again. */
void home_wake_many(struct process *p);

/* --- its vcores: home.c ---------------------------------------------------------------------- */

/* Tells the driver of an attached vcore to stop it, once. One that is in a call stops when that is
 * answered. flags: enum stop_flags; result: of the call that it is in. */
void home_vcore_tell_stop(struct process *p, unsigned vcoreid, unsigned flags, long result);
/* The same, and answers the call that it is in behind that, so that it does not run on. */
void home_vcore_stop(struct process *p, unsigned vcoreid, unsigned flags, long result);

/* --- the process in _S, and what wakes one that waits: home_single.c --------------------------- */

/* Attaches and starts the context on a management core. -E_NO_MEMORY: nothing was done. */
int single_attach(struct process *p);
/* The same for RUNNABLE_S with nothing attached, which becomes RUNNING_S: the context starts on a management core.
 * -E_NO_MEMORY: the process is being ended. */
int single_place(struct process *p);
/* Its vcore has stopped: gives its place back. */
void single_left(struct process *p, unsigned core);

/* In _S: the context waits with its driver, and then no longer. */
void single_rest(struct process *p);
void single_resume(struct process *p);

/* vcore_yield in _S. */
long single_yield(struct process *p, unsigned long flags);
/* cores_request(0): the caller, in RUNNING_M, becomes the single context. */
long single_become(struct process *p, unsigned vcoreid);

/* Takes every notif_pending of the process: whether one was set. */
int home_take_pending(struct process *p);
/* Ends the wait of a process that is WAITING for an event; of any other it does nothing. */
void home_wake(struct process *p);

#endif
