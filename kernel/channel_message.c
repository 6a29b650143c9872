/* channel_send, channel_receive, and who waits in them. docs/channel_end.md.
 *
 * To wait is to make the call again later: when the queue has changed, the call is checked anew, and is
 * then done whole or refused whole, by the state of that moment. */
#include "abi/error.h"
#include "kernel/channel_end.h"
#include "kernel/kernel.h"
#include "kernel/memory_move.h"
#include "kernel/pool.h"
#include "kernel/process.h"

/* In the list of receivers, or of senders, of the end; its vcore's record points to it. */
struct channel_wait {
    struct list list;
    struct process *process;
    struct channel_end *end;
    unsigned vcoreid;
    long number, argument[4];
};

static struct pool waits = POOL_OF(struct channel_wait);

static long send(struct process *p, unsigned vcoreid, struct channel_end *end,
                 const long argument[4])
{
    struct channel_end *to = end->other;
    struct channel_message message;
    letter_read(p, vcoreid, &message);
    if (!to->holds)
        return -E_CLOSED;
    int error = letter_check(p, &message, to);
    if (error)
        return error;
    if (to->count == channel_depth(to))
        return -E_FULL;
    if (message.page_mode != PAGES_NONE && memory_busy(p))
        return memory_wait(p, vcoreid, PANDO_channel_send, argument);
    return letter_post(p, vcoreid, &message, to);
}

static long receive(struct process *p, unsigned vcoreid, struct channel_end *end,
                    const long argument[4])
{
    struct letter *letter = channel_first(end);
    if (!letter)
        return end->other->holds || end->count ? -E_EMPTY : -E_CLOSED;
    if (letter->pages > (unsigned long)argument[2])
        return -E_TOO_LONG;
    if (letter->pages && memory_busy(p))
        return memory_wait(p, vcoreid, PANDO_channel_receive, argument);
    return letter_open(p, vcoreid, letter, (uint64_t)argument[1]);
}

static unsigned rights(long number)
{
    return number == PANDO_channel_send ? RIGHT_WRITE : RIGHT_READ;
}

static long attempt(struct process *p, unsigned vcoreid, struct channel_end *end, long number,
                    const long argument[4])
{
    return number == PANDO_channel_send ? send(p, vcoreid, end, argument)
                                        : receive(p, vcoreid, end, argument);
}

static int would_wait(long result)
{
    return result == -E_FULL || result == -E_EMPTY;
}

/* --- waiting --------------------------------------------------------------------------------- */

static long wait_for(struct process *p, unsigned vcoreid, struct channel_end *end, long number,
                     const long argument[4])
{
    struct channel_wait *wait = pool_get(&waits);
    if (!wait)
        return -E_NO_MEMORY;
    wait->process = p;
    wait->end = end;
    wait->vcoreid = vcoreid;
    wait->number = number;
    for (unsigned i = 0; i < 4; i++)
        wait->argument[i] = argument[i];
    list_append(number == PANDO_channel_send ? &end->senders : &end->receivers, &wait->list);
    process_record(p, vcoreid)->channel_wait = wait;
    return CALL_LATER;
}

void channel_wait_end(struct channel_wait *wait)
{
    process_record(wait->process, wait->vcoreid)->channel_wait = NULL;
    list_remove(&wait->list);
    pool_put(&waits, wait);
}

static void answer(struct channel_wait *wait, long result)
{
    home_answer(wait->process, wait->vcoreid, result); /* ends the wait */
}

void channel_waits_answer(struct list *list, long result)
{
    while (!list_empty(list))
        answer(LIST_ENTRY(list->next, struct channel_wait, list), result);
}

/* The first of the list makes its call again. Its handle may have been closed, or name another end
 * by now. 0: it waits on. */
static int go_on(struct list *list)
{
    if (list_empty(list))
        return 0;
    struct channel_wait *wait = LIST_ENTRY(list->next, struct channel_wait, list);
    struct channel_end *end;
    long result = handle_object(wait->process, (unsigned long)wait->argument[0], HANDLE_CHANNEL,
                                rights(wait->number), &end);
    if (!result && end != wait->end)
        result = -E_NO_ENTRY;
    if (!result)
        result = attempt(wait->process, wait->vcoreid, end, wait->number, wait->argument);
    if (would_wait(result))
        return 0;
    if (result == CALL_LATER)
        channel_wait_end(wait); /* for its memory now: it is answered, or makes its call again */
    else
        answer(wait, result);
    return 1;
}

void channel_settle(struct channel_end *end)
{
    while (((end->count || !end->other->holds) && go_on(&end->receivers)) ||
           (end->count < channel_depth(end) && go_on(&end->other->senders)))
        ;
    channel_post_news(end);
}

/* --- the calls ------------------------------------------------------------------------------- */

long channel_message_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    unsigned long flags = (unsigned long)argument[number == PANDO_channel_send ? 1 : 3];
    struct channel_end *end;
    if (flags & ~(unsigned long)CHANNEL_WAIT)
        return -E_INVALID;
    long result =
        handle_object(p, (unsigned long)argument[0], HANDLE_CHANNEL, rights(number), &end);
    if (result)
        return result;
    struct channel_end *queue = number == PANDO_channel_send ? end->other : end;
    result = attempt(p, vcoreid, end, number, argument);
    if (result >= 0 || result == CALL_LATER)
        channel_settle(queue);
    else if (flags && would_wait(result))
        result = wait_for(p, vcoreid, end, number, argument);
    return result;
}
