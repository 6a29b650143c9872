/* Backlogs: ordered queues of messages that have to wait, in nodes of one pool. docs/channel.md.
 *
 * Private to a kernel. The pool is a fixed array whose pages cost nothing until used: freed nodes
 * are used again before untouched ones. Each node is held on one of five accounts with a limit of
 * its own, so that ordinary messages cannot take the place of what must not be refused. */
#ifndef KERNEL_BACKLOG_H
#define KERNEL_BACKLOG_H

#include <stdint.h>
#include "kernel/message.h"

enum backlog_account {
    ACCOUNT_PLAIN,     /* messages to other kernels that may be refused, requests too */
    ACCOUNT_LOCAL,     /* the same within a kernel: what waits for others does not stop it */
    ACCOUNT_REPLY,     /* replies: their requests reserved the place */
    ACCOUNT_WATCH,     /* watches, and the DOWN that each becomes */
    ACCOUNT_MULTICAST, /* never refused: docs/multicast.md */
    ACCOUNTS
};

#define PLAIN_NODES      512
#define LOCAL_NODES      2048
#define WATCH_NODES      256
#define MULTICAST_FANOUT 3   /* pieces that a set of cores is parted into at each step */
#define PEER_REQUESTS    8   /* requests under way from one kernel to another */
#define LOCAL_REQUESTS   256 /* requests under way within a kernel */

/* A queue of nodes; first == 0: empty, and last means nothing. Zeroes are an empty queue. */
struct backlog {
    uint16_t first, last;
};

/* A node on the account; 0 when the account is at its limit (for ACCOUNT_REPLY and
 * ACCOUNT_MULTICAST: panics, since what reserves the places is broken). Its message's contents are
 * unspecified. */
uint16_t node_alloc(enum backlog_account account);
void node_free(uint16_t node);

/* The node's message. Of its header, HEAD_RING_MASK is the pool's; type, kind and target
 * are kept: see node_head. */
struct message *node_message(uint16_t node);
uint64_t node_head(uint16_t node); /* the header without the pool's bits */
void node_head_set(uint16_t node, uint64_t head);
uint16_t node_next(uint16_t node); /* for lists of one's own: 0 ends */
void node_next_set(uint16_t node, uint16_t next);

/* Appends a copy of the words of `m` under `head`, zero in HEAD_RING_MASK. -E_LIMIT: refused,
 * nothing done. */
int backlog_push(struct backlog *backlog, const struct message *m, uint64_t head,
                 enum backlog_account account);
void backlog_append(struct backlog *backlog, uint16_t node);
/* Takes the first node out; the caller frees it. The backlog must not be empty. */
uint16_t backlog_shift(struct backlog *backlog);

unsigned backlog_nodes_used(enum backlog_account account);

#endif
