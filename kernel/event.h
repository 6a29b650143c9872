/* Events as a home posts them, and the rings of its vcores: docs/event.md. Architecture: "Events";
 * seed two, 4.1, 4.2. All functions: at the process's home, in handlers. */
#ifndef KERNEL_EVENT_H
#define KERNEL_EVENT_H

#include <stdint.h>
#include "abi/process.h"

struct process;
struct vcore_record;
struct message;

/* Posts to the home ring, or the bitmap, of the process's lowest vcore that has a core, else of the
 * vcore that comes back first; sets that vcore's notif_pending. Some vcore that is idle is woken,
 * that one first; so is a process that WAITs. A vcore that computes is not disturbed. Never refused.
 * Does nothing for a process that is dying; one that was not run yet finds the event when it is.
 * payload: six words, or NULL. */
void event_post(struct process *p, enum event_type type, uint32_t source, const uint64_t *payload);

/* The same, to this vcore; does nothing if it was never made. */
void event_post_to(struct process *p, unsigned vcoreid, enum event_type type, uint32_t source,
                   const uint64_t *payload);

/* A vcore that has left its core with notif_pending set: others that are idle are told in its
 * stead. */
void event_pass_on(struct process *p, unsigned vcoreid);

/* event_rings. */
long event_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);
void event_rings_done(struct process *p, const struct message *m); /* VCORE_RINGS_DONE */

/* The first rings of a vcore whose block was just made. */
void event_rings_make(struct process *p, unsigned vcoreid);
/* Tells a driver that was sent VCORE_ATTACH of rings other than the first ones: 1 and the message,
 * or 0. */
int event_rings_message(const struct vcore_record *record, uint64_t key, struct message *m);

#endif
