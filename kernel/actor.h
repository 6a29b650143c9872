/* Actors: private state and message handlers that run to completion. docs/actor.md.
 *
 * A class is a table of handlers by message type. An actor lives on one kernel and is handled by
 * that kernel's loop alone. All functions are for a kernel on its own core; none waits. Handlers
 * must return; none is ever called from within another. */
#ifndef KERNEL_ACTOR_H
#define KERNEL_ACTOR_H

#include <stdint.h>
#include "kernel/address.h"
#include "kernel/message.h"
#include "kernel/shared/ring.h"

enum {
    ACTORS_MAX = 1024,
    /* Slots that are the same on every kernel. Their generation is 0, whoever is there. */
    ACTOR_KERNEL = 1,
    ACTOR_ALLOCATOR = 2,
    ACTOR_LOG = 3,
    ACTOR_CONSOLE = 4,
    ACTOR_SUPERVISOR = 5,
    ACTOR_MULTICAST = 6,
    ACTOR_DYNAMIC = 16, /* the first of those given by actor_create */
};

struct actor;

struct actor_class {
    const char *name;
    /* `m` is valid until the handler returns; from_core may be this core. */
    void (*handler[MESSAGE_TYPES])(struct actor *self, const struct message *m, unsigned from_core);
    /* Called last by actor_end, to give back what `state` holds; may be NULL. */
    void (*ended)(struct actor *self);
    uint16_t id; /* set by actor_class_register */
};

/* Registers the class `variable` before the snapshot: every kernel inherits the registry. */
#define ACTOR_CLASS(variable)                                          \
    static void __attribute__((constructor)) variable##_register(void) \
    {                                                                  \
        actor_class_register(&variable);                               \
    }
void actor_class_register(struct actor_class *class); /* from constructors; panics when full */
const struct actor_class *actor_class_find(const char *name);   /* NULL: none of that name */
uint64_t actor_class_messages(const struct actor_class *class); /* handled by this kernel */

/* Invariant: class is NULL if and only if the slot is free. */
struct actor {
    const struct actor_class *class;
    void *state;      /* the class's own */
    uint32_t tag;     /* slot and the present, else the last, generation */
    uint16_t watches; /* first node of a list */
    uint16_t owes;    /* requests taken and not yet answered */
    uint16_t next;    /* free list */
};

/* Makes an actor in a free slot, or in the fixed slot (1 to ACTOR_DYNAMIC - 1). *made is set on
 * success only. -E_LIMIT: no slot. -E_EXISTS: the fixed slot is taken. */
int actor_create(const struct actor_class *class, void *state, struct actor **made);
int actor_create_at(unsigned slot, const struct actor_class *class, void *state,
                    struct actor **made);

/* Ends an actor of this kernel; may be called from its own handler. Each watcher gets one
 * MESSAGE_DOWN with reason (of abi/error.h; E_OK: as meant) and value. The actor must have answered
 * all requests it took (panics otherwise). What is still under way to it is dropped and counted. */
void actor_end(struct actor *actor, uint64_t reason, uint64_t value);

uint64_t actor_address(const struct actor *actor);
/* The address of a fixed slot on a core in its present incarnation, whether anyone is there or not.
 */
uint64_t actor_well_known(unsigned core, unsigned slot);

/* Sends word[0..5] with m->head = message_head(type) to an actor here or on any core: never handled
 * before the caller has returned to the loop; between two kernels, and within one, in the order of
 * sending. Taken whole (0) or refused whole: -E_GONE (known here to have ended), -E_LIMIT (too much
 * waits already), -E_NO_MEMORY (no frames for the rings of a first use). */
int actor_send(uint64_t to, struct message *m);

/* Sends a request: reserves the place of its reply, and puts the address of `self` into word[5].
 * Exactly one reply comes: what the actor answers, or MESSAGE_DOWN with reason E_GONE (it had
 * ended) or E_NO_CALL (it does not handle the type). -E_LIMIT also when PEER_REQUESTS to that
 * kernel (LOCAL_REQUESTS to this one) await replies. */
int actor_send_request(struct actor *self, uint64_t to, struct message *m);

/* Answers a request that `self` took: `asker` is its word[5]. Once for each, at any later time. Not
 * refused; dropped when the asker is gone. */
void actor_reply(struct actor *self, uint64_t asker, struct message *m);

/* Asks that `watcher`, an actor here, be sent one MESSAGE_DOWN {target, cookie, reason, value} when
 * `target` ends; at once with reason E_GONE if it has ended, E_LIMIT if its kernel can keep no more
 * watches. Refused (-E_LIMIT, -E_NO_MEMORY): no watch, no message. */
int actor_watch(uint64_t target, const struct actor *watcher, uint64_t cookie);

/* Takes one watch back. A DOWN that is under way already still comes. Errors as actor_send. */
int actor_unwatch(uint64_t target, const struct actor *watcher, uint64_t cookie);

/* A turn of the event loop: handles at most one message from this kernel and one from another, each
 * other one having its turn. Returns how many were taken; 0: nothing was there. */
unsigned actor_turn(void);

/* As channel_prepare_to_leave, and knows of messages within the kernel. */
int actor_prepare_to_leave(void);

/* Whether messages within the kernel wait: who entered it from user mode and would go straight back
 * must go by the loop then, for no doorbell tells of them. */
int actor_local_waits(void);

struct actor_counts {
    uint64_t gone;      /* messages dropped: to ended actors */
    uint64_t unhandled; /* messages dropped: their class has no handler for them */
};
struct actor_counts actor_counts(void);

#endif
