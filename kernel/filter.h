/* The filter of a process: which calls it may make, and what becomes of the others. docs/sandbox.md.
 *
 * Set before the process first runs, and never widened. Drivers have the mask, and send whatever it
 * does not permit to the home, which alone knows what becomes of it. */
#ifndef KERNEL_FILTER_H
#define KERNEL_FILTER_H

#include <stdint.h>
#include "abi/syscall.h"

struct process;

/* Masks: a bit a call, FILTER_OTHERS for the numbers that have none. Each is only ever made stricter.
 * A call that is not permitted and in neither of the others returns an error.
 * Invariant: asker is NULL, or who asked last for `asks`; it holds a handle to the process, with this
 * number. */
struct filter {
    uint64_t permitted;
    uint64_t ends; /* the process, whatever `asks` says */
    uint64_t asks; /* the asker; an error when that is NULL */
    uint16_t asker_handle;
    struct process *asker;
};

/* Whether the call's bit is set. */
static inline int filter_permits(uint64_t mask, long number)
{
    return mask >> ((unsigned long)number < FILTER_OTHERS ? number : FILTER_OTHERS) & 1;
}

/* The filter of a process at its creation: its creator's, or none. */
struct filter filter_inherited(const struct process *creator);

/* What becomes of a call that is not permitted; as home_call. */
long filter_refuse(struct process *p, unsigned vcoreid, long number, const long argument[4]);

/* The asker's handle leaves its table: calls that are handed up, and those to come, are refused. */
void filter_asker_leaves(struct process *p);

/* proc_sandbox; proc_call, proc_reply: of `other`, to which the caller's handle `number` allows
 * CONTROL. */
long filter_set(struct process *p, struct process *other, unsigned number, uint64_t permitted,
                unsigned long action);
long filter_call(struct process *p, unsigned vcoreid, struct process *other,
                 const long argument[4]);
long filter_reply(struct process *p, unsigned vcoreid, struct process *other,
                  const long argument[4]);

#endif
