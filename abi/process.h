/* What a process and the kernel share: procinfo (read-only to the process) and procdata.
 * Architecture: "Processes"; seed two, 4.2.
 *
 * The kernel reads what the process can write once, checks it, then uses it. */
#ifndef ABI_PROCESS_H
#define ABI_PROCESS_H

#include <stdint.h>
#include <stddef.h>
#include "abi/layout.h"

/* A user context as the kernel saves and loads it and as `iretq` wants it: the last five words are
 * the interrupt frame. 176 bytes. */
struct context {
    uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
    uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
    uint64_t trap; /* error code << 8 | vector; TRAP_SYSCALL for a reflected system call */
    uint64_t rip, cs, rflags, rsp, ss;
    uint64_t fs_base;
};
#define CONTEXT_BYTES 176

#define USER_CS      0x2b
#define USER_SS      0x23
#define TRAP_SYSCALL 0x100 /* in context.trap's low 9 bits: beyond all vectors */

/* event.flags: it was taken from the bitmap. source and payload are 0, time is when it was taken */
enum { EVENT_OF_BITMAP = 1 };

/* An event: docs/event.md. Its source's state can be read, so that one that was lost costs a rescan
 * and not a fact. */
struct event {
    uint16_t type; /* enum event_type */
    uint16_t flags;
    uint32_t source; /* a handle of the receiver's, or a vcore id, as the type says; 0: none */
    uint64_t time;   /* the time-stamp counter when it was posted */
    uint64_t payload[6];
};

/* docs/event.md says which are posted, by whom and when; the others are not posted yet. */
enum event_type {
    EVENT_NONE,
    EVENT_COMPLETION,
    EVENT_PREEMPT_PENDING,
    EVENT_PREEMPTED,
    EVENT_RETURNED,     /* from preemption */
    EVENT_VCORE_GONE,   /* source: vcore. payload: core */
    EVENT_CORE_GRANTED, /* source: vcore. payload: core */
    EVENT_PAGE_FAULT,
    EVENT_TRAP,
    EVENT_ALARM,
    EVENT_MEMORY_PRESSURE,  /* source: enum pressure. payload: see there */
    EVENT_CHILD_ENDED,      /* source: handle. payload: status, reason */
    EVENT_CHILD_CALL,       /* source: handle. payload: CHILD_CALL, five of six arguments */
    EVENT_CHANNEL_READABLE, /* source: handle */
    EVENT_CHANNEL_WRITABLE, /* source: handle */
    EVENT_CHANNEL_CLOSED,   /* source: handle */
    EVENT_NOTIFY,           /* source: vcore. payload: value, of vcore_notify */
    EVENT_OVERFLOW,         /* in the bitmap only: some ring was full */
    EVENT_STANDARD = 32,    /* from here on the process's own, by vcore_notify; as EVENT_NOTIFY */
    EVENT_TYPES = 256
};
/* Of a call that is handed up: vcore id and number in one word. */
#define CHILD_CALL(vcoreid, number) ((uint64_t)(vcoreid) | (uint64_t)(number) << 16)
#define CHILD_CALL_VCORE(word)      ((unsigned)((word)&0xffff))
#define CHILD_CALL_NUMBER(word)     ((unsigned)((word) >> 16))
enum pressure {
    PRESSURE_LIMIT,   /* the process's own: frames held, limit */
    PRESSURE_MACHINE, /* frames that are free, in all */
};
enum { EVENTS_MIN = 16, EVENTS_MAX = 256 }; /* in a ring; a power of two */

/* A ring of events. Exactly one kernel writes it at any time. Invariant: what was written and not
 * taken is at most `events`; positions count all events ever, modulo 2^32. */
struct event_ring {
    uint64_t address; /* set by the kernel: of the first slot */
    uint32_t events;  /* set by the kernel: how many slots */
    uint32_t written; /* set by the kernel: published after the event is whole */
    uint32_t taken;   /* set by the process */
    uint32_t lost;    /* set by the kernel: how many went to the bitmap as the ring was full */
};

/* What is posted to a vcore. An event is in a ring or in the bitmap, never both, never lost. */
struct mailbox {
    struct event_ring home, driver;  /* what comes from elsewhere; what happens on this core */
    uint64_t bits[EVENT_TYPES / 64]; /* by type: set by the kernel, taken by the process */
};

/* The page at the start of a vcore's block. While the vcore is entered, GS points to it.
 * Offsets of the first words are used by assembly. */
