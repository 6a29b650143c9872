/* Output to the console, and the one bounce buffer through which bytes reach a message page.
 *
 * A message page belongs to a vcore, so it is filled masked, from pinned memory; program memory is
 * read in uthread context, where it may fault, into the bounce buffer. Its mutex also keeps each
 * write whole. */
#ifndef RUNTIME_CONSOLE_H
#define RUNTIME_CONSOLE_H

#include <stddef.h>
#include <stdint.h>
#include "abi/layout.h"

enum { STREAM_OUTPUT = 1, STREAM_ERROR = 2 };

struct io_piece { /* as Linux's struct iovec */
    uint8_t *data;
    uint64_t bytes;
};

/* Uthread context. Writes the pieces in order, nothing of other uthreads in between. Returns the
 * number of bytes written, or a negative error when not one could be. */
int64_t console_write(int stream, const struct io_piece *pieces, size_t count);

/* Uthread context. "pando: SUBJECT: PREDICATE" and the end of line, on the error stream. */
void console_complain(const char *subject, const char *predicate);

/* Masked. Writes "pando: runtime: REASON" and ends the process with STATUS_FAULT. */
_Noreturn void console_fail(const char *reason);

/* Uthread context. Makes the kernel call with `pieces` in the message page: call(bytes, b, c, d).
 * -E_TOO_LONG if they exceed a page. */
long console_message_call(long number, const struct io_piece *pieces, size_t count, long b, long c,
                          long d);

#endif
