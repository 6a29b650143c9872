/* A process as its home kernel knows it. docs/process.md. Architecture: "Processes"; seed two,
 * parts 1, 2.
 *
 * The home alone holds this; nothing of it is locked. Kernels that drive its vcores know what
 * kernel/vcore.h says, and ask by messages: CALL and FAULT to the process's actor. */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include <stdint.h>
#include "abi/process.h"
#include "abi/syscall.h"
#include "kernel/account.h"
#include "kernel/backlog.h"
#include "kernel/channel_wait.h"
#include "kernel/filter.h"
#include "kernel/handle.h"
#include "kernel/mailbox.h"
#include "kernel/memory.h"
#include "kernel/region.h"
#include "kernel/shared/frame.h"

enum process_state {
    PROCESS_CREATED,
    PROCESS_RUNNABLE_S,
    PROCESS_RUNNING_S,
    PROCESS_WAITING,
    PROCESS_RUNNABLE_M,
    PROCESS_RUNNING_M,
    PROCESS_DYING,
    PROCESS_DYING_ABORT,
    PROCESS_STATES
};

/* What a process waits for, when it is WAITING. */
enum process_wait {
    WAITS_FOR_CORES, /* in _S, for the first */
    WAITS_FOR_EVENT, /* in _S with its context parked, or in _M without a core */
};

/* A call that is answered later: by home_answer. Not a result that any call returns. */
#define CALL_LATER ((long)0x8000000000000000)
/* The same for a fault. */
enum { FAULT_LATER = 1 };

/* A vcore in messages: pid in the low half, vcore id above, and in a CALL the number above that. */
static inline uint64_t vcore_key(uint32_t pid, unsigned vcoreid)
{
    return pid | (uint64_t)vcoreid << 32;
}
static inline uint32_t key_pid(uint64_t key)
{
    return (uint32_t)key;
}
static inline unsigned key_vcoreid(uint64_t key)
{
    return key >> 32 & 0xffff;
}
enum { NUMBER_MAX = 0xffff };
static inline unsigned key_number(uint64_t key)
{
    return key >> 48 & 0xffff;
}

/* Where the vcore's block stands in the process: abi/layout.h. */
static inline uint64_t vcore_block(unsigned vcoreid)
{
    return PROCDATA_BASE + (1 + (uint64_t)vcoreid) * VCORE_STRIDE;
}

enum { NAME_BYTES = 32, RECORD_PAGES = 16 };

/* What the home knows of one of its vcores. */
struct vcore_record {
    uint8_t attached; /* a kernel drives it: on core */
    uint8_t stop_sent;
    uint8_t wake_sent, wake_again; /* a VCORE_WAKE is under way, and another is asked for */
    uint8_t granted;               /* the core came from the allocator */
    uint8_t abandoned;             /* its stop is told to the process */
    uint8_t call_open;             /* a call of it is to be answered */
    uint8_t fault_open;            /* a fault of it is to be answered: at fault_address */
    uint32_t waits_for;            /* pid of the process that its open proc_wait is for; 0: none */
    uint8_t request_open;          /* in _M that call is cores_request, in the list of them: */
    uint8_t request_next;          /* the vcore whose cores_request waits behind this one's */
    uint8_t handed_up;  /* number, argument: a call that its sandbox's asker is to answer; or: */
    uint8_t call_waits; /* number, argument: behind the memory change under way, in this order: */
    uint32_t wait_order;
    uint16_t core;
    uint64_t since;               /* on arch_clock: it was attached */
    uint64_t asker;               /* ADDRESS_NONE: its driver is this kernel, and parked it */
    frame_t data, xsave, message; /* of its block; FRAME_NONE: none was made */
    long number, argument[6];
    uint8_t rings_asked;                   /* its driver is to change the driver's ring */
    uint8_t rings_awaited;                 /* it waits for that in a call, about some vcore */
    uint32_t driver_written;               /* of the driver's ring, while no kernel drives it */
    struct mailbox_writer ring;            /* the home's; the driver's has as many events */
    frame_t ring_frame[2 * MAILBOX_PAGES]; /* home's, driver's; FRAME_NONE: none was made */
    struct channel_wait channel_wait;      /* its call waits at a channel */
    uint8_t slot_lent, slot_recalled;      /* its own slot is its driver's; is asked for */
    uint8_t slot_stuck;                    /* its last FAULT: the driver lacked memory, */
    uint32_t slot_left;                    /* and frames that it had */
    uint64_t fault_address;
} __attribute__((aligned(256))); /* so that one is found by shifts */

