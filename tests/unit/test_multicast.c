// sources: tests/unit/host_world.c
// kernel: kernel/backlog.c kernel/shared/channel.c kernel/actor.c kernel/multicast.c tests/unit/host_kernel.c
/* Multicasts: everybody meant performs, nobody else does, and `done` comes after the last. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/error.h"
#include "tests/unit/host_world.h"

enum { PIECES = MULTICAST_FANOUT > 4 ? MULTICAST_FANOUT : 4 }; /* that an origin makes, at most */
enum { KERNELS = WORLD_KERNELS, ROUNDS = 40, NOBODY = ~0u };

static const char *shared_object;
static uint64_t seed;

/* A multicast and what a test awaits of it. word[0] of the operation is its place in `trials`. */
struct trial {
    struct multicast m;
    unsigned origin, done;
    unsigned performed[KERNELS];
};
static struct trial trials[KERNELS];

static unsigned random_below(unsigned bound)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % bound);
}

static void perform(const uint64_t word[MULTICAST_WORDS])
{
    struct trial *trial = &trials[word[0]];
    assert_int_equal(word[1], ~word[0]);
    assert_int_equal(word[2], word[0] * 3);
    assert_true(core_set_has(trial->m.set, world.running));
    assert_false(trial->done);
    trial->performed[world.running]++;
}

static int all_performed(const struct trial *trial)
{
    for (unsigned core = 0; core < KERNELS; core++)
        if (trial->performed[core] != (unsigned)core_set_has(trial->m.set, core))
            return 0;
    return 1;
}

static void done(struct multicast *m)
{
    struct trial *trial = m->owner;
    assert_int_equal(world.running, trial->origin);
    assert_true(all_performed(trial));
    trial->done++;
}

static void set_add(struct trial *trial, unsigned core)
{
    trial->m.set[core / 64] |= 1ull << core % 64;
}

static struct trial *trial_make(unsigned index, unsigned origin)
{
    struct trial *trial = &trials[index];
    *trial = (struct trial){.origin = origin};
    trial->m = (struct multicast){.operation = MULTICAST_PROBE,
                                  .word = {index, ~(uint64_t)index, index * 3ull},
                                  .done = done,
                                  .owner = trial};
    return trial;
}

static void trial_fill(struct trial *trial, unsigned kernels, unsigned size)
{
    while (size) {
        unsigned core = random_below(kernels);
        if (!core_set_has(trial->m.set, core)) {
            set_add(trial, core);
            size--;
        }
    }
}

static void begin(struct trial *trial)
{
    if (on(trial->origin)->multicast(&trial->m)) {
        assert_true(all_performed(trial));
        trial->done++;
    }
}

/* Turns until nothing moves any more, but for the kernel that is held. */
static void drain(unsigned kernels, unsigned held)
{
    for (unsigned idle = 0, core = 0; idle < kernels; core = (core + 1) % kernels)
        idle = core != held && on(core)->turn() ? 0 : idle + 1;
}

static void turns_at_random(unsigned kernels, unsigned count)
{
    while (count--)
        on(random_below(kernels))->turn();
}

/* The origin has spoken with everybody: what multicast() asks for. */
static void acquaint(unsigned kernels, unsigned origin)
{
    for (unsigned core = 0; core < kernels; core++) {
        struct message m = {.head = message_head(MESSAGE_PROBE)};
        if (core != origin)
            assert_int_equal(on(origin)->actor_send(on(origin)->well_known(core, 15), &m), 0);
    }
    drain(kernels, NOBODY);
}

static void make(unsigned kernels)
{
    world_make(shared_object, kernels);
    seed = 88172645463325252ull;
    for (unsigned core = 0; core < kernels; core++) {
        on(core)->multicast_register(MULTICAST_PROBE, perform);
        on(core)->multicast_start();
    }
}

static int end(void **state)
{
    world_end();
    return 0;
}

static uint64_t handled(unsigned core)
{
    return on(core)->class_messages(on(core)->class_find("multicast"));
}

/* Every set of five kernels, from each as origin. */
static void test_every_set(void **state)
{
    make(5);
    for (unsigned origin = 0; origin < 5; origin++) {
        acquaint(5, origin);
        for (unsigned set = 0; set < 1u << 5; set++) {
            struct trial *trial = trial_make(0, origin);
            trial->m.set[0] = set;
            begin(trial);
            assert_int_equal(trial->done, (set & ~(1u << origin)) == 0);
            drain(5, NOBODY);
            assert_int_equal(trial->done, 1);
        }
    }
}

/* Sets of every size, of cores in several parts; the origin is answered by few. */
static void test_sizes(void **state)
{
    make(KERNELS);
    acquaint(KERNELS, 3);
    for (unsigned size = 1; size <= KERNELS; size++) {
        struct trial *trial = trial_make(0, 3);
        trial_fill(trial, KERNELS, size);
        uint64_t before = handled(3);
        begin(trial);
        turns_at_random(KERNELS, size);
        drain(KERNELS, NOBODY);
        assert_int_equal(trial->done, 1);
        assert_in_range(handled(3) - before, 0, PIECES);
    }
}

