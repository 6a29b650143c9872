/* In each copy of the shared object that is a kernel on the host. */
#include "tests/unit/host_kernel.h"
#include "kernel/kernel.h"
#include "kernel/shared/link.h"

unsigned this_core;

static struct host_kernel kernel;

static void deliver(const struct message *m, uint64_t kind, unsigned from_core)
{
    kernel.deliver(m, kind, from_core);
}

static unsigned poll(void)
{
    return links_poll(deliver);
}

static struct host_kernel kernel = {
    .this_core = &this_core,
    .poll = poll,
    .inbox_make = channel_inbox_make,
    .start = channel_start,
    .send = channel_send,
    .send_request = channel_send_request,
    .reply = channel_reply,
    .leave = channel_prepare_to_leave,
    .back = channel_back,
    .channel_counts = channel_counts,
    .nodes_used = backlog_nodes_used,
    .class_register = actor_class_register,
    .class_find = actor_class_find,
    .class_messages = actor_class_messages,
    .create = actor_create,
    .create_at = actor_create_at,
    .end = actor_end,
    .address = actor_address,
    .well_known = actor_well_known,
    .actor_send = actor_send,
    .actor_request = actor_send_request,
    .actor_reply = actor_reply,
    .watch = actor_watch,
    .unwatch = actor_unwatch,
    .turn = actor_turn,
    .actor_leave = actor_prepare_to_leave,
    .actor_counts = actor_counts,
    .multicast_register = multicast_register,
    .multicast_start = multicast_start,
    .multicast = multicast,
};

struct host_kernel *host_kernel(void)
{
    return &kernel;
}
