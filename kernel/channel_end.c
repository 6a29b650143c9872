#include "kernel/channel_end.h"
#include "abi/error.h"
#include "kernel/event.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/process.h"

enum { NESTING_MAX = 64 }; /* queues one within the other that a check goes up through */

struct channel {
    struct channel_end end[2];
    unsigned depth;
};

static struct pool channels = POOL_OF(struct channel);

unsigned channel_depth(const struct channel_end *end)
{
    return end->channel->depth;
}

/* --- making and closing ---------------------------------------------------------------------- */

static void end_make(struct channel *channel, unsigned which)
{
    struct channel_end *end = &channel->end[which];
    end->channel = channel;
    end->other = &channel->end[!which];
    end->holds = 1;
    list_init(&end->letters);
    list_init(&end->receivers);
    list_init(&end->senders);
}

static long create(struct process *p, unsigned long depth)
{
    if (depth < 1 || depth > CHANNEL_MAX_DEPTH)
        return -E_INVALID;
    int error = reclaim_ready();
    if (!error)
        error = handle_room(p, 2);
    if (error)
        return error;
    struct channel *channel = pool_get(&channels);
    if (!channel)
        return -E_NO_MEMORY;
    channel->depth = (unsigned)depth;
    long number[2];
    for (unsigned i = 0; i < 2; i++) {
        end_make(channel, i);
        struct handle handle = {HANDLE_CHANNEL, RIGHTS_ALL, 0, &channel->end[i]};
        number[i] = handle_add(p, &handle);
        ASSERT(number[i] > 0);
    }
    return number[0] | number[1] << 32;
}

static void tell(struct channel_end *end, enum event_type type)
{
    if (end->listener)
        event_post(end->listener, type, end->listener_handle, NULL);
}

static void post(struct channel_end *end, unsigned which, enum event_type type)
{
    if (end->events & which)
        tell(end, type);
}

/* What waits to be received here is lost; what it sent stays for the other end to receive. */
static void end_close(struct channel_end *end)
{
    struct channel_end *other = end->other;
    end->lies_in = NULL;
    while (!list_empty(&end->letters))
        letter_discard(LIST_ENTRY(end->letters.next, struct letter, queue));
    channel_waits_answer(&end->receivers, -E_NO_ENTRY);
    channel_waits_answer(&end->senders, -E_NO_ENTRY);
    if (other->holds) {
        if (!other->count)
            channel_waits_answer(&other->receivers, -E_CLOSED);
        channel_waits_answer(&other->senders, -E_CLOSED);
        post(other, CHANNEL_ON_CLOSED, EVENT_CHANNEL_CLOSED);
    } else {
        pool_put(&channels, end->channel);
    }
}

/* Who listens does so by one handle: handle.note is its number. */
static void stop_listening(const struct handle *handle, struct process *holder)
{
    struct channel_end *end = handle->object;
    if (end->listener == holder && end->listener_handle == handle->note) {
        end->listener = NULL;
        end->events = 0;
    }
}

static void hold(const struct handle *handle)
{
    struct channel_end *end = handle->object;
    end->holds++;
}

static void release(const struct handle *handle, struct process *holder)
{
    struct channel_end *end = handle->object;
    ASSERT(end->holds);
    if (--end->holds == 0)
        end_close(end);
}

const struct handle_class channel_handles = {"channel", hold, release, stop_listening};

/* --- ends that lie in queues ----------------------------------------------------------------- */

/* An end in a letter has one handle, that one; so from an end the way up, over the queue in which it
 * lies, is one way, and ends at one that a process has. docs/channel_end.md proves that no ring of
 * them can come about. */
int channel_may_lie(const struct channel_end *end, const struct channel_end *to)
{
    if (end->holds > 1)
        return -E_STATE;
    for (unsigned i = 0; to && i < NESTING_MAX; i++, to = to->lies_in)
        if (to == end)
            return -E_STATE;
    return to ? -E_LIMIT : 0;
}

void channel_lay(const struct handle *handle, struct channel_end *to)
{
    struct channel_end *end = handle->object;
    end->lies_in = to;
}

/* --- events ---------------------------------------------------------------------------------- */

void channel_post_news(struct channel_end *end)
{
    uint8_t readable = channel_first(end) != NULL, full = end->count == channel_depth(end);
    if (readable && !end->readable)
        post(end, CHANNEL_ON_READABLE, EVENT_CHANNEL_READABLE);
    if (!full && end->full)
        post(end->other, CHANNEL_ON_WRITABLE, EVENT_CHANNEL_WRITABLE);
    end->readable = readable;
    end->full = full;
}

/* --- the calls ------------------------------------------------------------------------------- */

/* Which of CHANNEL_ON_ is so. */
static unsigned state(const struct channel_end *end)
{
    const struct channel_end *other = end->other;
    unsigned now = channel_first(end) ? CHANNEL_ON_READABLE : 0;
    if (!other->holds)
        now |= CHANNEL_ON_CLOSED;
    else if (other->count < channel_depth(end))
        now |= CHANNEL_ON_WRITABLE;
    return now;
}

static void listen(struct channel_end *end, struct process *p, unsigned number, unsigned events)
{
    int goes_on = end->listener == p && end->listener_handle == number;
    end->listener = p;
    end->listener_handle = (uint16_t)number;
    end->events = (uint8_t)(goes_on && events ? end->events | events : events);
}

static long watch(struct process *p, unsigned long number, unsigned long events)
{
    struct handle *handle;
    if (events & ~(unsigned long)(CHANNEL_ON_READABLE | CHANNEL_ON_WRITABLE | CHANNEL_ON_CLOSED))
        return -E_INVALID;
    int error = handle_find(p, number, HANDLE_CHANNEL, RIGHT_READ, &handle);
    if (error)
        return error;
    struct channel_end *end = handle->object;
    unsigned now = state(end), news = now & (unsigned)events;
    handle->note = (uint16_t)number;
    listen(end, p, (unsigned)number, (unsigned)events);
    if (end->rung || (news & CHANNEL_ON_READABLE))
        tell(end, EVENT_CHANNEL_READABLE);
    if (news & CHANNEL_ON_WRITABLE)
        tell(end, EVENT_CHANNEL_WRITABLE);
    if (news & CHANNEL_ON_CLOSED)
        tell(end, EVENT_CHANNEL_CLOSED);
    end->rung = 0;
    return now;
}

static long ring(struct process *p, unsigned long number)
{
    struct channel_end *end;
    int error = handle_object(p, number, HANDLE_CHANNEL, RIGHT_WRITE, &end);
    if (error)
        return error;
    struct channel_end *other = end->other;
    if (!other->holds)
        return -E_CLOSED;
    other->rung = !other->listener;
    tell(other, EVENT_CHANNEL_READABLE);
    return 0;
}

long channel_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    switch (number) {
    case PANDO_channel_create:
        return create(p, (unsigned long)argument[0]);
    case PANDO_channel_ring:
        return ring(p, (unsigned long)argument[0]);
    default:
        return watch(p, (unsigned long)argument[0], (unsigned long)argument[1]);
    }
}
