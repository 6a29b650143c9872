#include "runtime/uthread.h"
#include "runtime/event.h"
#include "runtime/memory.h"
#include "runtime/place.h"
#include "runtime/scheduler.h"
#include "runtime/vcore.h"
#include "abi/error.h"
#include "lib/string.h"

static struct lock free_lock;
static struct uthread *free_blocks; /* recycled, with their stacks */

void uthread_queue_add(struct uthread_queue *queue, struct uthread *uthread)
{
    uthread->next = NULL;
    if (queue->head)
        queue->tail->next = uthread;
    else
        queue->head = uthread;
    queue->tail = uthread;
}

struct uthread *uthread_queue_take(struct uthread_queue *queue)
{
    struct uthread *uthread = queue->head;

    if (uthread)
        queue->head = uthread->next;
    return uthread;
}

/* --- control blocks -----------------------------------------------------------------------------
 */

static struct uthread *free_take(void)
{
    lock_take(&free_lock);
    struct uthread *uthread = free_blocks;
    if (uthread)
        free_blocks = uthread->next;
    lock_release(&free_lock);
    return uthread;
}

static void free_give(struct uthread *uthread)
{
    lock_take(&free_lock);
    uthread->next = free_blocks;
    free_blocks = uthread;
    lock_release(&free_lock);
}

bool uthread_call_stack(struct uthread *uthread)
{
    if (!uthread->call_stack_top)
        uthread->call_stack_top = memory_stack(CALL_STACK_BYTES);
    return uthread->call_stack_top != 0;
}

struct uthread *uthread_make(bool with_call_stack)
{
    struct uthread *uthread = free_take();

    if (!uthread)
        uthread = memory_block();
    if (!uthread)
        return NULL;
    uthread->level = LEVEL_PROGRAM;
    uthread->fp_saved = false;
    uthread->ended = false;
    uthread->joiner = NULL;
    if (with_call_stack && !uthread_call_stack(uthread)) {
        free_give(uthread);
        return NULL;
    }
    return uthread;
}

/* --- running and not running --------------------------------------------------------------------
 */

void uthread_fp_save(struct uthread *uthread)
{
    fp_save(uthread->fp_area, pando_procinfo()->xsave_mask);
    uthread->fp_saved = true;
}

_Noreturn void uthread_resume(struct uthread *uthread)
{
    const struct context *context = &uthread->context[uthread->level];

    vcore_own()->current = uthread;
    if (uthread->fp_saved) {
        fp_restore(uthread->fp_area, pando_procinfo()->xsave_mask);
        uthread->fp_saved = false;
    }
    if (uthread->saved == SAVED_SWITCH)
        context_switch_back(context);
    context_pop(context);
}

void uthread_block(void (*after)(struct uthread *, void *), void *arg)
{
    struct uthread *self = user_current();

    context_switch(&self->context[self->level], after, arg);
}

_Noreturn void vcore_switched(void (*after)(struct uthread *, void *), void *arg)
{
    struct uthread *uthread = vcore_own()->current;

    vcore_own()->current = NULL;
    if (uthread->level == LEVEL_CALL)
        uthread_fp_save(uthread);
    uthread->saved = SAVED_SWITCH;
    after(uthread, arg);
    scheduler_run();
}

static void after_notice(struct uthread *uthread, void *arg)
{
    (void)arg;
    scheduler_add_first(uthread);
}

void uthread_notice(void)
{
    uthread_block(after_notice, NULL);
}

static void after_yield(struct uthread *uthread, void *arg)
{
    (void)arg;
    scheduler_add_unannounced(uthread);
}

void runtime_uthread_yield(void)
{
    if (scheduler_wants_vcore())
        uthread_block(after_yield, NULL);
}

struct uthread *runtime_uthread_self(void)
{
    return user_current();
}

/* --- creation and end ---------------------------------------------------------------------------
 */

/* Whoever of the two comes second, the end or the joiner, sees the other under the lock. */
static void after_end(struct uthread *uthread, void *arg)
{
    (void)arg;
    lock_take(&uthread->lock);
    struct uthread *joiner = uthread->joiner;
    __atomic_store_n(&uthread->ended, true, __ATOMIC_RELEASE);
    lock_release(&uthread->lock);
    if (joiner)
        scheduler_add(joiner);
}

static void uthread_main(void *arg)
{
    struct uthread *self = arg;

    self->result = self->start(self->arg);
    uthread_block(after_end, NULL);
}

/* A control block with a stack; masked. */
static struct uthread *uthread_with_stack(void)
{
    struct uthread *uthread = uthread_make(false);

    if (!uthread || uthread->stack_top)
        return uthread;
    uthread->stack_top = memory_stack(UTHREAD_STACK_BYTES);
    if (uthread->stack_top)
        return uthread;
    free_give(uthread);
    return NULL;
}

int runtime_uthread_create(struct uthread **out, void *(*start)(void *), void *arg)
{
    vcore_mask();
    struct uthread *uthread = uthread_with_stack();
    vcore_unmask();
    if (!uthread)
        return -E_NO_MEMORY;

    uthread->start = start;
    uthread->arg = arg;
    uthread->saved = SAVED_SWITCH;
    context_make(&uthread->context[LEVEL_PROGRAM], (void *)uthread->stack_top, uthread_main,
                 uthread);
    *out = uthread; /* before it can run: it may read its own handle there */
    vcore_mask();
    scheduler_add(uthread);
    vcore_unmask();
    return 0;
}

static void after_join(struct uthread *joiner, void *arg)
{
    struct uthread *uthread = arg;

    lock_take(&uthread->lock);
    bool ended = uthread->ended;
    if (!ended)
        uthread->joiner = joiner;
    lock_release(&uthread->lock);
    if (ended)
        scheduler_add_first(joiner);
}

int runtime_uthread_join(struct uthread *uthread, void **result)
{
    if (uthread == user_current())
        return -E_INVALID;
    if (!__atomic_load_n(&uthread->ended, __ATOMIC_ACQUIRE))
        uthread_block(after_join, uthread);
    if (result)
        *result = uthread->result;
    vcore_mask();
    lock_take(&uthread->lock); /* after_end may still hold it */
    lock_release(&uthread->lock);
    free_give(uthread);
    vcore_unmask();
    return 0;
}
