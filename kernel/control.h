/* Control of processes: what one may do with another that it has a handle to. docs/process.md,
 * docs/sandbox.md. All functions: at the home, in handlers. */
#ifndef KERNEL_CONTROL_H
#define KERNEL_CONTROL_H

struct process;

/* The calls proc_*. */
long control_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

/* All that the process owned is back: tells who waits for it. */
void control_gone(struct process *p);

#endif
