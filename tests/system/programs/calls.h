/* Calls made by the instruction itself, for uthreads that must not meet inside the C library. */
#ifndef TESTS_CALLS_H
#define TESTS_CALLS_H

enum { CALL_WRITE = 1, CALL_FUTEX = 202, CALL_EXIT_GROUP = 231 };

/* In uthread context a call of the C library's kind, with notif_disabled set one of
 * abi/syscall.h. Returns the result; negative: an error. */
static inline long instruction_call(long number, long a, long b, long c, long d)
{
    register long fourth __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
                     : "rcx", "r11", "memory");
    return result;
}

#endif
