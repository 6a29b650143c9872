/* The memory of a process, at its home: roots, mapped pages, and changes to them. docs/memory.md.
 *
 * All functions: at the process's home, in handlers. */
#ifndef KERNEL_MEMORY_H
#define KERNEL_MEMORY_H

#include <stdint.h>
#include "abi/layout.h"
#include "kernel/account.h"
#include "kernel/multicast.h"

struct process;
struct region;
struct memory_object;
struct user_fault;

enum {
    ROOTS_MAX = 16,
    FLUSH_PAGES = 64,                /* changed in a turn */
    CHANGE_PIECES = FLUSH_PAGES + 4, /* and the tables of those, which lie in one 2 MiB */
    MEMORY_STEPS = 4096,             /* over page tables in a turn, so that it is bounded */
};

struct root {
    uint16_t slot;
    frame_t frame;
};

/* Called when what was begun is done, at the home, in a handler; error 0, or -E_GONE: the process is
 * dying, its open calls are answered. */
typedef void memory_done(struct process *p, unsigned vcoreid, void *context, int error);

/* Of memory that is made by memory_fill: docs/memory.md. */
struct memory_fill {
    uint64_t base, small_until; /* below: in pages of 4 KiB */
    frame_t block;              /* of the large page that is being made; FRAME_NONE: of none */
    uint16_t cleared;           /* pages of it */
};

/* Who is answered when a change is over that nobody asked for. */
enum { NO_VCORE = VCORES_MAX };

/* A change to mapped memory, at most one at a time: pages are changed in turns of FLUSH_PAGES, and
 * no frame is freed before every core that runs the process has dropped its translations. */
struct memory_change {
    uint8_t active, unmap;
    uint8_t large;    /* the first frame is that of a large page */
    uint8_t flushing; /* `flush` is under way */
    uint8_t prot;
    unsigned vcoreid;                /* whose call it is, or NO_VCORE */
    void (*turn)(struct process *p); /* does a bounded piece; it is over at at == end */
    long result;                     /* of the call */
    uint64_t at, end;                /* still to do */
    uint64_t base;                   /* of memory_resident's */
    uint32_t evict;                  /* the order of the region that pages are taken from */
    struct memory_fill fill;
    unsigned frames;
    frame_t frame[CHANGE_PIECES]; /* pages, and tables that became empty */
    struct multicast flush;
    struct region *removed; /* go when nothing can be mapped of them any more */
    memory_done *done;      /* set: it is no more than a flush of what was changed already */
    void *context;
    unsigned waiting;    /* calls and faults that wait behind it */
    uint32_t next_order; /* of those */
    uint8_t again;       /* one of those is being made again */
};

enum { LARGE_ORDER = 9, LARGE_PAGES = 1 << LARGE_ORDER };

/* --- memory.c: roots and pages --- */

/* The root of the slot that holds address, FRAME_NONE when the process has none; and one made
 * where there is none, known to all drivers: FRAME_NONE with *error -E_LIMIT (ROOTS_MAX
 * roots, or the account's) or -E_NO_MEMORY. */
frame_t memory_root(const struct process *p, uint64_t address);
frame_t memory_root_make(struct process *p, uint64_t address, int *error);
/* Maps a frame of the process, or one that all may read; makes the slot's root when it has none.
 * 0, -E_LIMIT, -E_NO_MEMORY, -E_EXISTS. The frame is on the account already, or on none. */
int memory_map_frame(struct process *p, uint64_t address, frame_t frame, unsigned prot);
/* The same for a zeroed frame of the process's own; *made is set on success only. */
int memory_map_zeroed(struct process *p, uint64_t address, unsigned prot, frame_t *made);
/* Where the part of [at, end) ends that lies in one slot. */
uint64_t memory_slot_stop(uint64_t at, uint64_t end);
/* The first mapped page of [at, end), or end, or where the budget of steps ended; as
 * arch_user_next. */
uint64_t memory_next(const struct process *p, uint64_t at, uint64_t end, unsigned *budget);
/* The frame of the page that is mapped at address, with access or without; FRAME_NONE. */
frame_t memory_find(const struct process *p, uint64_t address);
/* Frees what was taken out of the tables, but for what is not the process's; large: the first is a
 * large page's first frame. */
void memory_free(struct process *p, const frame_t *frame, unsigned count, int large);
/* A fault: 0 = resolved; FAULT_LATER: home_fault_done is called; -E_NO_ENTRY, -E_PERMISSION,
 * -E_LIMIT, -E_NO_MEMORY. */
