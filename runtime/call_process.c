/* What a program asks about itself, and its end. There are no signals yet: handlers and masks are
 * accepted and nothing is ever delivered, but for the signals that a program ends itself with. */
#include "runtime/call.h"
#include "runtime/uthread.h"
#include "runtime/vcore.h"
#include "lib/string.h"

enum { ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003 };
enum {
    STATUS_SIGNAL = 128,
    SIGNALS = 64,
    SIGNAL_CHILD = 17,
    SIGNAL_WINDOW = 28,
    SIGNAL_URGENT = 23
};
enum { SIGACTION_BYTES = 32 };

int64_t answer_zero(const uint64_t *args)
{
    (void)args;
    return 0;
}

/* getpid, gettid, set_tid_address: uthreads share one thread of the C library. */
int64_t answer_identity(const uint64_t *args)
{
    (void)args;
    return pando_procinfo()->pid;
}

/* exit(status), exit_group(status) */
int64_t answer_exit(const uint64_t *args)
{
    return system_call(PANDO_exit, args[0] & 0xff, 0, 0, 0);
}

static int64_t signal_self(uint64_t target, uint64_t number)
{
    uint64_t status = STATUS_SIGNAL + number;

    if (target != pando_procinfo()->pid)
        return -LINUX_ESRCH;
    if (number > SIGNALS)
        return -LINUX_EINVAL;
    if (number == 0 || number == SIGNAL_CHILD || number == SIGNAL_WINDOW || number == SIGNAL_URGENT)
        return 0;
    return answer_exit(&status);
}

/* kill(pid, number), tkill(tid, number) */
int64_t answer_kill(const uint64_t *args)
{
    return signal_self(args[0], args[1]);
}

/* tgkill(pid, tid, number) */
int64_t answer_tgkill(const uint64_t *args)
{
    return signal_self(args[1], args[2]);
}

int64_t answer_sched_yield(const uint64_t *args)
{
    (void)args;
    runtime_uthread_yield();
    return 0;
}

/* rt_sigaction(number, new, old) */
int64_t answer_sigaction(const uint64_t *args)
{
    if (args[2])
        memset((void *)args[2], 0, SIGACTION_BYTES);
    return 0;
}

/* rt_sigprocmask(how, new, old, bytes) */
int64_t answer_sigprocmask(const uint64_t *args)
{
    if (args[2])
        memset((void *)args[2], 0, args[3] <= sizeof(uint64_t) ? args[3] : sizeof(uint64_t));
    return 0;
}

/* arch_prctl(code, address): FS base is set when the program's context is resumed. */
int64_t answer_arch_prctl(const uint64_t *args)
{
    struct context *context = &user_current()->context[LEVEL_PROGRAM];

    if (args[0] == ARCH_GET_FS)
        *(uint64_t *)args[1] = context->fs_base;
    else if (args[0] == ARCH_SET_FS && args[1] < USER_TOP)
        context->fs_base = args[1];
    else
        return -LINUX_EINVAL;
    return 0;
}

/* uname(to). The system's name is that of the calls it answers. */
int64_t answer_uname(const uint64_t *args)
{
    static const struct linux_utsname name = {
        .system = "Linux",
        .node = "pando",
        .release = "6.1.0-pando",
        .version = "Pando",
        .machine = "x86_64",
        .domain = "(none)",
    };

    memcpy((void *)args[0], &name, sizeof name);
    return 0;
}

/* One step of xorshift64*, for processors without a generator of their own. */
static uint64_t random_weak(void)
{
    static uint64_t state;
    uint64_t x = __atomic_load_n(&state, __ATOMIC_RELAXED);

    x += cpu_clock() | 1;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    __atomic_store_n(&state, x, __ATOMIC_RELAXED);
    return x * 0x2545f4914f6cdd1d;
}

void random_fill(void *to, uint64_t bytes)
{
    for (uint64_t done = 0; done < bytes; done += sizeof(uint64_t)) {
        uint64_t word;
        uint64_t part = bytes - done < sizeof word ? bytes - done : sizeof word;
        if (!cpu_random(&word))
            word = random_weak();
        memcpy((uint8_t *)to + done, &word, part);
    }
}

/* getrandom(to, bytes) */
int64_t answer_getrandom(const uint64_t *args)
{
    random_fill((void *)args[0], args[1]);
    return args[1];
}
