/* Who is told when a process has ended: proc_watch. docs/process.md. All functions: at the home, in
 * handlers. */
#ifndef KERNEL_WATCH_H
#define KERNEL_WATCH_H

#include <stdint.h>

struct process;

enum { WATCHES_MAX = 64 }; /* of a process: all are told in one turn */

/* A process that watches, by one of its handles. Invariant: it is in the list of the process that
 * the handle names. */
struct watch {
    struct watch *next;
    struct process *watcher;
    uint16_t number; /* of the handle */
};

/* Tells of the end of p by EVENT_CHILD_ENDED, once for each handle; at once if p is gone. -E_LIMIT:
 * WATCHES_MAX watch it already. -E_NO_MEMORY. */
int watch_add(struct process *p, struct process *watcher, uint16_t number);
/* Takes the watch back, if there is one. */
void watch_remove(struct process *p, const struct process *watcher, uint16_t number);
/* Tells all who watch p, which is gone. */
void watches_tell(struct process *p);

#endif