/* While any one of them has not performed, it is not done. */
static void test_not_early(void **state)
{
    enum { FEW = 24 };
    make(FEW);
    acquaint(FEW, 0);
    for (unsigned held = 1; held < FEW; held++) {
        struct trial *trial = trial_make(0, 0);
        for (unsigned core = 1; core < FEW; core++)
            set_add(trial, core);
        begin(trial);
        drain(FEW, held);
        assert_int_equal(trial->done, 0);
        assert_int_equal(trial->performed[held], 0);
        drain(FEW, NOBODY);
        assert_int_equal(trial->done, 1);
    }
}

/* One at a time, in the order of asking, each of them whole. */
static void test_waiting(void **state)
{
    make(8);
    acquaint(8, 2);
    for (unsigned i = 0; i < 6; i++) {
        struct trial *trial = trial_make(i, 2);
        trial_fill(trial, 8, 2 + i);
        begin(trial);
    }
    for (unsigned i = 0; i < 6; i++) {
        while (!trials[i].done)
            turns_at_random(8, 1);
        for (unsigned later = i + 1; later < 6; later++)
            assert_int_equal(trials[later].done, 0);
    }
}

static struct trial *again;
static unsigned left;

static void done_again(struct multicast *m)
{
    struct trial *trial = m->owner;
    done(m);
    if (!left--)
        return;
    memset(trial->performed, 0, sizeof(trial->performed));
    trial->done = 0;
    assert_int_equal(world.kernel[trial->origin]->multicast(m), 0);
}

/* From `done` the same is asked for again, while another waits: both come to an end. */
static void test_again(void **state)
{
    make(6);
    acquaint(6, 0);
    again = trial_make(0, 0);
    again->m.done = done_again;
    left = 5;
    trial_fill(again, 6, 6);
    begin(again);
    trial_fill(trial_make(1, 0), 6, 4);
    begin(&trials[1]);
    drain(6, NOBODY);
    assert_int_equal(again->done, 1);
    assert_int_equal(left, NOBODY);
    assert_int_equal(trials[1].done, 1);
}

/* All kernels at once; each its own sets. */
static void test_many_origins(void **state)
{
    enum { MANY = 40 };
    make(MANY);
    for (unsigned core = 0; core < MANY; core++)
        acquaint(MANY, core);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned core = 0; core < MANY; core++) {
            trial_fill(trial_make(core, core), MANY, 1 + random_below(MANY));
            begin(&trials[core]);
            turns_at_random(MANY, random_below(100));
        }
        drain(MANY, NOBODY);
        for (unsigned core = 0; core < MANY; core++)
            assert_int_equal(trials[core].done, 1);
    }
    for (unsigned core = 0; core < MANY; core++)
        assert_int_equal(on(core)->nodes_used(ACCOUNT_MULTICAST), 0);
}

/* Inner nodes find no frames for their first links: all are reached nevertheless; later, when there
 * are frames again, down the tree. */
static void test_no_frames(void **state)
{
    enum { FEW = 80 };
    make(FEW);
    acquaint(FEW, 1);
    unsigned had = world.frames_left;
    for (unsigned frames = 0; frames <= 12; frames += 3) {
        world.frames_left = frames;
        struct trial *trial = trial_make(0, 1);
        trial_fill(trial, FEW, FEW);
        begin(trial);
        drain(FEW, NOBODY);
        assert_int_equal(trial->done, 1);
        had -= frames - world.frames_left;
    }
    world.frames_left = had;
    uint64_t before = handled(1);
    struct trial *trial = trial_make(0, 1);
    trial_fill(trial, FEW, FEW);
    begin(trial);
    drain(FEW, NOBODY);
    assert_int_equal(trial->done, 1);
    assert_in_range(handled(1) - before, 1, PIECES);
}

/* Rings that are full of other messages: what finds no credit waits on its own account, and the
 * account of those messages does not matter. */
static void test_full_rings(void **state)
{
    make(6);
    acquaint(6, 0);
    for (unsigned core = 1; core < 6; core++)
        for (;;) {
            struct message m = {.head = message_head(MESSAGE_PROBE)};
            if (on(0)->actor_send(on(0)->well_known(core, 15), &m))
                break;
        }
    struct trial *trial = trial_make(0, 0);
    trial_fill(trial, 6, 6);
    begin(trial);
    assert_int_equal(on(0)->nodes_used(ACCOUNT_PLAIN), PLAIN_NODES);
    assert_in_range(on(0)->nodes_used(ACCOUNT_MULTICAST), 1, MULTICAST_FANOUT);
    drain(6, NOBODY);
    assert_int_equal(trial->done, 1);
}

int main(int argc, char **argv)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s.so", argv[0]);
    shared_object = path;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_every_set, end),
        cmocka_unit_test_teardown(test_sizes, end),
        cmocka_unit_test_teardown(test_not_early, end),
        cmocka_unit_test_teardown(test_waiting, end),
        cmocka_unit_test_teardown(test_again, end),
        cmocka_unit_test_teardown(test_many_origins, end),
        cmocka_unit_test_teardown(test_no_frames, end),
        cmocka_unit_test_teardown(test_full_rings, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
