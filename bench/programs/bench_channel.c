/* bench_channel WHAT: between a process and its child, of which each half is this program.
 * roundtrip: chan_roundtrip, a message there and back by a channel, on one core. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi/syscall.h"
#include "pando.h"

enum { ROUNDS = 101, CHILD_END = 1 };

static void fail(const char *what, long error)
{
    fprintf(stderr, "%s: error %ld\n", what, error);
    exit(1);
}

static void check(const char *what, long result)
{
    if (result < 0)
        fail(what, result);
}

static uint64_t ticks(void)
{
    return __builtin_ia32_rdtsc();
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static void show(uint64_t *sample)
{
    qsort(sample, ROUNDS, sizeof *sample, compare);
    printf("%lu least %lu most %lu\n", sample[ROUNDS / 2], sample[0], sample[ROUNDS - 1]);
}

/* A child with the other end as its handle CHILD_END: this program with the word `role`. */
static long child_make(long end, const char *role)
{
    char *words[] = {"bench_channel", (char *)role};
    long child = pando_proc_create(2, words);
    check("proc_create", child);
    long number = pando_proc_give(child, end, RIGHTS_ALL);
    if (number != CHILD_END)
        fail("proc_give", number);
    check("handle_close", pando_handle_close(end));
    return child;
}

static void echo(void)
{
    struct channel_message message;
    while (pando_channel_receive(CHILD_END, 0, 0, CHANNEL_WAIT, &message) == 0)
        check("echo", pando_channel_send(CHILD_END, 0, &message));
}

static void roundtrip(void)
{
    static uint64_t sample[ROUNDS];
    struct channel_message message = {0};
    long made = pando_channel_create(1), end = made & 0xffffffff;
    check("channel_create", made);
    long child = child_make(made >> 32, "echo");
    check("proc_run", pando_proc_run(child));
    for (int i = -3; i < ROUNDS; i++) { /* the first ones warm up */
        uint64_t from = ticks();
        check("send", pando_channel_send(end, 0, &message));
        check("receive", pando_channel_receive(end, 0, 0, CHANNEL_WAIT, &message));
        if (i >= 0)
            sample[i] = ticks() - from;
    }
    show(sample);
}

int main(int argc, char *argv[])
{
    if (!strcmp(argv[1], "echo"))
        echo();
    else
        roundtrip();
    return 0;
}
