/* Events posted by a home: docs/event.md. Architecture: "Events"; seed two, 4.1, 4.2. */
#ifndef KERNEL_EVENT_H
#define KERNEL_EVENT_H

#include <stdint.h>
#include "abi/process.h"

struct process;

/* Posts to the process, at its home, in a handler: to the home ring, or the bitmap, of its lowest vcore that has a core, else
 * of the vcore that comes back first; sets that vcore's notif_pending, wakes it from vcore_halt, and wakes a process that WAITs.
 * Never refused; does nothing for a process that is dying or was not run yet but for ring and bitmap. payload: six words, or NULL. */
void event_post(struct process *p, enum event_type type, uint32_t source, const uint64_t *payload);

/* The same, to this vcore if it was ever made. */
void event_post_to(struct process *p, unsigned vcoreid, enum event_type type, uint32_t source,
                   const uint64_t *payload);

/* event_rings. */
long event_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

#endif
