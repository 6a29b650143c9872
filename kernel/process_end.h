/* The end of a process, and its records: what process.c, process_make.c, process_end.c and home.c
 * share. docs/process.md. All functions: at the home, in handlers. */
#ifndef KERNEL_PROCESS_END_H
#define KERNEL_PROCESS_END_H

struct process;

/* A record with a new pid, CREATED and empty. -E_LIMIT, -E_NO_MEMORY: nothing was made. */
int process_new(struct process **made);
/* Takes the record of a process away that is gone, or was never filled; nothing names it any more. */
void process_forget(struct process *p);

/* A process that has failed to be made, and never ran, gives everything back at once. */
void process_undo(struct process *p, int error);

/* Each process in turn, the first behind NULL; NULL: that was the last. */
struct process *process_after(const struct process *p);

/* A turn of giving back what a dying process owns, if nothing is awaited any more: called by
 * CONTINUE, and when a vcore has stopped, a flush was acknowledged or the allocator has
 * answered. */
void process_continue_end(struct process *p);

#endif
