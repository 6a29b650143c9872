/* A uthread: a thread that the runtime schedules over the process's vcores.
 *
 * A running uthread is the `current` of exactly one vcore. Any other is in one queue, or is waited
 * into existence by somebody who will call scheduler_add, or has ended.
 *
 * Levels. At level 0 the program runs on its own stack. A reflected system call raises the uthread
 * to level 1: context[0] then rests, and the runtime answers the call in uthread context on the
 * call stack. context[level] is how the uthread goes on when it is not running; `saved` says in
 * which form.
 *
 * FP state is in the registers while the uthread runs, at level 1 too, where it is the program's.
 * When it stops running at level 1, or by a trap, all of it is saved in fp_area (fp_saved); when it
 * stops by a call at level 0 the control words are enough, and stand in the context. */
#ifndef RUNTIME_UTHREAD_H
#define RUNTIME_UTHREAD_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/process.h"
#include "runtime/lock.h"

enum uthread_saved {
    SAVED_TRAP,   /* context[level] is whole: context_pop */
    SAVED_SWITCH, /* context[level] is of context_switch or context_make: context_switch_back */
};

enum { LEVEL_PROGRAM, LEVEL_CALL, LEVELS };

struct uthread {
    struct context context[LEVELS];
    uint8_t level;
    uint8_t saved; /* enum uthread_saved */
    bool fp_saved;
    void *fp_area;
    uint64_t stack_top;      /* of its own stack, 0 for uthread 0 */
    uint64_t call_stack_top; /* 0 until its first system call */
    void *message;           /* a pinned page: message.h; NULL until its first call with one */
    struct uthread *next;    /* in the queue that it is in */
    const volatile uint32_t *futex;
    struct event event; /* that it waited for */
    uint32_t posted;    /* events, before it began to wait for any */

    void *(*start)(void *);
    void *arg;

    struct lock lock; /* for those below */
    bool ended;
    struct uthread *joiner;
    void *result;
};

struct uthread_queue {
    struct uthread *head, *tail;
};

/* Masked, or under the queue's own lock. uthread_queue_take: NULL when it is empty. */
void uthread_queue_add(struct uthread_queue *queue, struct uthread *uthread);
struct uthread *uthread_queue_take(struct uthread_queue *queue);

/* A control block, fresh or recycled, with a call stack if asked for; masked. NULL: out of memory.
 */
struct uthread *uthread_make(bool with_call_stack);

/* Gives it a call stack if it has none. False: out of memory. Masked. */
bool uthread_call_stack(struct uthread *uthread);

/* Uthread context. Stops the caller, then calls after(caller, arg) in vcore context, which must see
 * to it that somebody calls scheduler_add(caller) at some time; by then all of the caller's state
 * is saved, so it may go on elsewhere before `after` has returned. Returns when it goes on. */
void uthread_block(void (*after)(struct uthread *, void *), void *arg);

/* Masked: saves all FP state of the uthread that was running on this vcore. */
void uthread_fp_save(struct uthread *uthread);

/* Vcore context: the uthread, which becomes the vcore's current, goes on. */
_Noreturn void uthread_resume(struct uthread *uthread);

/* For programs, through the table: pando.h. Uthread context. */
int runtime_uthread_create(struct uthread **out, void *(*start)(void *), void *arg);
int runtime_uthread_join(struct uthread *uthread, void **result);
void runtime_uthread_yield(void);
struct uthread *runtime_uthread_self(void);

#endif
