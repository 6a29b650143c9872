/* The core allocator, an actor on core 0: decides which process has which cores. docs/cores.md.
 *
 * ALLOC_WANT    home to allocator   word: home's address, pid, cores wanted in all (0: forget me);
 *                                     word[3]: enum want_kind
 * ALLOC_GRANT   allocator to home   word: pid, a set of cores (word[1..4], a bit a core), what it
 * answers:
 *                                     each want is answered by one grant, of what is idle now;
 *                                     more may follow as cores are returned
 * ALLOC_RETURN  home to allocator   word: pid, core, cores wanted in all from now on */
#ifndef KERNEL_CORES_H
#define KERNEL_CORES_H

#include <stdint.h>
#include "kernel/shared/shared.h"
#include "kernel/message.h"

#define CORE_SET_WORDS 4

enum grant_answers {
    GRANT_LATER,   /* nothing: cores have become idle */
    GRANT_ANSWER,  /* the home's oldest unanswered want */
    GRANT_REFUSAL, /* the same: out of memory, the want is not kept */
};
enum want_kind {
    WANT_ANSWERED, /* by one grant */
    WANT_QUIET,    /* not answered */
    WANT_KEPT,     /* not answered, and the claim stays, so that the next want is not refused */
};
enum { WANT_KIND_WORD = 3, GRANT_KIND_WORD = 5 };

static inline int core_set_has(const uint64_t *set, unsigned core)
{
    return set[core / 64] >> core % 64 & 1;
}
/* The lowest core of the set from this one on; CORES_MAX: there is none. */
static inline unsigned core_set_next(const uint64_t *set, unsigned core)
{
    for (unsigned word = core / 64; word < CORE_SET_WORDS; word++, core = word * 64) {
        uint64_t left = set[word] >> core % 64;
        if (left)
            return core + (unsigned)__builtin_ctzll(left);
    }
    return CORES_MAX;
}

/* Makes the actor on this core. granted: the set of cores that may be granted. */
void allocator_start(const uint64_t *granted);

#endif
