/* Messages between actors: one cache line each. Architecture: "Channels between kernels".
 *
 * The last word is the header: it carries type, destination and sequence, so that one line transfer
 * is one message. word[6] belongs to the instrumented build (path length so far); protocols use
 * word[0..5]. The list of types is one for all classes; a class handles those in its table. */
#ifndef KERNEL_MESSAGE_H
#define KERNEL_MESSAGE_H

#include <stdint.h>

#define MESSAGE_LIST(X)                                                                      \
    X(ACK)      /* channel: carries only its header's acknowledgement */                     \
    X(WATCH)    /* word: watcher address, cookie */                                          \
    X(UNWATCH)  /* word: watcher address, cookie */                                          \
    X(DOWN)     /* word: address of what ended, cookie, reason, value */                     \
    X(LOG)      /* word: text */                                                             \
    X(CORE_UP)  /* a forked kernel's first message. word: core */                            \
    X(CONTINUE) /* an actor to itself: go on with work that was cut into turns */            \
    X(MULTICAST)                                                                             \
    X(MULTICAST_DONE)                                                                        \
    X(VCORE_RECALL)                                                                          \
    X(VCORE_RECALLED)                                                                        \
    X(ALLOC_WANT)                                                                            \
    X(ALLOC_GRANT)                                                                           \
    X(VCORE_RINGS)      /* the slots of a driver's ring of events */                         \
    X(VCORE_RINGS_DONE) /* they have changed */                                              \
    X(ALLOC_RETURN)                                                                          \
    X(VCORE_ATTACH)                                                                          \
    X(VCORE_SLOT) X(VCORE_START) X(VCORE_STOP) X(VCORE_STOPPED) X(VCORE_WAKE) X(VCORE_WOKEN) \
        X(CALL)      /* driver to home: a system call. */                                    \
        X(CALL_DONE) /* home to driver: its result */                                        \
        X(FAULT) X(FAULT_DONE) X(CONSOLE_WRITE) X(CONSOLE_DONE) X(PROBE) X(PROBE_REPLY)

enum message_type {
    MESSAGE_NONE,
#define MESSAGE_ENUM(name) MESSAGE_##name,
    MESSAGE_LIST(MESSAGE_ENUM)
#undef MESSAGE_ENUM
        MESSAGE_TYPES
};

#define MESSAGE_WORDS 7

struct message {
    uint64_t word[MESSAGE_WORDS];
    uint64_t head; /* the channel's; see kernel/shared/ring.h */
} __attribute__((aligned(64)));

#endif
