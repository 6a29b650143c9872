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
void home_single_left(
    struct process *p); /* from _S to _M: the single context is in the uthread slot */
/* cores_request, vcore_yield */
long cores_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

#endif
