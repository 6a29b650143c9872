/* The process's half of a vcore's mailbox: docs/event.md. Plain C: it is also built on the host.
 * Any vcore may take from any mailbox; of those that take from one, one at a time. */
#ifndef RUNTIME_MAILBOX_H
#define RUNTIME_MAILBOX_H

#include <stdbool.h>
#include "abi/process.h"

/* Takes the next event: of the home's ring, else of the driver's, else a bit. False: there is none.
 */
bool mailbox_take(struct mailbox *mailbox, struct event *event);

/* Whether there is one to take. Anybody, at any time. In one order with the setting of `idle`: after
 * that, an event that is not seen here wakes. */
bool mailbox_has(const struct mailbox *mailbox);

#endif
