/* pando.h: what a native program sees of Pando beyond the C library.
 *
 * A native program is built with `musl-gcc -static`. It starts as uthread 0 of a process in _S.
 * All functions here may be called from any uthread; none from a signal handler. Errors are
 * negative values of abi/error.h.
 *
 * A uthread made with uthread_create shares its creator's FS base, hence its C-library thread
 * (errno, locks): at any time only one uthread of the process may be inside the C library. */
#ifndef PANDO_H
#define PANDO_H

#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"
#include "abi/process.h"
#include "abi/syscall.h"

struct uthread;

/* What a call has in the message page: copied there before, or from there after a success. */
struct pando_message {
    const void *in;
    uint64_t in_bytes;
    void *out;
    uint64_t out_bytes;
};

/* The runtime's functions for programs: a table at a fixed place in the runtime image. */
struct pando_table {
    uint64_t version;
    const uint64_t *first_tsc;
    int (*vcores_request)(unsigned amt_wanted);
    int (*vcore_id)(void);
    int (*uthread_create)(struct uthread **out, void *(*start)(void *), void *arg);
    int (*uthread_join)(struct uthread *uthread, void **result);
    void (*uthread_yield)(void);
    struct uthread *(*uthread_self)(void);
    long (*kernel_call)(long number, long a, long b, long c, long d);
    int (*proc_create)(int argc, char *const argv[], char *const env[], uint32_t image,
                       unsigned flags);
    long (*message_call)(long number, long a, long b, long c, long d,
                         const struct pando_message *message);
    int (*event_poll)(struct event *event);
    void (*event_wait)(struct event *event);
    int (*event_rings)(unsigned vcoreid, unsigned events);
    uint32_t (*events_posted)(void);
    void (*events_await)(uint32_t posted);
    int (*alone)(void);
};
#define PANDO_TABLE (*(const struct pando_table *)(RUNTIME_BASE + 0x40))

/* What the kernel tells this process about itself; changes as cores come and go. */
static inline const volatile struct procinfo *pando_procinfo(void)
{
    return (const volatile struct procinfo *)PROCINFO_BASE;
}

/* The time-stamp counter at the process's first user instruction. */
static inline uint64_t pando_first_tsc(void)
{
    return *PANDO_TABLE.first_tsc;
}

/* Asks for amt_wanted vcores in all (1 to procinfo.max_vcores); the first call takes the process
 * from _S to _M. Returns when all vcores that the process has now have entered: their number, at
 * least 1, and more than amt_wanted if it had more already; more may come later as cores become
 * free. A negative error: nothing was asked for. Seed two, 2.4.1 and 2.4.3.
 *
 * 0, in _M: back to _S, on the vcore that the caller is on, which keeps its id; returns 0. The
 * other vcores go when the uthreads on them block, yield or end, which this waits for; uthreads
 * that can run then have the caller's vcore when it blocks or yields. -E_NO_MEMORY: the other
 * vcores have gone all the same. Seed two, 2.4.2. */
static inline int pando_vcores_request(unsigned amt_wanted)
{
    return PANDO_TABLE.vcores_request(amt_wanted);
}

/* The calling uthread's vcore at this moment. */
static inline int pando_vcore_id(void)
{
    return PANDO_TABLE.vcore_id();
}

/* Makes a uthread that runs start(arg) on any of the process's vcores and puts its handle in *out.
 * Its stack: 64 KiB, touched on demand, with a guard page below. E_NO_MEMORY: nothing was made. */
static inline int uthread_create(struct uthread **out, void *(*start)(void *), void *arg)
{
    return PANDO_TABLE.uthread_create(out, start, arg);
}

/* Waits until the uthread has returned, puts its result in *result (unless NULL) and forgets it.
 * Each uthread is joined once, by one uthread. Returns 0, or -E_INVALID for the caller itself. */
static inline int uthread_join(struct uthread *uthread, void **result)
{
    return PANDO_TABLE.uthread_join(uthread, result);
}

/* Lets another runnable uthread have this vcore. */
static inline void uthread_yield(void)
{
    PANDO_TABLE.uthread_yield();
}

static inline struct uthread *uthread_self(void)
{
    return PANDO_TABLE.uthread_self();
}

/* A system call of abi/syscall.h, made in vcore context. Not for calls that use the message
 * page. pando_calls.h, included below, has a function for each call. */
static inline long pando_kernel_call(long number, long a, long b, long c, long d)
{
    return PANDO_TABLE.kernel_call(number, a, b, c, d);
}

