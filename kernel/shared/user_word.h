/* Words of procdata, which a kernel and a running process read and write at the same time.
 * docs/vcore.md.
 *
 * Besides them more than one core changes only what is SHARED, inboxes, rings and the frame table.
 * The kernel reads a word once, into a variable of its own, and checks that; the compiler must not
 * read it again. The flag notif_pending is set and taken in one total order with the process's own
 * accesses, so that of a setter and a vcore about to halt one always sees the other. */
#ifndef KERNEL_SHARED_USER_WORD_H
#define KERNEL_SHARED_USER_WORD_H

#include <stdint.h>

static inline uint64_t user_word_read(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void user_flag_set(uint8_t *flag)
{
    __atomic_store_n(flag, 1, __ATOMIC_SEQ_CST);
}

/* Clears the flag; returns what it was. */
static inline uint8_t user_flag_take(uint8_t *flag)
{
    return __atomic_exchange_n(flag, 0, __ATOMIC_SEQ_CST);
}

#endif
