/* Time, from the time-stamp counter. There is no clock that knows the date yet: CLOCK_REALTIME is
 * the time since the kernel's entry point, as CLOCK_MONOTONIC is. */
#include "runtime/call.h"
#include "runtime/uthread.h"
#include "runtime/vcore.h"

enum { NS_PER_US = 1000, TIMER_ABSOLUTE = 1 };
#define NS_PER_S 1000000000ull

uint64_t time_now_ns(void)
{
    const volatile struct procinfo *info = pando_procinfo();
    uint64_t ns_per_tick_32 = (NS_PER_S << 32) / info->tsc_hz; /* 32 bits behind the point */
    uint64_t ticks = cpu_clock() - info->boot_tsc;

    return (unsigned __int128)ticks * ns_per_tick_32 >> 32;
}

/* clock_gettime(clock, to) */
int64_t answer_clock_gettime(const uint64_t *args)
{
    uint64_t ns = time_now_ns();

    *(struct linux_timespec *)args[1] = (struct linux_timespec){ns / NS_PER_S, ns % NS_PER_S};
    return 0;
}

/* clock_getres(clock, to) */
int64_t answer_clock_getres(const uint64_t *args)
{
    if (args[1])
        *(struct linux_timespec *)args[1] = (struct linux_timespec){0, 1};
    return 0;
}

/* gettimeofday(to) */
int64_t answer_gettimeofday(const uint64_t *args)
{
    uint64_t ns = time_now_ns();

    if (args[0])
        *(struct linux_timeval *)args[0] =
            (struct linux_timeval){ns / NS_PER_S, ns % NS_PER_S / NS_PER_US};
    return 0;
}

/* There are no timers yet: the sleeper looks at the clock, giving its vcore to others in between.
 */
static int64_t sleep_until(uint64_t end_ns)
{
    while (time_now_ns() < end_ns) {
        runtime_uthread_yield();
        cpu_relax();
    }
    return 0;
}

static int64_t sleep_for(const struct linux_timespec *time, bool absolute)
{
    if (time->s < 0 || time->ns < 0 || time->ns >= (int64_t)NS_PER_S)
        return -LINUX_EINVAL;
    return sleep_until(time->s * NS_PER_S + time->ns + (absolute ? 0 : time_now_ns()));
}

/* nanosleep(time, rest) */
int64_t answer_nanosleep(const uint64_t *args)
{
    return sleep_for((const struct linux_timespec *)args[0], false);
}

/* clock_nanosleep(clock, flags, time, rest) */
int64_t answer_clock_nanosleep(const uint64_t *args)
{
    return sleep_for((const struct linux_timespec *)args[2], args[1] & TIMER_ABSOLUTE);
}
