/* On the host: a channel's round trip over that of a bare cache line, which is the physical limit.
 *
 * Two pinned threads. A channel's round trip is all that two kernels in their loops do for a
 * message there and one back: credit, seven words and header, fence and look at the doorbell, poll,
 * acknowledgement. Bare: one word in a line of its own each way. Prints the ratio of the medians of
 * 21 interleaved pairs of samples, of at least 50 ms each. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "kernel/shared/doorbell.h"
#include "kernel/shared/ring.h"

enum { PAIRS = 21, SAMPLE_NS = 50 * 1000 * 1000, BATCH = 1000 };

struct line {
    uint64_t word __attribute__((aligned(128)));
};

/* What a kernel keeps private, in lines of its own. */
struct side {
    struct ring_end end __attribute__((aligned(128)));
};

#define STOP UINT64_MAX

static struct line lines[2];
static struct ring rings[2] __attribute__((aligned(4096)));
static struct doorbell bells[2];
static struct side sides[2];

static void pin(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        perror("channel_host: sched_setaffinity");
        exit(1);
    }
}

/* The first two processors that this process may use. Returns how many there are, at most 2. */
static unsigned processors(unsigned cpu[2])
{
    cpu_set_t set;
    unsigned count = 0;
    if (sched_getaffinity(0, sizeof(set), &set) != 0)
        return 0;
    for (unsigned i = 0; i < CPU_SETSIZE && count < 2; i++)
        if (CPU_ISSET(i, &set))
            cpu[count++] = i;
    return count;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

/* --- bare ----------------------------------------------------------------------------------------
 */

static void line_send(unsigned side, uint64_t value)
{
    __atomic_store_n(&lines[side].word, value, __ATOMIC_RELEASE);
}

static uint64_t line_wait(unsigned side, uint64_t old)
{
    uint64_t value;
    while ((value = __atomic_load_n(&lines[!side].word, __ATOMIC_ACQUIRE)) == old)
        ;
    return value;
}

static void line_echo(void)
{
    for (uint64_t value = 0; value != STOP;) {
        value = line_wait(1, value);
        line_send(1, value);
    }
    while (__atomic_load_n(&lines[0].word, __ATOMIC_ACQUIRE) != 0)
        ;
    line_send(1, 0);
}

static void line_trips(uint64_t *count)
{
    for (unsigned i = 0; i < BATCH; i++) {
        line_send(0, ++*count);
        line_wait(0, *count - 1);
    }
}

static void line_stop(uint64_t count)
{
    line_send(0, STOP);
    line_wait(0, count);
    line_send(0, 0);
    line_wait(0, STOP);
}

/* --- channel -------------------------------------------------------------------------------------
 */

static void channel_bell(unsigned side)
{
    if (doorbell_needed(&bells[!side]))
        abort(); /* nobody leaves its loop here */
}

static void channel_send(unsigned side, const struct message *m)
{
    struct ring_end *end = &sides[side].end;
    if (!ring_has_credit(end))
        abort();
    ring_publish(end, m, m->head);
    channel_bell(side);
}

static uint64_t channel_wait(unsigned side)
{
    struct ring_end *end = &sides[side].end;
    const struct message *m;
    while (!(m = ring_next(end)))
        ;
    uint64_t value = m->word[0];
    if (!ring_take(end, m))
        abort();
    if (ring_owe_ack(end)) {
        ring_publish_ack(end);
        channel_bell(side);
    }
    return value;
}

static void channel_echo(void)
{
    for (uint64_t value = 0; value != STOP;) {
        value = channel_wait(1);
        struct message m = {.word = {value, 1, 2, 3, 4, 5, 6},
                            .head = message_head(MESSAGE_PROBE_REPLY)};
        channel_send(1, &m);
    }
}

static void channel_trips(uint64_t *count)
{
    for (unsigned i = 0; i < BATCH; i++) {
        struct message m = {.word = {++*count, 1, 2, 3, 4, 5, 6},
                            .head = message_head(MESSAGE_PROBE)};
        channel_send(0, &m);
        if (channel_wait(0) != *count)
            abort();
    }
}

static void channel_stop(uint64_t count)
{
    struct message m = {.word = {STOP}, .head = message_head(MESSAGE_PROBE)};
    channel_send(0, &m);
    channel_wait(0);
}

/* --- samples -------------------------------------------------------------------------------------
 */

static void *echo(void *cpu)
{
    pin(*(unsigned *)cpu);
    for (unsigned pair = 0; pair < PAIRS; pair++) {
        line_echo();
        channel_echo();
    }
    return NULL;
}

/* Nanoseconds a round trip. */
static double sample(void (*trips)(uint64_t *count), void (*stop)(uint64_t count))
{
    uint64_t count = 0, start = now_ns(), end;
    do {
        trips(&count);
        end = now_ns();
    } while (end - start < SAMPLE_NS);
    stop(count);
    return (double)(end - start) / count;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *samples)
{
    qsort(samples, PAIRS, sizeof(*samples), compare);
    return samples[PAIRS / 2];
}

int main(int argc, char **argv)
{
    static double bare[PAIRS], channel[PAIRS];
    unsigned cpu[2];
    pthread_t thread;
    if (processors(cpu) < 2) {
        printf("channel_host_ratio skipped\n");
        return 0;
    }
    pin(cpu[0]);
    ring_open(&sides[0].end, &rings[0], &rings[1]);
    ring_open(&sides[1].end, &rings[1], &rings[0]);
    if (pthread_create(&thread, NULL, echo, &cpu[1]) != 0)
        return 1;
    for (unsigned pair = 0; pair < PAIRS; pair++) {
        bare[pair] = sample(line_trips, line_stop);
        channel[pair] = sample(channel_trips, channel_stop);
    }
    pthread_join(thread, NULL);
    double ratio = median(channel) / median(bare);
    if (argc > 1 && strcmp(argv[1], "-v") == 0)
        fprintf(stderr, "channel %.1f ns (%.1f to %.1f), bare line %.1f ns (%.1f to %.1f)\n",
                median(channel), channel[0], channel[PAIRS - 1], median(bare), bare[0],
                bare[PAIRS - 1]);
    printf("channel_host_ratio %.3f x\n", ratio);
    return 0;
}
