/* A vcore that waits in a call with a channel's end: a part of its record. docs/channel_end.md. */
#ifndef KERNEL_CHANNEL_WAIT_H
#define KERNEL_CHANNEL_WAIT_H

#include <stdint.h>
#include "lib/list.h"

struct channel_end;
struct process;

/* Invariant: end is set exactly while it is in the end's list of receivers, or of senders; then the
 * record's number and argument are those of the call. */
struct channel_wait {
    struct list list;
    struct channel_end *end;
    struct process *process;
    unsigned vcoreid;
};

#endif