struct process {
    struct process *next; /* all processes at this home */
    struct actor *actor;
    uint64_t address;
    uint32_t pid;
    uint32_t parent;  /* its controller: its creator, or who took it over; 0: it has none */
    uint32_t creator; /* the nearest that is not gone of those that created it; 0: the kernel */
    enum process_state state;
    uint8_t detached;      /* once run: at the end of its controller that one's takes it over */
    uint8_t continue_sent; /* a CONTINUE is under way; one is enough */
    uint8_t gone;          /* all is given back; only the record stays, for those who name it */
    uint8_t reason;        /* enum end_reason, once it is dying */
    int status;
    unsigned holds; /* handles that name it, those in messages too */
    char name[NAME_BYTES];

    struct procinfo *info; /* these two through the direct map */
    struct procdata *data;
    frame_t info_frame, data_frame;

    struct memory_object *image; /* held: its runtime image, or NULL */
    struct handle_table handles;
    struct letter *sent; /* by channels, and not received yet: a list */
    unsigned sent_count;
    struct charge *charges; /* frames that count against it and may outlive it */
    uint64_t reclaim_until; /* of the giving back: reclaim.h */

    struct frame_account account; /* all its frames and tables; pinned: by mem_pin */
    uint32_t pin_limit;
    uint32_t evict_order;  /* of the last mem_evict */
    uint8_t evict_none;    /* nothing was evictable when room was wanted last */
    uint8_t pressure_told; /* and it has held more than 7/8 of its limit since */

    unsigned roots;
    struct root root[ROOTS_MAX];
    struct region_list regions;
    struct memory_change change;
    unsigned slots_lent; /* of its vcores' own: home_slots.c */
    unsigned awaited; /* before its memory may change: slots that were recalled, room_waits, room */
    uint8_t room;     /* enum memory_room: what it does for others */
    uint8_t room_waits;   /* others make room for it: memory_room.h */
    uint8_t short_untold; /* the machine is short of frames, which it was not told yet */

    unsigned made;                  /* vcores below this may have a block */
    unsigned attached;              /* vcores that kernels drive */
    uint64_t cores[CORE_SET_WORDS]; /* on which they do: one vcore a core */
    uint16_t single;  /* in _S: the vcore of the one context; else the last that was */
    uint8_t many;     /* in _M */
    uint8_t waits;    /* WAITING: enum process_wait */
    uint8_t rests;    /* in _S: its place counts for nothing, since it waits */
    uint8_t in_slot;  /* RUNNABLE_M: the single context is in, or on its way to, the uthread slot */
    uint8_t in_frame; /* RUNNABLE_S: the same of the frame `saved` */
    frame_t saved; /* for the single context while no kernel has it; FRAME_NONE: not needed yet */
    unsigned wanted, granted;
    uint8_t asks_first;  /* the open call of the single context waits for the newest want */
    unsigned wants_open; /* ALLOC_WANTs that are not answered yet */
    unsigned requests;   /* cores_request calls of _M that the allocator has not answered yet: */
    uint8_t request_first, request_last; /* a list of vcores, in order */
    uint64_t first_grant[4];   /* RUNNABLE_M: cores that wait for the last vcore to stop */
    struct vcore_record first; /* vcore 0's: most processes have no other */
    struct vcore_record *records[RECORD_PAGES]; /* the others', in pages made when needed */

    struct filter filter;
    struct watch *watches; /* who is told of its end: watch.h */
    unsigned watched_by;
    uint64_t used_ticks; /* of a process whose procinfo is given back */
    uint32_t waited_by;  /* pid of the process that waits, or waited, in proc_wait; 0: none did */
    unsigned waiter_vcore;
    uint64_t unmap_at; /* of the giving back */
};

struct process *process_find(uint32_t pid);
int process_any(void); /* whether any process is left */
struct vcore_record *process_record(struct process *p, unsigned vcoreid); /* NULL: none was made */

