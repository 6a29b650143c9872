/* The core allocator, an actor on core 0: decides which process has which cores. docs/process.md.
 *
 * ALLOC_WANT    home to allocator   word: home's address, pid, cores wanted in all (0: forget me);
 *                                     word[3] set: fewer than before, no answer is wanted
 * ALLOC_GRANT   allocator to home   word: pid, a set of cores (word[1..4], a bit a core), what it
 * answers:
 *                                     each want is answered by one grant, of what is idle now;
 *                                     more may follow as cores are returned
 * ALLOC_RETURN  home to allocator   word: pid, core, cores wanted in all from now on */
#ifndef KERNEL_CORES_H
#define KERNEL_CORES_H

#include <stdint.h>
#include "kernel/message.h"

#define CORE_SET_WORDS 4

enum grant_answers {
    GRANT_LATER,   /* nothing: cores have become idle */
    GRANT_ANSWER,  /* the home's oldest unanswered want */
    GRANT_REFUSAL, /* the same: out of memory, the want is not kept */
};
enum { WANT_QUIET_WORD = 3, GRANT_KIND_WORD = 5 };

static inline int core_set_has(const uint64_t *set, unsigned core)
{
    return set[core / 64] >> core % 64 & 1;
}

/* Makes the actor on this core. up: the set of cores that run a kernel; core 0 is granted only when
 * it is alone. */
void allocator_start(const uint64_t *up);

#endif
