/* The system calls: abi/calls.h lists them. What each does, its arguments, rights and errors: abi/calls.txt,
 * docs/calls/.
 *
 * Called with the `syscall` instruction in vcore context (notif_disabled set); in uthread context
 * the same instruction is reflected to the runtime. Number in rax, arguments in rdi, rsi, rdx, r10;
 * result in rax, negative = an error of error.h. rcx and r11 are lost. */
#ifndef ABI_SYSCALL_H
#define ABI_SYSCALL_H

#include <stdint.h>
#include "abi/calls.h"

enum syscall_number {
#define SYSCALL_ENUM(number, name, arity, arguments, message) PANDO_##name = number,
    SYSCALL_LIST(SYSCALL_ENUM)
#undef SYSCALL_ENUM
        SYSCALLS
};

enum { PROT_R = 1, PROT_W = 2, PROT_X = 4 }; /* W with X is refused (E_INVALID); both imply R */

/* mem_map */
enum {
    MEM_EAGER = 1, /* allocated and mapped at once */
    MEM_LARGE = 2, /* eager, in 2 MiB pages where they fit */
};
#define LARGE_BYTES 0x200000ull

/* vcore_yield */
enum { YIELD_WAIT = 1 };

/* proc_create; proc_kill */
enum { PROC_DETACHED = 1 };
enum { PROC_ABORT = 1 };

/* proc_sandbox; FILTER_END is the strictest, FILTER_ERROR the least strict */
enum filter_action { FILTER_ERROR, FILTER_END, FILTER_ASK, FILTER_ACTIONS };
#define CALLS_MAX     63        /* numbers are below */
#define FILTER_OTHERS CALLS_MAX /* the bit of all numbers from it on */

/* proc_call; proc_reply */
enum { CALL_MESSAGE = 1 };
enum { REPLY_MESSAGE = 1 };
enum { CALL_ARGUMENTS = 6 };
#define CALL_BYTES(flags)  ((flags)&CALL_MESSAGE ? PAGE_BYTES : CALL_ARGUMENTS * 8ul)
#define REPLY_BYTES(flags) ((flags)&REPLY_MESSAGE ? PAGE_BYTES : 0ul)

enum { STATUS_FAULT = 139, STATUS_KILLED = 137 };

/* Why a process ended: proc_wait, EVENT_CHILD_ENDED. */
enum end_reason {
    END_EXIT,     /* its own wish */
    END_FAULT,    /* an exception */
    END_KILLED,   /* proc_kill, or its controller's end */
    END_LIMIT,    /* it needed more frames than it may have */
    END_MEMORY,   /* the machine had no memory for it */
    END_FILTERED, /* a call that its sandbox does not permit */
    END_REASONS
};

/* What a handle names. */
enum handle_kind {
    HANDLE_NONE,
    HANDLE_PROCESS,
    HANDLE_MEMORY,
    HANDLE_CHANNEL, /* one end of it */
    HANDLE_PARTITION,
    HANDLE_KINDS
};
enum right {
    RIGHT_CONTROL = 1, /* of a process: run, end, set up */
    RIGHT_MAP = 2,     /* of memory: map it, as READ and WRITE say */
    RIGHT_READ = 4,    /* of a process: wait, watch, see; of a channel: receive */
    RIGHT_WRITE = 8,   /* of a channel: send */
    RIGHT_GIVE = 16,   /* put the handle into a message or another process */
    RIGHTS_ALL = 31
};
enum { HANDLES_MAX = 1024 }; /* of a process; numbers are 1 to HANDLES_MAX, 0 is none */

/* object_map: in the message page. */
enum map_mode { OBJECT_SHARED, OBJECT_COPY, OBJECT_MODES };
struct map_request {
    uint64_t addr;
    uint64_t offset; /* in the object; a multiple of the page size */
    uint64_t bytes;
    uint32_t prot;
    uint32_t mode; /* enum map_mode */
};
#define OBJECT_MAX_BYTES   0x40000000ull
#define RESIDENT_MAX_PAGES 32768 /* bits of a message page */

/* channel_send, channel_receive: in the message page. */
enum { MESSAGE_HANDLES = 4 };
enum page_mode {
    PAGES_NONE,
    PAGES_MOVE,       /* unmapped from the sender, mapped at the receiver: no page is copied */
    PAGES_SHARE_READ, /* the sender keeps them as they are, the receiver reads */
    PAGES_SHARE_COPY, /* both have them copy-on-write */
    PAGE_MODES
};
struct channel_message {
    uint64_t word[6];
    uint32_t handle[MESSAGE_HANDLES]; /* 0: none. The sender's numbers; at the receiver its own */
    uint64_t addr;                    /* the sender's first page */
    uint32_t pages;                   /* at most MESSAGE_PAGES */
    uint16_t page_mode;               /* enum page_mode */
    uint16_t rights;                  /* each handle is given with these rights at most */
};
enum { MESSAGE_PAGES = 512, CHANNEL_MAX_DEPTH = 64 };
enum { CHANNEL_WAIT = 1 };
enum { CHANNEL_ON_READABLE = 1, CHANNEL_ON_WRITABLE = 2, CHANNEL_ON_CLOSED = 4 };

/* proc_info: in the message page. */
struct proc_info {
    uint32_t pid;
    uint32_t state; /* enum process_state of docs/process.md, in that order */
    uint32_t status, reason;
    uint32_t vcores;  /* that have a core */
    uint32_t handles; /* in its table */
    uint64_t frames, frames_limit;
    uint64_t pinned, pinned_limit;
    uint64_t permitted; /* calls: a bit each */
    uint64_t used_ticks;
};

#endif
