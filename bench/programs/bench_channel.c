/* bench_channel WHAT: between a process and its child, which is this program too.
 * roundtrip: chan_roundtrip, a message there and back by a channel, on one core.
 * ring: ring_roundtrip, the same by a ring between two cores: what both sides' sends and receives take,
 * each by its own clock; looking in vain is left out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi/syscall.h"
#include "pando.h"
#include "pando_ring.h"

enum { ROUNDS = 101, WARM_UP = 20, CHILD_END = 1, CHILD_MEMORY = 2 };
#define WHERE 0x100000000

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

static uint64_t sample[ROUNDS];

static uint64_t median(void)
{
    qsort(sample, ROUNDS, sizeof *sample, compare);
    return sample[ROUNDS / 2];
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
    struct channel_message message = {0};
    long made = pando_channel_create(1), end = made & 0xffffffff;
    check("channel_create", made);
    long child = child_make(made >> 32, "echo");
    check("proc_run", pando_proc_run(child));
    for (int i = -WARM_UP; i < ROUNDS; i++) {
        uint64_t from = ticks();
        check("send", pando_channel_send(end, 0, &message));
        check("receive", pando_channel_receive(end, 0, 0, CHANNEL_WAIT, &message));
        if (i >= 0)
            sample[i] = ticks() - from;
    }
    uint64_t half = median();
    printf("%lu least %lu most %lu\n", half, sample[0], sample[ROUNDS - 1]);
}

/* --- the ring -------------------------------------------------------------------------------- */

static void ring_map(struct ring *ring, long object, int side, long end)
{
    struct map_request request = {
        .addr = WHERE, .bytes = RING_BYTES, .prot = PROT_R | PROT_W, .mode = OBJECT_SHARED};
    check("object_map", pando_object_map(object, 0, &request));
    ring_open(ring, (void *)WHERE, side, end);
    check("vcores_request", pando_vcores_request(1));
}

/* What reading the clock twice takes. */
static uint64_t clock_cost(void)
{
    uint64_t from = ticks();
    return ticks() - from;
}

static uint64_t timed_send(struct ring *ring, const uint64_t word[RING_WORDS])
{
    uint64_t from = ticks();
    check("ring_try_send", ring_try_send(ring, word));
    return ticks() - from - clock_cost();
}

static uint64_t timed_receive(struct ring *ring, uint64_t word[RING_WORDS])
{
    for (;;) {
        uint64_t from = ticks();
        long result = ring_try_receive(ring, word);
        uint64_t taken = ticks() - from;
        if (!result)
            return taken - clock_cost();
        __builtin_ia32_pause();
    }
}

static void ring_echo(void)
{
    struct ring ring;
    uint64_t word[RING_WORDS];
    ring_map(&ring, CHILD_MEMORY, 1, CHILD_END);
    for (int i = -WARM_UP; i < ROUNDS; i++) {
        uint64_t taken = timed_receive(&ring, word) + timed_send(&ring, word);
        if (i >= 0)
            sample[i] = taken;
    }
    word[0] = median();
    check("ring_send", ring_send(&ring, word));
}

static void ring_roundtrip(void)
{
    struct ring ring;
    uint64_t word[RING_WORDS] = {0};
    long made = pando_channel_create(1), object = pando_object_create(RING_BYTES);
    check("channel_create", made);
    check("object_create", object);
    long child = child_make(made >> 32, "ring_echo");
    if (pando_proc_give(child, object, RIGHTS_ALL) != CHILD_MEMORY)
        fail("proc_give", 0);
    check("proc_run", pando_proc_run(child));
    ring_map(&ring, object, 0, made & 0xffffffff);
    for (int i = -WARM_UP; i < ROUNDS; i++) {
        uint64_t taken = timed_send(&ring, word) + timed_receive(&ring, word);
        if (i >= 0)
            sample[i] = taken;
    }
    check("ring_receive", ring_receive(&ring, word));
    uint64_t here = median();
    printf("%lu here %lu there %lu\n", here + word[0], here, word[0]);
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*function)(void);
    } parts[] = {{"roundtrip", roundtrip},
                 {"echo", echo},
                 {"ring", ring_roundtrip},
                 {"ring_echo", ring_echo}};
    for (unsigned i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (!strcmp(argv[1], parts[i].name))
            parts[i].function();
    return 0;
}