/* One that does. E_INVALID, and no call is made: more than a page goes in. E_NO_MEMORY: the same, as
 * there is no pinned memory for the caller's message. Several uthreads may wait in such calls. */
static inline long pando_message_call(long number, long a, long b, long c, long d,
                                      const struct pando_message *message)
{
    return PANDO_TABLE.message_call(number, a, b, c, d, message);
}

/* Creates a process that will run the program argv[0] of the boot archive, with the environment env
 * (ended by NULL; NULL: none). image: 0, or a handle to a memory object that is the process's runtime
 * image; flags: PROC_DETACHED. Returns a handle to the process with all rights; it runs after
 * pando_kernel_call(PANDO_proc_run, handle, ...). */
static inline int pando_proc_create_with(int argc, char *const argv[], char *const env[],
                                         uint32_t image, unsigned flags)
{
    return PANDO_TABLE.proc_create(argc, argv, env, image, flags);
}

/* The same, without environment, with the system's runtime; it ends with its creator. */
static inline int pando_proc_create(int argc, char *const argv[])
{
    return pando_proc_create_with(argc, argv, NULL, 0, 0);
}

/* What proc_wait returned: the status, and why the process ended. */
static inline int pando_end_status(long ending)
{
    return (int)(ending & 0xff);
}
static inline enum end_reason pando_end_reason(long ending)
{
    return (enum end_reason)(ending >> 8 & 0xff);
}

/* Takes an event that was posted to any of the process's vcores, in the order of one of their rings
 * (docs/event.md). 1, or 0: there is none. All uthreads share the events: one that takes some for
 * others hands them on. flags EVENT_OF_BITMAP: it stands for any number of its type that did not fit
 * in a ring, and their sources are to be looked at. */
static inline int pando_event_poll(struct event *event)
{
    return PANDO_TABLE.event_poll(event);
}

/* The same, and waits until there is one; others run meanwhile. Who waits first is served first. A
 * vcore that is idle is woken for it; one that computes looks when its uthread makes a call of the
 * C library, blocks or yields. */
static inline void pando_event_wait(struct event *event)
{
    PANDO_TABLE.event_wait(event);
}

/* The size of both rings of a vcore: a power of two, EVENTS_MIN to EVENTS_MAX. Call event_rings,
 * while no uthread takes from them. */
static inline int pando_event_resize(unsigned vcoreid, unsigned events)
{
    return PANDO_TABLE.event_rings(vcoreid, events);
}

/* How many events were ever posted to the process, modulo 2^32; and a wait until they are not so many any
 * more, while other uthreads run. It takes none. So, to wait for what an event tells of and lose none: count,
 * look, wait. */
static inline uint32_t pando_events_posted(void)
{
    return PANDO_TABLE.events_posted();
}
static inline void pando_events_await(uint32_t posted)
{
    PANDO_TABLE.events_await(posted);
}

#include "pando_calls.h"

/* --- channels, for uthreads ------------------------------------------------------------------ */

/* The process watches the end; E_PERMISSION: it cannot by this handle. Returns when it may be worth while to
 * try again. */
static inline long pando_channel_await(long end, long events, uint32_t posted)
{
    long now = pando_channel_watch(end, events | CHANNEL_ON_CLOSED);
    if (now >= 0 && !(now & (events | CHANNEL_ON_CLOSED)))
        pando_events_await(posted);
    return now < 0 ? now : 0;
}

/* channel_send and channel_receive (docs/calls/) that wait, and let other uthreads run meanwhile. An end that
 * can only be written is waited for by the vcore. */
static inline long channel_send(long end, const struct channel_message *message)
{
    for (;;) {
        long flags = PANDO_TABLE.alone() ? CHANNEL_WAIT : 0;
        uint32_t posted = flags ? 0 : pando_events_posted();
        long result = pando_channel_send(end, flags, message);
        if (result != -E_FULL)
            return result;
        if (pando_channel_await(end, CHANNEL_ON_WRITABLE, posted) == -E_PERMISSION)
            return pando_channel_send(end, CHANNEL_WAIT, message);
    }
}

static inline long channel_receive(long end, uint64_t addr, uint64_t pages,
                                   struct channel_message *message)
{
    for (;;) {
        long flags = PANDO_TABLE.alone() ? CHANNEL_WAIT : 0;
        uint32_t posted = flags ? 0 : pando_events_posted();
        long result = pando_channel_receive(end, addr, pages, flags, message);
        if (result != -E_EMPTY)
            return result;
        pando_channel_await(end, CHANNEL_ON_READABLE, posted);
    }
}

#include "pando_ring.h" /* the same in shared memory, for small messages */

#endif
