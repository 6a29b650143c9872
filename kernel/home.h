/* The home of a process: the actor that its drivers and the core allocator talk to, and the records of its
 * vcores. docs/process.md. Messages: kernel/vcore.h, kernel/cores.h. */
#ifndef KERNEL_HOME_H
#define KERNEL_HOME_H

#include <stdint.h>

struct process;

int home_actor_make(struct process *p); /* sets p->actor, p->address */

/* A dying process lets go: no more cores are wanted, open calls are answered with E_GONE, every vcore is told to stop. */
void home_give_up(struct process *p);

/* A turn of giving back what a dying process owns; called when a vcore has stopped and by CONTINUE. */
void process_continue_end(struct process *p);

#endif
