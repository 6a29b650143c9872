/* Control of processes: what one may do with another that it has a handle to. docs/process.md,
 * docs/sandbox.md. All functions: at the home, in handlers. */
#ifndef KERNEL_CONTROL_H
#define KERNEL_CONTROL_H

struct process;

/* The calls proc_*. */
long control_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

/* All that the process owned is back: tells who waits for it, and who watches. */
void control_gone(struct process *p);

/* A handle to a process leaves its holder's table: handle_class. */
struct handle;
void control_leave(const struct handle *handle, struct process *holder);

#endif
