/* Words of procdata, which a kernel and a running process read and write at the same time.
 * docs/vcore.md.
 *
 * Besides them more than one core changes only what is SHARED, inboxes, rings and the frame table.
 * The kernel reads a word once, into a variable of its own, and checks that; the compiler must not
 * read it again. Flags and published counts are set and taken in one total order with the process's own
 * accesses, so that of a setter and a vcore about to halt one always sees the other. */
#ifndef KERNEL_SHARED_USER_WORD_H
#define KERNEL_SHARED_USER_WORD_H

#include <stdint.h>

static inline uint64_t user_word_read(const uint64_t *word)
{
    return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void user_word_write(uint64_t *word, uint64_t value)
{
    __atomic_store_n(word, value, __ATOMIC_RELAXED);
}

/* A count that the process keeps: what it read before it stored that was read. */
static inline uint32_t user_count_read(const uint32_t *count)
{
    return __atomic_load_n(count, __ATOMIC_ACQUIRE);
}

/* A count that the kernel keeps: what it stands for is there before. In one order with the flags
 * below: who publishes and then finds a vcore not idle was seen by that vcore's last look. */
static inline void user_count_publish(uint32_t *count, uint32_t value)
{
    __atomic_store_n(count, value, __ATOMIC_SEQ_CST);
}

/* One more, of a count that only this kernel changes. */
static inline void user_count_up(uint32_t *count)
{
    __atomic_store_n(count, __atomic_load_n(count, __ATOMIC_RELAXED) + 1, __ATOMIC_RELAXED);
}

/* Bits that several kernels set and the process takes. */
static inline void user_bits_set(uint64_t *word, uint64_t bits)
{
    __atomic_fetch_or(word, bits, __ATOMIC_SEQ_CST);
}

static inline uint8_t user_flag_read(const uint8_t *flag)
{
    return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
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

static inline void user_flag_clear(uint8_t *flag)
{
    __atomic_store_n(flag, 0, __ATOMIC_RELAXED);
}

#endif
