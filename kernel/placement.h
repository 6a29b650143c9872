/* Placement: on which management core the single context of a process in _S runs. docs/cores.md.
 *
 * Private to the kernel of the homes. A context holds a place on one core from its attaching to its
 * VCORE_STOPPED; it counts as running unless it waits. */
#ifndef KERNEL_PLACEMENT_H
#define KERNEL_PLACEMENT_H

#include <stdint.h>
#include "kernel/options.h"

/* Places on a management core other than the home's. They bound what is under way between the two:
 * a request a place, and the commands of its vcore. */
enum { PLACES_MAX = 7 };

/* Divides the cores of `up`: the first so many as --management says are management cores, and those
 * that may be granted go to *granted; at least one may, which is both if it is alone. */
void placement_start(const uint64_t *up, uint64_t *granted);

unsigned placement_grantable(void); /* how many cores may be granted */

/* Takes a place on the core where the fewest run, the lowest of those; it counts as running. The
 * home's core always has one. */
unsigned placement_take(void);
void placement_leave(unsigned core, int waits); /* gives it back */

void placement_wait(unsigned core); /* its context waits, and counts for nothing until it wakes */
void placement_wake(unsigned core);

/* Whether a context that runs on `core` among others finds a core with a place where none runs. */
int placement_idler(unsigned core);

/* The slice of vcores that share the core, by its class. Any kernel's, of what is known here. */
unsigned placement_slice_us(unsigned core);

#endif
