/* What the tests of control share. */
#ifndef TESTS_CONTROL_H
#define TESTS_CONTROL_H

#include "tests/system/programs/check.h"

enum { STATUS_CHILD = 7 };

static inline struct proc_info info_of(long child)
{
    struct proc_info info;
    CHECK_IS(pando_proc_info(child, &info), 0);
    return info;
}

static inline void end(long child)
{
    CHECK_IS(child_kill(child), 0);
    CHECK_IS(child_wait(child), STATUS_KILLED);
}

static inline void expect_ending(long child, int status, enum end_reason reason)
{
    long ending = child_ending(child);
    CHECK_IS(pando_end_status(ending), status);
    CHECK_IS(pando_end_reason(ending), reason);
    CHECK_IS(pando_handle_close(child), 0);
}

/* A channel by which its maker learns of the end of who was given the other end. */
struct tether {
    long own, given;
};

static inline struct tether tether_make(void)
{
    long ends = pando_channel_create(1);
    CHECK(ends > 0);
    return (struct tether){ends & 0xffffffff, ends >> 32};
}

static inline long tether_state(const struct tether *tether, long flags)
{
    struct channel_message message;
    return pando_channel_receive(tether->own, 0, 0, flags, &message);
}

/* The maker's handle to the other end is closed already. */
static inline void tether_await(const struct tether *tether)
{
    CHECK_IS(tether_state(tether, CHANNEL_WAIT), -E_CLOSED);
    CHECK_IS(pando_handle_close(tether->own), 0);
}

/* The next event of vcore 0's ring that the home writes, if there is one. */
static inline int event_take(struct event *event)
{
    struct event_ring *ring = &vcore_data_of(0)->mailbox.home;
    if (__atomic_load_n(&ring->written, __ATOMIC_ACQUIRE) == ring->taken)
        return 0;
    *event = ((const struct event *)ring->address)[ring->taken % ring->events];
    ring->taken++;
    return 1;
}

/* The same, when there is one. */
static inline struct event event_await(void)
{
    struct event event;
    while (!event_take(&event))
        raw_call(PANDO_vcore_halt, 0, 0, 0);
    return event;
}

#endif
