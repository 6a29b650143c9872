/* Frames that outlive the process which they count against: an object's, or those of pages under way
 * in a message. docs/object.md.
 *
 * A charge is on a process's account until that process ends, then on its creator's; against nobody
 * when there is none. Invariants: frames is what the holder of the charge holds; while process is set, the account's
 * `used` includes them and the charge is in the process's list. Private to the home; handlers. */
#ifndef KERNEL_CHARGE_H
#define KERNEL_CHARGE_H

#include <stdint.h>
#include "kernel/shared/frame.h"

struct process;

struct charge {
    struct process *process; /* NULL: it has ended, and all before it */
    struct charge *next, **at;
    uint32_t frames;
};

void charge_open(struct charge *charge, struct process *p);
/* No frames are left on it. */
void charge_close(struct charge *charge);

/* A frame, cleared, on the charge, owned by this kernel. FRAME_NONE with *error -E_LIMIT,
 * -E_NO_MEMORY. */
frame_t charge_alloc(struct charge *charge, enum frame_kind kind, int *error);
void charge_free(struct charge *charge, frame_t frame);
void charge_credit(struct charge *charge, unsigned frames); /* they are the caller's to free */

/* `frames` frames of the process's own account go over to the charge, which is the same process's:
 * nothing to refuse. */
void charge_adopt(struct charge *charge, unsigned frames);
/* So many of the charge's frames go over to a process's own account: 0, -E_LIMIT (never the process's
 * that they count against already). */
int charge_move(struct charge *charge, unsigned frames, struct process *to);
/* Takes that back. */
void charge_move_back(struct charge *charge, unsigned frames, struct process *from);

/* A process ends: at most `most` of its charges go over to its creator, which may be above its limit then,
 * or to nobody (NULL); 1 when none is left. */
int charges_hand_over(struct process *p, struct process *to, unsigned most);

#endif