/* Moves the state along the table of legal transitions; panics on others. */
void process_set_state(struct process *p, enum process_state state);
int process_may_move(enum process_state from, enum process_state to);

/* What a process is made of. */
struct process_plan {
    struct process *creator; /* NULL: the kernel */
    int detached;            /* once run, is taken over at its creator's end */
    const char *strings;     /* each ended by a NUL; read once */
    size_t bytes;
    struct memory_object *image; /* its runtime image; NULL: the system's */
    unsigned long environment;   /* the last so many strings; the others are arguments */
};

/* Creates a process, CREATED, with this kernel as its home and without handles to it. -E_INVALID,
 * -E_DAMAGED, -E_TOO_LONG (the image), -E_LIMIT, -E_NO_MEMORY: nothing is left behind. */
int process_create(const struct process_plan *plan, struct process **made);
/* Other arguments and environment, at most a page, for one that is CREATED. -E_INVALID, -E_NO_MEMORY:
 * it keeps those that it has. */
int process_set_strings(struct process *p, const char *strings, size_t bytes,
                        unsigned long environment);
/* CREATED to RUNNABLE_S to RUNNING_S: starts vcore 0 on a management core. -E_STATE: it is not
 * CREATED. -E_NO_MEMORY: it is still. */
int process_run(struct process *p);
/* Ends the process, in any state; a second end does nothing. Its watchers get DOWN with the status
 * when all that it owned is back; its record stays as long as handles name it. */
void process_end(struct process *p, int status, enum end_reason reason);
/* The same by way of DYING_ABORT, which a process that is DYING already may still enter. */
void process_abort(struct process *p, int status, enum end_reason reason);

/* A dying process has at most four messages within its home under way (CONTINUE, the last want and
 * its answer, a command or what answers it), and there is a node for each: none is refused. */
enum { PROCESSES_MAX = 500 };
_Static_assert(4 * PROCESSES_MAX <= LOCAL_NODES, "messages of dying processes");

/* Work on the process that was cut into turns goes on in a later one: CONTINUE to its actor. */
void process_continue_later(struct process *p);

/* A system call of a vcore, at the process's home: the result, or CALL_LATER. */
long home_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);
/* A fault of user code: 0 = resolved; FAULT_LATER: the vcore goes on with home_fault_done; else an
 * error, and the process is being ended. */
struct user_fault;
int home_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault);
/* Answers a call, or a fault, that was put off, if it is still to be answered. */
void home_answer(struct process *p, unsigned vcoreid, long result);
void home_fault_done(struct process *p, unsigned vcoreid);
/* Tries a fault that waited again, and answers it unless it waits still. */
void home_fault_again(struct process *p, unsigned vcoreid, const struct user_fault *fault);
/* Makes a call that waited again, from its beginning, and answers it unless it waits still. One of a
 * vcore that was told to stop meanwhile is not made. */
void home_call_again(struct process *p, unsigned vcoreid, long number, const long argument[4]);

/* Tells the process, once, when it holds more than 7/8 of its limit. After whatever changes what it
 * holds. */
void memory_pressure_changed(struct process *p, int high);
static inline void memory_pressure(struct process *p)
{
    int high = p->account.used > p->account.limit - p->account.limit / 8;
    if (high != p->pressure_told)
        memory_pressure_changed(p, high);
}

int home_vcore_make(struct process *p, unsigned vcoreid);
/* Attaches and starts a vcore: at the entry point, or with the context in `saved`. -E_NO_MEMORY,
 * -E_LIMIT: nothing was done; a driver elsewhere says so by its VCORE_STOPPED. */
int home_vcore_attach(struct process *p, unsigned vcoreid, unsigned core, frame_t saved);
/* Sends a driver what must arrive: home.c says why it is not refused. */
struct message;
void home_command(unsigned core, struct message *m);
/* Sets notif_pending of a vcore that was made, and wakes it if it is idle on a core. Returns whether
 * it was. A process that waits for an event is woken. */
int home_notify(struct process *p, unsigned vcoreid);
/* Makes a new slot's root known to every kernel that drives a vcore: here at once, elsewhere by a
 * message that precedes the answer to any fault in the slot. */
void home_tell_root(struct process *p, const struct root *root);

#endif
