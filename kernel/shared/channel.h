/* Channels between kernels: ordered, lossless one-line messages with a doorbell. docs/channel.md.
 *
 * A link is a kernel's private end of the two rings with one peer; it is made on first use by
 * either. What finds no credit waits in the link's backlog, behind what waits already. All
 * functions are for a kernel on its own core; none waits. Receiving is in link.h: links_poll. */
#ifndef KERNEL_SHARED_CHANNEL_H
#define KERNEL_SHARED_CHANNEL_H

#include <stdint.h>
#include "kernel/message.h"

#define CHANNEL_BURST 8 /* messages of one link before the next has its turn */

/* Makes the inbox of a core that is about to be started, on the core that starts it; core 0's by
 * itself. -E_NO_MEMORY: nothing changed. Until then sends to it are refused. */
int channel_inbox_make(unsigned core);

/* The first thing of channels in kernel_enter: finds this core's inbox (panics if none was made).
 */
void channel_start(void);

/* Sends the words of `m` to the actor at `to`, on another core, with m->head = message_head(type).
 * Taken whole (0) or refused whole: -E_GONE (no such kernel, or it was replaced), -E_NO_MEMORY (no
 * frames for the rings of a first use), -E_LIMIT (too much waits already). */
int channel_send(uint64_t to, const struct message *m);

/* The same, for a message of a multicast, whose place is reserved: not refused with -E_LIMIT. */
int channel_send_multicast(uint64_t to, const struct message *m);

/* As channel_send, and reserves the place of one reply at the peer. -E_LIMIT also when PEER_REQUESTS are
 * under way to it. */
int channel_send_request(uint64_t to, const struct message *m);

/* Answers a request that came from the core of `to`: once each, from the kernel that was asked.
 * Never refused but with -E_GONE. */
int channel_reply(uint64_t to, const struct message *m);

/* Sends the message in a backlog node (header: type), which is given away. Never refused: a message
 * to a kernel that is gone is dropped. A link with the peer must exist. */
void channel_send_node(uint64_t to, uint16_t node);

/* Before the kernel halts or enters user mode from its loop. 1: it may; from now on senders ring
 * the doorbell, and the interrupt must lead to channel_back and a turn of the loop. 0: a message is
 * there, go on with the loop.
 * An entry from user mode that returns straight to it calls neither: a bell stays pending
 * meanwhile. */
int channel_prepare_to_leave(void);
void channel_back(void); /* on return to the loop, whatever the reason */

struct channel_counts {
    uint64_t bells;      /* rung here */
    uint64_t acks;       /* pure acknowledgements sent */
    uint64_t backlogged; /* messages that had to wait */
    unsigned links;
};
struct channel_counts channel_counts(void);

#endif
