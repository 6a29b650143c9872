/* Vcores as the kernel that drives them knows them. docs/vcore.md. Architecture: "Home", "Uthread
 * context and vcore context"; seed two, 2.4 and 4.2.
 *
 * Every kernel has a driver: the actor at ACTOR_KERNEL. A granted core drives one vcore; a
 * management core drives those of single-core processes in turn. The home commands it, in this
 * order for each vcore:
 *
 * VCORE_ATTACH   word: key, home's address, frames (data | xsave << 32), (message | procdata << 32),
 * events written to the driver's ring | core was granted << 32, permitted calls
 * VCORE_RINGS    word: key, events | RINGS_AS_THEY_ARE << 32, frames of the driver's ring; or key,
 * events | caller << 32, frames, home: they change, answered by VCORE_RINGS_DONE {key, caller}
 * VCORE_SLOT     word: key, slot, root frame       any number, then and later
 * VCORE_START    word: key, frame, slice           enters at the entry point; or goes on with the
 * context that was saved in the frame. Its slice when it shares the core, in us
 * VCORE_WAKE     word: key, home                   ends a vcore_halt; answered by VCORE_WOKEN {key}
 * VCORE_RECALL   word: key, home                   its own slot comes back: answered, unless it has
 * stopped, by VCORE_RECALLED {key, frames not used}
 * VCORE_STOP     word: key, flags, result, frame   answered by VCORE_STOPPED {key, error, events
 * written to the driver's ring, clock ticks for which the core was its, frames of its own slot not
 * used}, the last word of it
 *
 * The driver asks the home by requests; the vcore is parked until the reply CALL_DONE {key,
 * result}:
 * CALL           word: key | number << 48, four arguments
 * FAULT          word: key, address, access | present << 8 | page fault << 16 | vector << 32,
 * instruction, of its own slot: slot_word; answered by FAULT_DONE {key, error, address, and what is
 * lent: slots_lend} */
#ifndef KERNEL_VCORE_H
#define KERNEL_VCORE_H

#include <stdint.h>
#include "kernel/memory.h"

struct process;

struct message;

/* The most commands under way for a vcore: SLOT for each root, two RINGS, and one of each other. */
enum { COMMANDS_MAX = ROOTS_MAX + 7 };

/* VCORE_STOP: what becomes of the context. */
enum stop_flags {
    STOP_DROP,
    STOP_TO_UTHREAD_SLOT, /* with the result of its call, to the uthread slot, its FP state to the
                             XSAVE area: seed two, 2.4.1 */
    STOP_SAVE,            /* with the result of its call, to the frame, for VCORE_START */
    STOP_ABANDON, /* in uthread context: to the uthread slot, as it is; else it is dropped */
};

#define RINGS_AS_THEY_ARE 0xffffffffull /* in the place of a caller: it was attached with them */

/* The driver of this kernel. At kernel_enter. */
void vcore_driver_start(void);

/* The local home's answer to a call that it put off; for a vcore that this kernel drives. */
void vcore_answer(uint32_t pid, unsigned vcoreid, long result);

/* The local home has resolved a fault that it put off; for a vcore that this kernel drives. */
void vcore_fault_resolved(uint64_t key, uint64_t address);

/* The local home's VCORE_WAKE, at once; for a vcore that this kernel drives. */
void vcore_wake(uint64_t key);

/* The local home's VCORE_ATTACH, VCORE_SLOT, VCORE_RINGS or VCORE_START, at once, unanswered.
 * -E_NO_MEMORY of an ATTACH: nothing was attached. */
int vcore_command(const struct message *m);
/* A VCORE_RINGS that changes them, unanswered. -1: this kernel does not drive the vcore. */
int vcore_change_rings(const struct message *m);

/* What the loop enters next; NULL: nothing is runnable. */
struct vcore;
struct vcore *vcore_next(void);
_Noreturn void vcore_enter(struct vcore *v);
/* The same while messages wait: the timer brings the kernel back to them soon. */
_Noreturn void vcore_enter_briefly(struct vcore *v);

#endif
