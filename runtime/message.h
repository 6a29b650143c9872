/* System calls that use the message page, for uthreads.
 *
 * The page is the vcore's, so only masked code may touch it; and masked code touches pinned memory
 * alone. So the caller's bytes, which may lie on pages that are not there, pass through a pinned page
 * of the uthread's own: program memory to own page (may fault), mask, own page to message page, call,
 * message page to own page, unmask, own page to program memory (may fault). A uthread makes one call
 * at a time, so its page needs no lock, and other uthreads go on while it waits in the kernel. */
#ifndef RUNTIME_MESSAGE_H
#define RUNTIME_MESSAGE_H

#include "pando.h"

/* For programs, through the table: pando_message_call of pando.h. Uthread context. */
long runtime_message_call(long number, long a, long b, long c, long d,
                          const struct pando_message *message);

#endif