struct vcore_data {
    uint8_t notif_disabled;   /* set: vcore context. Set by the kernel at each entry */
    uint8_t notif_pending;    /* set by the kernel, cleared by the process (or vcore_halt) */
    uint8_t uthread_fp_saved; /* set by the kernel: xsave area holds the slot's FP state */
    uint8_t uthread_valid;    /* set by the kernel when it fills the uthread slot, cleared by the
                                   process when it has taken the context out of it */
    uint32_t vcoreid;         /* set by the kernel */
    uint64_t stack_top;       /* transition stack: where rsp points at each entry */
    uint64_t runtime[13];     /* the runtime's own */
    struct context uthread;   /* the uthread slot */
    struct mailbox mailbox;
    /* Looks for nothing more before it halts, or has halted: an event wakes it. Set by the process
     * before its last look, and by vcore_halt; cleared by the process that found something, when
     * vcore_halt returns, and when the vcore starts. */
    uint8_t idle;
    uint64_t call_more[2]; /* set by the kernel: r8 and r9 of a call that is not permitted */
};
#define VCORE_NOTIF_DISABLED 0
#define VCORE_NOTIF_PENDING  1
#define VCORE_UTHREAD_FP     2
#define VCORE_UTHREAD_VALID  3
#define VCORE_ID             4
#define VCORE_STACK_TOP      8
#define VCORE_RUNTIME        16
#define VCORE_UTHREAD        120
#define VCORE_MAILBOX        296

_Static_assert(sizeof(struct context) == CONTEXT_BYTES, "context");
_Static_assert(offsetof(struct vcore_data, stack_top) == VCORE_STACK_TOP, "stack_top");
_Static_assert(offsetof(struct vcore_data, runtime) == VCORE_RUNTIME, "runtime");
_Static_assert(offsetof(struct vcore_data, uthread) == VCORE_UTHREAD, "uthread slot");
_Static_assert(offsetof(struct vcore_data, mailbox) == VCORE_MAILBOX, "mailbox");
_Static_assert(sizeof(struct event) == 64, "event");
_Static_assert(VCORE_DRIVER_RINGS_OFFSET - VCORE_RINGS_OFFSET == EVENTS_MAX * sizeof(struct event),
               "each has its place");
_Static_assert(sizeof(struct vcore_data) <= VCORE_HOME_RING_OFFSET, "the first rings lie behind");

/* The page at PROCDATA_BASE. */
struct procdata {
    uint64_t entry; /* where each vcore is entered; at birth the runtime's */
};

enum vcore_state {
    VCORE_NONE,    /* never granted, or yielded */
    VCORE_LEAVING, /* gives its core back */
    VCORE_RUNNING, /* has a core (it may be halted in vcore_halt, or not have entered yet) */
};

struct vcoremap_entry {
    uint16_t state; /* enum vcore_state */
    uint16_t core;  /* physical core, while LEAVING or RUNNING */
};

/* The page at PROCINFO_BASE, written by the process's home alone. */
struct procinfo {
    uint32_t version; /* 1 */
    uint32_t pid;
    uint64_t tsc_hz;     /* time-stamp counter ticks a second */
    uint64_t boot_tsc;   /* the counter at the kernel's entry point */
    uint32_t cores;      /* cores of the machine that came up */
    uint32_t max_vcores; /* the most that cores_request can be given */
    uint32_t amt_wanted;
    uint32_t amt_granted;
    uint32_t manycore; /* 0 in _S, 1 in _M */
    uint32_t argc;
    uint32_t args_bytes;    /* at PROCINFO_ARGS: argc strings, each ended by a NUL */
    uint32_t xsave_bytes;   /* size of an XSAVE area with xsave_mask */
    uint64_t xsave_mask;    /* the components of XCR0 */
    uint64_t archive_bytes; /* the boot archive, read-only at ARCHIVE_BASE */
    uint32_t env_count;     /* strings behind the arguments at PROCINFO_ARGS */
    uint32_t grants;        /* cores that were ever granted */
    uint64_t used_ticks;    /* of time-stamp ticks, by vcores that have left their cores */
    struct vcoremap_entry vcoremap[VCORES_MAX + 1];
    uint32_t
        since_us[VCORES_MAX + 1]; /* when the vcore's core was granted, from boot, modulo 2^32 */
    uint32_t used_us[VCORES_MAX + 1]; /* of earlier grants, modulo 2^32 */
};

/* vcore entry: rip = procdata.entry, rsp = vcore_data.stack_top, rdi = vcore id, GS base = the
 * vcore's vcore_data, notif_disabled set, rflags = interrupts on and all else clear.
 * A fresh vcore finds FP state in its initial configuration; a reflected trap leaves it in
 * place. */

#endif
