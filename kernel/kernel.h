/* What every file of the kernel may use: who we are, how to say something, how to stop. */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stddef.h>
#include <stdint.h>

extern unsigned this_core; /* this kernel's core; set when it is forked */

/* The kernel's event loop, from the top of the stack: handles messages, enters user mode, halts.
 * Called at the end of any entry that does not return straight to where it came from. */
_Noreturn void kernel_loop(void);

/* A line to the log. From core 0 it is written at once; from others it goes to the log actor by
 * messages. Formats: %s %c %d %u %x %lx %ld %lu %p %%, with width and zero flag. At most 200
 * bytes. */
void log_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* An invariant is broken: stops the machine with a symbolised backtrace. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
struct context;
/* The same for a trap: the backtrace is that of the interrupted context. */
_Noreturn void panic_at(const struct context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define ASSERT(condition)                                                         \
    do {                                                                          \
        if (__builtin_expect(!(condition), 0))                                    \
            panic("%s:%d: broken invariant: %s", __FILE__, __LINE__, #condition); \
    } while (0)

/* The orderly ends of the machine. */
_Noreturn void machine_exit(int status);           /* no process is left; the first one's status */
_Noreturn void machine_stop(const char *sentence); /* cannot start or go on, and why */

#endif
