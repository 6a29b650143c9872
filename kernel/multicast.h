/* Multicasts: operations that a set of cores performs, down a tree of kernels, and the answers up
 * it. docs/multicast.md. Architecture: "Channels between kernels". */
#ifndef KERNEL_MULTICAST_H
#define KERNEL_MULTICAST_H

#include <stdint.h>
#include "kernel/cores.h"

enum multicast_operation {
    MULTICAST_FLUSH, /* word: pid, address, pages */
    MULTICAST_PROBE, /* for tests */
    MULTICAST_OPERATIONS
};

enum { MULTICAST_WORDS = 3 };

/* Registers what every kernel performs, before the snapshot. The function is called in a handler,
 * once or more for each multicast; it is bounded, and when it returns the operation has been
 * performed. */
void multicast_register(enum multicast_operation operation,
                        void (*perform)(const uint64_t word[MULTICAST_WORDS]));
#define MULTICAST_OPERATION(operation, function)                       \
    static void __attribute__((constructor)) function##_register(void) \
    {                                                                  \
        multicast_register(operation, function);                       \
    }

/* What is asked for. The asker's from multicast() returning 0 to `done`, and not to be touched
 * meanwhile. */
struct multicast {
    struct multicast *next;       /* of those that wait */
    uint64_t set[CORE_SET_WORDS]; /* who performs it; may hold this core, may be empty */
    enum multicast_operation operation;
    uint64_t word[MULTICAST_WORDS];
    void (*done)(struct multicast *m); /* all have performed it */
    void *owner;                       /* the asker's own */
};

/* Has every core of the set perform the operation. Each must run a kernel with which this one has
 * exchanged messages. Not refused. 1: performed already (this core alone was meant, or nobody);
 * `done` is not called. 0: `done` is called when all have, in a handler of this kernel, after the
 * caller has returned to the loop. Multicasts of several askers are in no order with others or with
 * messages. */
int multicast(struct multicast *m);

void multicast_start(void); /* at kernel_enter */

#endif
