/* What the test programs share: a failed check says where and ends the program with status 1. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi/syscall.h"
#include "pando.h"

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

#define CHECK_IS(value, wanted)                                                                \
    do {                                                                                       \
        long value_ = (long)(value), wanted_ = (long)(wanted);                                 \
        if (value_ != wanted_) {                                                               \
            fprintf(stderr, "%s:%d: %s is %ld, not %ld\n", __FILE__, __LINE__, #value, value_, \
                    wanted_);                                                                  \
            exit(1);                                                                           \
        }                                                                                      \
    } while (0)

static inline long number_of(const char *text)
{
    return strtol(text, NULL, 0);
}

/* The same numbers for the same seed: xorshift. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline struct vcore_data *vcore_data_of(unsigned vcoreid)
{
    return (struct vcore_data *)(PROCDATA_BASE + (1ull + vcoreid) * VCORE_STRIDE);
}

/* A system call without the runtime, which would look at notif_pending afterwards. */
static inline long raw_call(long number, long a, long b, long c)
{
    long result;
    __asm__ volatile("movb $1, %%gs:0\n\t" /* notif_disabled */
                     "syscall\n\t"
                     "movb $0, %%gs:0"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c)
                     : "rcx", "r11", "memory");
    return result;
}

static inline uint64_t clock_ticks(void)
{
    return __builtin_ia32_rdtsc();
}

/* Computes for so many turns. */
static inline void compute(unsigned long turns)
{
    for (volatile unsigned long turn = 0; turn < turns; turn++)
        ;
}

/* --- children --------------------------------------------------------------------------------- */

enum { CHILD_WORDS_MAX = 8 };

static inline int child_make(const char *word, va_list list)
{
    char *words[CHILD_WORDS_MAX];
    int count = 0;
    for (; word; word = va_arg(list, const char *))
        words[count++] = (char *)word;
    return pando_proc_create(count, words);
}

/* Creates a process from its words, up to NULL: a handle, or an error. */
static inline int child_try(const char *word, ...)
{
    va_list list;
    va_start(list, word);
    int child = child_make(word, list);
    va_end(list);
    return child;
}

static inline long child_run(long child)
{
    return pando_kernel_call(PANDO_proc_run, child, 0, 0, 0);
}

static inline long child_kill(long child)
{
    return pando_kernel_call(PANDO_proc_kill, child, 0, 0, 0);
}

/* Its status, and why it ended, as proc_wait gives them. */
static inline long child_ending(long child)
{
    return pando_kernel_call(PANDO_proc_wait, child, 0, 0, 0);
}

/* Waits for its end, and closes the handle: its status, or an error, and the handle stays. */
static inline long child_wait(long child)
{
    long ending = child_ending(child);
    if (ending < 0)
        return ending;
    CHECK_IS(pando_kernel_call(PANDO_handle_close, child, 0, 0, 0), 0);
    return pando_end_status(ending);
}

/* Creates a process and runs it. */
static inline int child_start(const char *word, ...)
{
    va_list list;
    va_start(list, word);
    int child = child_make(word, list);
    va_end(list);
    CHECK(child > 0);
    CHECK_IS(child_run(child), 0);
    return child;
}

#endif
