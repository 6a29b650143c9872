/* What the test programs share: a failed check says where and ends the program with status 1. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

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

#endif
