#include "runtime/call.h"
#include "runtime/uthread.h"
#include "abi/error.h"

struct call {
    call_answer *answer; /* NULL: there is no such call here */
    bool at_once;
};

static const struct call calls[LINUX_CALLS] = {
    [LINUX_READ] = {answer_read, false},
    [LINUX_PREAD64] = {answer_pread, false},
    [LINUX_READV] = {answer_readv, false},
    [LINUX_WRITE] = {answer_write, false},
    [LINUX_WRITEV] = {answer_writev, false},
    [LINUX_OPEN] = {answer_open, false},
    [LINUX_OPENAT] = {answer_openat, false},
    [LINUX_CLOSE] = {answer_close, false},
    [LINUX_LSEEK] = {answer_lseek, false},
    [LINUX_STAT] = {answer_stat, false},
    [LINUX_LSTAT] = {answer_stat, false},
    [LINUX_FSTAT] = {answer_fstat, false},
    [LINUX_NEWFSTATAT] = {answer_fstatat, false},
    [LINUX_ACCESS] = {answer_access, false},
    [LINUX_FACCESSAT] = {answer_faccessat, false},
    [LINUX_READLINK] = {answer_readlink, false},
    [LINUX_IOCTL] = {answer_ioctl, false},
    [LINUX_FCNTL] = {answer_fcntl, false},
    [LINUX_DUP] = {answer_dup, false},
    [LINUX_GETCWD] = {answer_getcwd, false},

    [LINUX_BRK] = {answer_brk, false},
    [LINUX_MMAP] = {answer_mmap, false},
    [LINUX_MUNMAP] = {answer_munmap, false},
    [LINUX_MPROTECT] = {answer_mprotect, false},
    [LINUX_MADVISE] = {answer_madvise, false},

    [LINUX_FUTEX] = {answer_futex, false},

    [LINUX_CLOCK_GETTIME] = {answer_clock_gettime, false},
    [LINUX_CLOCK_GETRES] = {answer_clock_getres, false},
    [LINUX_GETTIMEOFDAY] = {answer_gettimeofday, false},
    [LINUX_NANOSLEEP] = {answer_nanosleep, false},
    [LINUX_CLOCK_NANOSLEEP] = {answer_clock_nanosleep, false},

    [LINUX_EXIT] = {answer_exit, true},
    [LINUX_EXIT_GROUP] = {answer_exit, true},
    [LINUX_KILL] = {answer_kill, true},
    [LINUX_TKILL] = {answer_kill, true},
    [LINUX_TGKILL] = {answer_tgkill, true},
    [LINUX_SCHED_YIELD] = {answer_sched_yield, false},
    [LINUX_RT_SIGACTION] = {answer_sigaction, false},
    [LINUX_RT_SIGPROCMASK] = {answer_sigprocmask, false},
    [LINUX_SIGALTSTACK] = {answer_zero, true},
    [LINUX_SET_ROBUST_LIST] = {answer_zero, true},
    [LINUX_ARCH_PRCTL] = {answer_arch_prctl, false},
    [LINUX_GETPID] = {answer_identity, true},
    [LINUX_GETTID] = {answer_identity, true},
    [LINUX_SET_TID_ADDRESS] = {answer_identity, true},
    [LINUX_GETPPID] = {answer_zero, true},
    [LINUX_GETUID] = {answer_zero, true},
    [LINUX_GETEUID] = {answer_zero, true},
    [LINUX_GETGID] = {answer_zero, true},
    [LINUX_GETEGID] = {answer_zero, true},
    [LINUX_UNAME] = {answer_uname, false},
    [LINUX_GETRANDOM] = {answer_getrandom, false},
};

static const struct call *call_find(const struct context *context)
{
    static const struct call none;

    return context->rax < LINUX_CALLS ? &calls[context->rax] : &none;
}

static int64_t call_perform(call_answer *answer, const struct context *context)
{
    const uint64_t args[6] = {context->rdi, context->rsi, context->rdx,
                              context->r10, context->r8,  context->r9};

    return answer(args);
}

static void call_in_uthread(void *arg)
{
    struct uthread *uthread = arg;
    struct context *context = &uthread->context[LEVEL_PROGRAM];

    context->rax = call_perform(call_find(context)->answer, context);
    call_end(uthread);
}

_Noreturn void call_begin(struct uthread *uthread)
{
    struct context *context = &uthread->context[LEVEL_PROGRAM];
    const struct call *call = call_find(context);

    if (!call->answer)
        context->rax = -LINUX_ENOSYS;
    else if (call->at_once)
        context->rax = call_perform(call->answer, context);
    else if (!uthread_call_stack(uthread))
        context->rax = -LINUX_ENOMEM;
    else {
        uthread->level = LEVEL_CALL;
        context_begin((void *)uthread->call_stack_top, call_in_uthread, uthread);
    }
    uthread_resume(uthread);
}

_Noreturn void call_end(struct uthread *uthread)
{
    vcore_mask();
    uthread->level = LEVEL_PROGRAM;
    uthread->saved = SAVED_TRAP;
    context_pop(&uthread->context[LEVEL_PROGRAM]);
}

int64_t call_error(long error)
{
    static const uint8_t errnos[ERRORS] = {
        [E_NO_CALL] = LINUX_ENOSYS,   [E_INVALID] = LINUX_EINVAL, [E_ALIGN] = LINUX_EINVAL,
        [E_RANGE] = LINUX_EINVAL,     [E_EXISTS] = LINUX_EEXIST,  [E_NO_ENTRY] = LINUX_ENOENT,
        [E_NO_MEMORY] = LINUX_ENOMEM, [E_LIMIT] = LINUX_EAGAIN,   [E_PERMISSION] = LINUX_EPERM,
        [E_STATE] = LINUX_EINVAL,     [E_GONE] = LINUX_ESRCH,     [E_DAMAGED] = LINUX_EIO,
        [E_TOO_LONG] = LINUX_EINVAL,
    };

    return -error < ERRORS ? -(int64_t)errnos[-error] : -LINUX_EIO;
}
