/* channel_send, channel_receive, and who waits in them. docs/channel_end.md.
 *
 * To wait is to make the call again later: when the queue has changed, the call is checked anew, and
 * is then done whole or refused whole, by the state of that moment. */
#include "abi/error.h"
#include "kernel/channel_end.h"
#include "kernel/kernel.h"
#include "kernel/memory_move.h"
#include "kernel/process.h"

static void answer(struct channel_wait *wait, long result)
{
    home_answer(wait->process, wait->vcoreid, result); /* ends the wait */
}

static struct channel_wait *first_wait(const struct list *list)
{
    return LIST_ENTRY(list->next, struct channel_wait, list);
}

static struct vcore_record *record_of(struct channel_wait *wait)
{
    return LIST_ENTRY(wait, struct vcore_record, channel_wait);
}

static unsigned right(long number)
{
    return number == PANDO_channel_send ? RIGHT_WRITE : RIGHT_READ;
}

/* Whether the waiting call still names its end: the handle may have been closed, and its number be
 * another's. */
static int find_again(const struct channel_wait *wait, const struct vcore_record *record)
{
    struct channel_end *end;
    int error = handle_object(wait->process, (unsigned long)record->argument[0], HANDLE_CHANNEL,
                              right(record->number), &end);
    return !error && end != wait->end ? -E_NO_ENTRY : error;
}

/* --- one attempt ----------------------------------------------------------------------------- */

/* Words alone go straight to a receiver that waits for them: no letter is made. */
static int hand_over(struct channel_end *to, const struct channel_message *message)
{
    if (list_empty(&to->receivers) || !list_empty(&to->letters) || !letter_is_plain(message))
        return 0;
    struct channel_wait *wait = first_wait(&to->receivers);
    struct vcore_record *record = record_of(wait);
    if (find_again(wait, record))
        return 0;
    letter_write(record, message);
    answer(wait, 0);
    return 1;
}

static long send(struct process *p, unsigned vcoreid, struct channel_end *end,
                 const struct channel_message *message, const long argument[4])
{
    struct channel_end *to = end->other;
    if (!to->holds)
        return -E_CLOSED;
    int error = letter_check(p, message, to);
    if (error)
        return error;
    if (to->count == channel_depth(to))
        return -E_FULL;
    uint64_t bytes = message->pages * (uint64_t)PAGE_BYTES;
    if (message->page_mode != PAGES_NONE && memory_held(p, message->addr, bytes))
        return memory_wait(p, vcoreid, PANDO_channel_send, argument);
    long result = letter_post(p, vcoreid, message, to);
    if (message->page_mode != PAGES_NONE && memory_missed(p, result))
        return memory_wait(p, vcoreid, PANDO_channel_send, argument);
    return result;
}

static long receive(struct process *p, unsigned vcoreid, struct channel_end *end,
                    const long argument[4])
{
    struct letter *letter = channel_first(end);
    if (!letter)
        return end->other->holds || end->count ? -E_EMPTY : -E_CLOSED;
    if (letter->pages > (unsigned long)argument[2])
        return -E_TOO_LONG;
    if (letter->pages &&
        memory_held(p, (uint64_t)argument[1], letter->pages * (uint64_t)PAGE_BYTES))
        return memory_wait(p, vcoreid, PANDO_channel_receive, argument);
    int pages = letter->pages; /* the letter is gone when it is open */
    long result = letter_open(p, vcoreid, letter, (uint64_t)argument[1]);
    if (pages && memory_missed(p, result))
        return memory_wait(p, vcoreid, PANDO_channel_receive, argument);
    return result;
}

/* --- waiting --------------------------------------------------------------------------------- */

static long wait_in(struct list *list, struct process *p, unsigned vcoreid, struct channel_end *end,
                    long number, const long argument[4])
{
    struct vcore_record *record = process_record(p, vcoreid);
    struct channel_wait *wait = &record->channel_wait;
    record->number = number;
    for (unsigned i = 0; i < 4; i++)
        record->argument[i] = argument[i];
    wait->end = end;
    wait->process = p;
    wait->vcoreid = vcoreid;
    list_append(list, &wait->list);
    return CALL_LATER;
}

void channel_wait_end(struct channel_wait *wait)
{
    list_remove(&wait->list);
    wait->end = NULL;
}

void channel_waits_answer(struct list *list, long result)
{
    while (!list_empty(list))
        answer(first_wait(list), result);
}

static long attempt_again(struct channel_wait *wait, struct vcore_record *record)
{
    struct channel_message message;
    int error = find_again(wait, record);
    if (error)
        return error;
    if (record->number == PANDO_channel_receive)
        return receive(wait->process, wait->vcoreid, wait->end, record->argument);
    letter_read(record, &message);
    return send(wait->process, wait->vcoreid, wait->end, &message, record->argument);
}

/* The first of the list makes its call again. 0: it waits on. */
static int go_on(struct list *list)
{
    if (list_empty(list))
        return 0;
    struct channel_wait *wait = first_wait(list);
    long result = attempt_again(wait, record_of(wait));
    if (result == -E_FULL || result == -E_EMPTY)
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

long channel_send_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    unsigned long flags = (unsigned long)argument[1];
    struct channel_message message;
    struct channel_end *end;
    if (flags & ~(unsigned long)CHANNEL_WAIT)
        return -E_INVALID;
    long result = handle_object(p, (unsigned long)argument[0], HANDLE_CHANNEL, RIGHT_WRITE, &end);
    if (result)
        return result;
    letter_read(process_record(p, vcoreid), &message);
    if (hand_over(end->other, &message))
        return 0;
    result = send(p, vcoreid, end, &message, argument);
    if (result == 0 || result == CALL_LATER)
        channel_settle(end->other);
    else if (result == -E_FULL && flags)
        return wait_in(&end->senders, p, vcoreid, end, number, argument);
    return result;
}

long channel_receive_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    unsigned long flags = (unsigned long)argument[3];
    struct channel_end *end;
    if (flags & ~(unsigned long)CHANNEL_WAIT)
        return -E_INVALID;
    long result = handle_object(p, (unsigned long)argument[0], HANDLE_CHANNEL, RIGHT_READ, &end);
    if (result)
        return result;
    result = receive(p, vcoreid, end, argument);
    if (result >= 0 || result == CALL_LATER)
        channel_settle(end);
    else if (result == -E_EMPTY && flags)
        return wait_in(&end->receivers, p, vcoreid, end, number, argument);
    return result;
}
