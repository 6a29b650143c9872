/* What chaos and its children share. */
#ifndef TESTS_CHAOS_H
#define TESTS_CHAOS_H

#include "tests/system/programs/check.h"

#define COUNTERS 0x0000600000000000ull /* in a child: what it has done */

/* What a child has done; in a page that it shares with the first process. */
struct counters {
    uint64_t all;
    uint32_t made[CALLS_MAX], succeeded[CALLS_MAX];
};

/* A new call is in here by itself. */
static const struct call {
    const char *name, *arguments, *message;
} calls[SYSCALLS] = {
#define CALL_ENTRY(number, name, arity, arguments, message) [number] = {#name, arguments, message},
    SYSCALL_LIST(CALL_ENTRY)
#undef CALL_ENTRY
};

#endif
