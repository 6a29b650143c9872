/* Channels between processes: two ends, each with a queue of letters. docs/channel_end.md. What
 * kernels send one another is kernel/shared/channel.h.
 *
 * Both ends are at the home of those who use them. All functions: there, in handlers. */
#ifndef KERNEL_CHANNEL_END_H
#define KERNEL_CHANNEL_END_H

#include <stdint.h>
#include "kernel/channel_wait.h"
#include "kernel/letter.h"
#include "lib/list.h"

struct process;

/* Invariants: open while holds, the number of handles that name it, in tables and letters, is not 0.
 * lies_in is set exactly while its only handle is in a letter: to the end that receives that.
 * Receivers wait only while no letter can be received, senders only while the queue that they send to
 * is full. */
struct channel_end {
    struct channel *channel;
    struct channel_end *other;
    unsigned holds;
    struct channel_end *lies_in;

    struct list letters;            /* to be received here */
    unsigned count;                 /* of them: at most the channel's depth */
    struct list receivers, senders; /* struct channel_wait: who waits in a call with this end */

    struct process *listener; /* who gets its events; NULL: nobody */
    uint16_t listener_handle;
    uint8_t events;         /* CHANNEL_ON_ */
    uint8_t readable, full; /* its queue, when events were posted last */
    uint8_t rung;           /* the doorbell, before anyone listened */
};

/* Who waits to receive from the end's queue, or to send to it, goes on, in the order of asking, until
 * nobody can; then events are posted. After each change of the queue. */
void channel_settle(struct channel_end *end);
/* Posts what changed in the end's queue since the last time. */
void channel_post_news(struct channel_end *end);

/* Whether this handle to an end may go with a letter to `to`: it is the end's only one, and `to`
 * can be reached without it. 0, -E_STATE; -E_LIMIT: `to` lies too deep in other queues. */
int channel_may_lie(const struct channel_end *end, const struct channel_end *to);
/* The handle goes with a letter to `to`, or (NULL) came out of one. */
void channel_lay(const struct handle *handle, struct channel_end *to);

/* The call that waits is being answered: it waits no more. */
void channel_wait_end(struct channel_wait *wait);
/* Answers all who wait in the list. */
void channel_waits_answer(struct list *waits, long result);

/* channel_create, channel_ring, channel_watch. */
long channel_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);
/* channel_message.c: */
long channel_send_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);
long channel_receive_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

unsigned channel_depth(const struct channel_end *end);

/* The letter that can be received now; NULL: there is none, or it is filling. */
static inline struct letter *channel_first(const struct channel_end *end)
{
    struct letter *letter = LIST_ENTRY(end->letters.next, struct letter, queue);
    return list_empty(&end->letters) || letter->filling ? NULL : letter;
}

#endif
