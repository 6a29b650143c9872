#include "kernel/backlog.h"
#include "abi/error.h"
#include "kernel/kernel.h"
#include "kernel/shared/ring.h"
#include "kernel/shared/shared.h"

/* A waiting message has no sequence and no acknowledgement yet: the node's link and account stand
 * in their place, so that a node is one cache line. */
#define NODE_NEXT_MASK     0xffffull
#define NODE_ACCOUNT_SHIFT HEAD_ACK_SHIFT
#define NODE_ACCOUNT_MASK  HEAD_ACK_MASK

enum {
    REPLY_NODES = CORES_MAX * PEER_REQUESTS + LOCAL_REQUESTS,
    MULTICAST_NODES = CORES_MAX * (1 + MULTICAST_FANOUT),
    NODES = 1 + PLAIN_NODES + LOCAL_NODES + REPLY_NODES + WATCH_NODES +
            MULTICAST_NODES, /* node 0 stands for none */
};

static struct message pool[NODES];
static uint16_t pool_touched; /* nodes 1 to this were in use once */
static uint16_t pool_free;    /* first of a list of freed nodes */
static uint16_t used[ACCOUNTS];

static const uint16_t limit[ACCOUNTS] = {
    [ACCOUNT_PLAIN] = PLAIN_NODES,         [ACCOUNT_LOCAL] = LOCAL_NODES,
    [ACCOUNT_REPLY] = REPLY_NODES,         [ACCOUNT_WATCH] = WATCH_NODES,
    [ACCOUNT_MULTICAST] = MULTICAST_NODES,
};

uint16_t node_next(uint16_t node)
{
    return pool[node].head & NODE_NEXT_MASK;
}

void node_next_set(uint16_t node, uint16_t next)
{
    pool[node].head = (pool[node].head & ~NODE_NEXT_MASK) | next;
}

struct message *node_message(uint16_t node)
{
    return &pool[node];
}

uint64_t node_head(uint16_t node)
{
    return pool[node].head & ~HEAD_RING_MASK;
}

void node_head_set(uint16_t node, uint64_t head)
{
    pool[node].head = (pool[node].head & HEAD_RING_MASK) | head;
}

uint16_t node_alloc(enum backlog_account account)
{
    uint16_t node = pool_free;
    if (used[account] == limit[account]) {
        ASSERT(account != ACCOUNT_REPLY && account != ACCOUNT_MULTICAST);
        return 0;
    }
    if (node)
        pool_free = node_next(node);
    else
        node = ++pool_touched;
    ASSERT(node < NODES);
    used[account]++;
    pool[node].head = (uint64_t)account << NODE_ACCOUNT_SHIFT;
    return node;
}

void node_free(uint16_t node)
{
    unsigned account = pool[node].head >> NODE_ACCOUNT_SHIFT & NODE_ACCOUNT_MASK;
    ASSERT(node && account < ACCOUNTS && used[account]);
    used[account]--;
    pool[node].head = (uint64_t)ACCOUNTS << NODE_ACCOUNT_SHIFT | pool_free; /* freed twice: seen */
    pool_free = node;
}

void backlog_append(struct backlog *backlog, uint16_t node)
{
    node_next_set(node, 0);
    if (backlog->first)
        node_next_set(backlog->last, node);
    else
        backlog->first = node;
    backlog->last = node;
}

uint16_t backlog_shift(struct backlog *backlog)
{
    uint16_t node = backlog->first;
    ASSERT(node);
    backlog->first = node_next(node);
    return node;
}

int backlog_push(struct backlog *backlog, const struct message *m, uint64_t head,
                 enum backlog_account account)
{
    uint16_t node = node_alloc(account);
    if (!node)
        return -E_LIMIT;
    __builtin_memcpy(pool[node].word, m->word, sizeof(m->word));
    node_head_set(node, head);
    backlog_append(backlog, node);
    return 0;
}

unsigned backlog_nodes_used(enum backlog_account account)
{
    return used[account];
}
