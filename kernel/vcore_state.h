/* A vcore in the hands of the kernel that drives it: what vcore.c (whose state the core holds, and
 * whose turn it is), vcore_call.c (what user mode comes with) and driver.c (the home's commands)
 * share. Private to them. */
#ifndef KERNEL_VCORE_STATE_H
#define KERNEL_VCORE_STATE_H

#include <stdint.h>
#include "abi/process.h"
#include "kernel/process.h"
#include "kernel/slot.h"
#include "kernel/shared/frame.h"

enum vcore_run {
    VCORE_ATTACHED, /* not started */
    VCORE_RUNNABLE,
    VCORE_PARKED, /* waits for the answer to a call or a fault */
    VCORE_HALTED, /* in vcore_halt */
};

/* Owned by the driving kernel alone. What belongs to the process lies in frames that the home keeps
 * while the vcore is attached. Invariant: `asked` is set while another kernel, or the console, owes
 * a reply. */
struct vcore {
    struct vcore *next; /* this kernel's vcores, a ring in the order of their turns */
    uint32_t pid;
    uint16_t id;
    uint8_t run;
    uint8_t fresh; /* to be entered at the entry point */
    uint8_t asked;
    uint8_t stopping; /* stop, by this VCORE_STOP, as soon as the reply is there: */
    uint8_t stop_flags;
    uint8_t granted; /* the core is the process's: told to it by an event */
    uint8_t yields;  /* in vcore_yield: others have their turn when it is answered */
    frame_t stop_frame;
    long stop_result;
    uint64_t home;
    struct process *process; /* when this kernel is the home */
    uint64_t permitted;      /* calls: filter.h */
    void *space;
    void *fp;                /* FP state while not loaded: XSAVE format */
    struct vcore_data *data; /* of the process's procdata: each word read once, then checked */
    struct procdata *procdata;
    frame_t xsave, message;
    struct context context; /* while not loaded */
    uint64_t gs_base;
    struct mailbox_writer ring; /* the driver's */
    uint64_t slice_ticks;       /* of arch_clock */
    struct own_slot slot;
    uint64_t used, loaded_at; /* on arch_clock: how long it was loaded, but for the present time */
};

/* A context in a frame of its process that is mapped nowhere: the kernel's own keeping, so FP state
 * is loaded from it. Written by the driver that stops the vcore, read by the one that starts it. */
struct saved_context {
    uint8_t fp[3840]; /* XSAVE format */
    struct context context;
    uint64_t gs_base;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct saved_context) <= PAGE_BYTES, "in a frame");

extern struct vcore
    *vcore_turns; /* whose turn it is, of this kernel's vcores; NULL: there is none */
extern struct vcore
    *vcore_loaded; /* whose registers are in the core and in arch_context(); NULL: nobody's */

static inline uint64_t vcore_key_of(const struct vcore *v)
{
    return vcore_key(v->pid, v->id);
}

extern struct actor *vcore_driver; /* who asks for them */

struct vcore *vcore_find(uint64_t key); /* NULL: this kernel does not drive it */
void vcore_add(struct vcore *v);
void vcore_remove(struct vcore *v); /* its registers are nobody's afterwards */

/* Puts the core's state into the vcore that is loaded, if any. */
void vcore_unload(void);

/* Makes arch_context() the vcore's entry: its entry point, its transition stack, vcore context.
 * -E_RANGE: the process gave no place in its half. The vcore must be loaded. */
int vcore_enter_at_entry(struct vcore *v);

/* It is runnable from now on: not in the middle of entering user mode. */
void vcore_make_runnable(struct vcore *v);
/* The loaded vcore goes straight back to user mode: it has a slice from now on if others wait that did
 * not when it was entered. */
void vcore_goes_on(struct vcore *v);

/* Ends the wait of a parked vcore with the result of its call; does nothing for one that is not
 * parked. */
void vcore_answered(struct vcore *v, long result);

/* The vcore cannot be entered where the process says: tells the home, as of a fault. -E_LIMIT: not
 * now. */
int vcore_fault_at_entry(struct vcore *v);

#endif
