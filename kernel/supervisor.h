/* The supervisor, an actor on core 0: forks the other kernels, starts the first process when they
 * are up, and ends the machine with its status. docs/kernel.md. */
#ifndef KERNEL_SUPERVISOR_H
#define KERNEL_SUPERVISOR_H

#include <stdint.h>

void supervisor_start(void);
void supervisor_poll(void); /* from the loop: cores that do not come up, the last process's end */
unsigned supervisor_cores(void); /* how many run a kernel */
int supervisor_core_is_up(unsigned core);

/* A forked kernel's first message to core 0. */
void supervisor_report_up(void);

uint64_t boot_clock(void); /* arch_clock at the kernel's entry point */

#endif