int memory_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault);
/* Has a frame at a page without one, of this region, which has access, as a read would; errors as
 * memory_fault. */
int memory_touch(struct process *p, unsigned vcoreid, const struct region *region, uint64_t page);
/* Gives back pages, then tables: a bounded piece at a time; 1 when nothing is left. */
int memory_give_back(struct process *p);

/* --- memory_call.c: the calls --- */

long memory_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

/* What ranges and protections calls may name: 0, -E_ALIGN, -E_RANGE; -E_INVALID. */
int memory_range_check(uint64_t base, uint64_t bytes);
int memory_prot_check(unsigned long prot);
/* What the processor makes of it: what can be written or executed can be read. */
unsigned memory_prot_real(unsigned long prot);
/* The roots of all slots in the range: 0, -E_LIMIT, -E_NO_MEMORY. */
int memory_roots_make(struct process *p, uint64_t base, uint64_t end);

/* Regions and large pages cut at both ends, so that [base, end) is made of whole ones. What was cut
 * stays cut after an error, which changes no meaning. 0, -E_LIMIT, -E_NO_MEMORY. */
int memory_cut(struct process *p, uint64_t base, uint64_t end);

/* Whether a change is under way, or calls wait that come before this one. Then a call that adds,
 * takes or changes mapped pages waits: memory_wait returns CALL_LATER, and the call is made again
 * from its beginning when it is its turn. */
int memory_busy(const struct process *p);
/* The same, or tables in the range are lent to drivers, which are then asked to give them back: what
 * a call that touches tables asks, where it may name any range. */
int memory_held(struct process *p, uint64_t base, uint64_t bytes);
long memory_wait(struct process *p, unsigned vcoreid, long number, const long argument[4]);
/* Whether a call that was refused, nothing done, may have missed frames: for E_LIMIT, those that are lent to
 * drivers (docs/slot.md), for E_NO_MEMORY, those of evictable pages of any process (memory_room.h). They are
 * asked for, and the call waits, to be made again. */
int memory_missed(struct process *p, long result);
/* The same for a fault: returns FAULT_LATER. */
int memory_wait_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault);
/* Goes on with the calls that waited for a change to end, in the order in which they came, one a
 * turn. Some wait. */
void memory_run_waiting(struct process *p);

/* --- memory_change.c: changes that need every core's acknowledgement --- */

/* A new change, for the caller to complete; none is under way. memory_change_go then does its first
 * turn: the call's result, or CALL_LATER: the vcore is answered when all is done, and all cores have
 * flushed. */
struct memory_change *memory_change_start(struct process *p, unsigned vcoreid, uint64_t base,
                                          uint64_t end, void (*turn)(struct process *p));
long memory_change_go(struct process *p);
/* The turn that unmaps, or protects, what is mapped. The regions are the caller's to change, before. */
void memory_change_turn(struct process *p);
/* Has every core that runs the process drop its translations of the pages, whose entries were changed
 * already; none is under way. 0: they have. CALL_LATER: `done` is called when they have. vcoreid: whose
 * call, or fault, it is: one that has a core. */
long memory_flush(struct process *p, unsigned vcoreid, uint64_t base, unsigned pages,
                  memory_done *done, void *context);
/* A CONTINUE came. */
void memory_continue(struct process *p);

/* --- memory_fill.c: memory that is there at once, in turns --- */

/* mem_map with MEM_LARGE, after its checks. */
long memory_fill(struct process *p, unsigned vcoreid, uint64_t base, uint64_t bytes, unsigned prot);
/* The process is dying: frees what is not mapped yet. */
void memory_fill_drop(struct process *p);

/* --- memory_resident.c: resident, pinned, evictable pages; limits --- */

/* mem_pin, mem_unpin, mem_resident, mem_evict. */
long memory_resident_call(struct process *p, unsigned vcoreid, long number, uint64_t base,
                          uint64_t bytes);
uint64_t memory_pinned(const struct process *p); /* pages, by mem_pin; walks the regions */
/* A fault found no frame, for -E_LIMIT or -E_NO_MEMORY: FAULT_LATER when it waits for evictable pages
 * to be taken, or the error when there are none. */
int memory_make_room(struct process *p, unsigned vcoreid, const struct user_fault *fault,
                     int error);
/* Begins to take the evictable pages that come first; no change is under way. memory_continue goes on. */
void memory_evict(struct process *p);

#endif
