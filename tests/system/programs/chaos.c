/* chaos CALLS SEED [ALIVE]: runs ALIVE processes of chaos_child at a time and kills them in whatever
 * they do, until they have made CALLS system calls; then says "processes N", "NAME MADE SUCCEEDED" for
 * each call, "calls N", "ok". */
#include <time.h>
#include "tests/system/programs/chaos.h"

#define OVERVIEW 0x0000610000000000ull /* the counters of all children */
enum { ALIVE_MAX = 64, ALIVE_USUAL = 24, WORD_BYTES = 24 };
enum { CHILD_FRAMES = 3000, CHILD_PINNED = 200, CALLS_FEW = 200, CALLS_MANY = 1500 };

#define PATIENCE_MIN_NS 100000000ull
#define PATIENCE_MAX_NS 3200000000ull

static uint64_t seed; /* of the generator */

static struct child {
    long process; /* handle; 0: none */
    uint64_t quota, seen;
    uint64_t since_ns; /* when it was last seen to do something */
} children[ALIVE_MAX];

static long overview; /* the object */
static uint64_t patience_ns = PATIENCE_MIN_NS;
static long processes, refused;
static uint64_t done; /* calls of children that are gone */
static uint64_t made[CALLS_MAX], succeeded[CALLS_MAX];

static unsigned below(unsigned limit)
{
    return random_next(&seed) % limit;
}

static uint64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000ull + time.tv_nsec;
}

static struct counters *counters_of(unsigned slot)
{
    return (struct counters *)(OVERVIEW + slot * PAGE_BYTES);
}

static void map_counters(long process, uint64_t addr, uint64_t offset, uint64_t bytes)
{
    struct map_request request = {
        .addr = addr, .offset = offset, .bytes = bytes, .prot = PROT_R | PROT_W};
    CHECK_IS(pando_object_map(overview, process, &request), 0);
}

/* Bounded as a parent would bound it, but for one in eight. Refusals do not matter. */
static void set_up(long process, unsigned slot)
{
    static long end; /* of a channel whose other end the child before has */
    long next = pando_channel_create(1 + below(8));
    map_counters(process, COUNTERS, slot * PAGE_BYTES, PAGE_BYTES);
    if (below(8))
        pando_proc_limit(process, CHILD_FRAMES, CHILD_PINNED);
    if (end > 0) {
        pando_proc_give(process, end, RIGHTS_ALL);
        pando_handle_close(end);
    }
    end = next > 0 ? next >> 32 : 0;
    if (next > 0) {
        pando_proc_give(process, next & 0xffffffff, RIGHTS_ALL);
        pando_handle_close(next & 0xffffffff);
    }
    if (processes % 64 == 63 && end > 0) { /* this one's has no reader */
        pando_handle_close(end);
        end = 0;
    }
}

static void start(unsigned slot)
{
    char number[WORD_BYTES];
    char *words[] = {"chaos_child", number, "0", "counted"};
    snprintf(number, sizeof number, "%lu", random_next(&seed) >> 1);
    long process = pando_proc_create(4, words);
    if (process <= 0) {
        CHECK(process == -E_NO_MEMORY || process == -E_LIMIT);
        refused++;
        return;
    }
    set_up(process, slot);
    CHECK_IS(pando_proc_run(process), 0);
    children[slot] = (struct child){.process = process,
                                    .quota = 1 + below(below(2) ? CALLS_FEW : CALLS_MANY),
                                    .since_ns = now_ns()};
    processes++;
}

/* Who did nothing was given too little time, or had no memory to begin with. */
static void adapt_patience(uint64_t made_by_one)
{
    if (made_by_one == 0 && patience_ns < PATIENCE_MAX_NS)
        patience_ns *= 2;
    else if (made_by_one && patience_ns > PATIENCE_MIN_NS)
        patience_ns /= 2;
}

static void end(unsigned slot)
{
    struct counters *counted = counters_of(slot);
    long process = children[slot].process;
    CHECK_IS(pando_proc_kill(process, below(2) ? PROC_ABORT : 0), 0);
    CHECK(pando_proc_wait(process) >= 0);
    CHECK_IS(pando_handle_close(process), 0);
    adapt_patience(counted->all);
    done += counted->all;
    for (unsigned number = 0; number < SYSCALLS; number++) {
        made[number] += counted->made[number];
        succeeded[number] += counted->succeeded[number];
    }
    memset(counted, 0, sizeof *counted);
    children[slot].process = 0;
}

/* Whether the child has done its part, or has not gone on for long: it waits, or has ended. */
static int is_due(struct child *child, const struct counters *counted, uint64_t now)
{
    uint64_t all = *(const volatile uint64_t *)&counted->all;
    if (all != child->seen) {
        child->seen = all;
        child->since_ns = now;
    }
    return all >= child->quota || now - child->since_ns > patience_ns;
}

static uint64_t look(unsigned alive)
{
    uint64_t sum = 0;
    for (unsigned slot = 0; slot < alive; slot++) {
        struct child *child = &children[slot];
        if (!child->process)
            start(slot);
        else if (is_due(child, counters_of(slot), now_ns()))
            end(slot);
        else
            sum += child->seen;
    }
    return done + sum;
}

static void report(void)
{
    printf("processes %ld\n", processes);
    for (unsigned number = 0; number < SYSCALLS; number++)
        printf("%s %lu %lu\n", calls[number].name, made[number], succeeded[number]);
    printf("calls %lu\nok\n", done);
}

static void conduct(uint64_t total, unsigned alive)
{
    overview = pando_object_create(alive * PAGE_BYTES);
    CHECK(overview > 0);
    map_counters(0, OVERVIEW, 0, alive * PAGE_BYTES);
    for (unsigned slot = 0; slot < alive; slot++)
        counters_of(slot)->all = 0;
    while (look(alive) < total)
        raw_call(PANDO_vcore_yield, 0, 0, 0);
    for (unsigned slot = 0; slot < alive; slot++)
        if (children[slot].process)
            end(slot);
    report();
}

int main(int argc, char *argv[])
{
    seed = number_of(argv[2]) * 0x9e3779b97f4a7c15 + 1;
    long alive = argc > 3 ? number_of(argv[3]) : ALIVE_USUAL;
    CHECK(alive > 0 && alive <= ALIVE_MAX);
    conduct(number_of(argv[1]), alive);
    return 0;
}
