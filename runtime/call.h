/* Calls: the Linux system calls of the program, reflected by the kernel, and their answers.
 *
 * An answer is a function of the call's six arguments that returns what the program finds in rax:
 * a result, or a negative errno. It runs in uthread context on the uthread's call stack, where it
 * may fault, block and yield; the program's pointers are used as they come, and a bad one is a
 * fault of the program. Answers marked `at_once` run in vcore context instead: they only move
 * registers and pinned words. */
#ifndef RUNTIME_CALL_H
#define RUNTIME_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include "runtime/linux.h"

struct uthread;

typedef int64_t call_answer(const uint64_t *args);

/* Vcore context: the uthread has stopped at level 0 for a system call. */
_Noreturn void call_begin(struct uthread *uthread);

/* Uthread context, level 1: the uthread goes on with context[0], a whole context. */
_Noreturn void call_end(struct uthread *uthread);

/* The errno, negated, for a negative error of abi/error.h. */
int64_t call_error(long error);

/* The answers: call_file.c, call_memory.c, call_futex.c, call_time.c, call_process.c. */
call_answer answer_read, answer_pread, answer_readv, answer_write, answer_writev, answer_open,
    answer_openat, answer_close, answer_lseek, answer_stat, answer_fstat, answer_fstatat,
    answer_access, answer_faccessat, answer_readlink, answer_ioctl, answer_fcntl, answer_dup,
    answer_getcwd;
call_answer answer_brk, answer_mmap, answer_munmap, answer_mprotect, answer_madvise;
call_answer answer_futex;
call_answer answer_clock_gettime, answer_clock_getres, answer_gettimeofday, answer_nanosleep,
    answer_clock_nanosleep;
call_answer answer_zero, answer_identity, answer_exit, answer_kill, answer_tgkill,
    answer_sched_yield, answer_sigaction, answer_sigprocmask, answer_arch_prctl, answer_uname,
    answer_getrandom;

/* Nanoseconds since the kernel's entry point. Any context. */
uint64_t time_now_ns(void);

/* Random bytes: the processor's, or else of a generator seeded with the time-stamp counter, which
 * is not fit for secrets. Uthread context. */
void random_fill(void *to, uint64_t bytes);

/* Once, before the program starts: where its heap begins. */
void call_memory_init(uint64_t heap_start);

#endif
