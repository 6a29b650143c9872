// sources: tests/unit/host_world.c
// kernel: kernel/backlog.c kernel/shared/channel.c kernel/actor.c kernel/multicast.c tests/unit/host_kernel.c
/* Actors: sending here and there, addresses, requests, watches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/error.h"
#include "kernel/shared/ring.h"
#include "tests/unit/host_world.h"

static const char *shared_object;

/* A recorder notes what it is sent, in its state. */
struct record {
    unsigned type, from;
    uint64_t word[6];
};

struct notes {
    unsigned count;
    struct record record[LOCAL_NODES + 8];
    int busy;         /* in its handler */
    uint64_t forward; /* if not 0: each PROBE is sent on to this address */
    int end_itself, answer;
};

static void note(struct actor *self, const struct message *m, unsigned from)
{
    struct notes *notes = self->state;
    struct record *record = &notes->record[notes->count++];
    assert_false(notes->busy);
    notes->busy = 1;
    record->type = message_type(m);
    record->from = from;
    memcpy(record->word, m->word, sizeof(record->word));
    struct host_kernel *kernel = world.kernel[world.running];
    if (notes->forward) {
        struct message on_its_way = {.word = {m->word[0]}, .head = message_head(MESSAGE_PROBE)};
        assert_int_equal(kernel->actor_send(notes->forward, &on_its_way), 0);
    }
    if (notes->answer && message_type(m) == MESSAGE_CALL) {
        struct message reply = {.word = {m->word[0] + 100},
                                .head = message_head(MESSAGE_CALL_DONE)};
        kernel->actor_reply(self, m->word[5], &reply);
    }
    if (notes->end_itself)
        kernel->end(self, E_OK, 7);
    notes->busy = 0;
}

static unsigned ended;

static void note_end(struct actor *self)
{
    ended++;
}

/* Each kernel has its own, as each has its own registry. */
static struct actor_class recorder[WORLD_KERNELS];

static void make(unsigned kernels)
{
    world_make(shared_object, kernels);
    ended = 0;
    for (unsigned core = 0; core < kernels; core++) {
        recorder[core] = (struct actor_class){
            .name = "recorder",
            .handler = {[MESSAGE_PROBE] = note,
                        [MESSAGE_DOWN] = note,
                        [MESSAGE_CALL] = note,
                        [MESSAGE_CALL_DONE] = note},
            .ended = note_end,
        };
        on(core)->class_register(&recorder[core]);
    }
}

static int end(void **state)
{
    world_end();
    return 0;
}

static void drain(unsigned kernels)
{
    for (unsigned idle = 0, core = 0; idle < kernels; core = (core + 1) % kernels)
        idle = on(core)->turn() ? 0 : idle + 1;
}

static struct actor *create(unsigned core, struct notes *notes)
{
    struct actor *actor = NULL;
    assert_int_equal(on(core)->create(&recorder[core], notes, &actor), 0);
    return actor;
}

static int probe(unsigned from, uint64_t to, uint64_t number)
{
    struct message m = {.word = {number}, .head = message_head(MESSAGE_PROBE)};
    return on(from)->actor_send(to, &m);
}

static void test_send_alike(void **state)
{
    struct notes here = {0}, there = {0};
    make(2);
    uint64_t a = on(0)->address(create(0, &here)), b = on(1)->address(create(1, &there));
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(probe(0, a, i) | probe(0, b, i), 0);
    assert_int_equal(here.count, 0); /* not before the loop */
    assert_int_equal(on(0)->turn(), 1);
    assert_int_equal(here.count, 1); /* one of its own a turn */
    drain(2);
    assert_int_equal(here.count, 5);
    assert_int_equal(there.count, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(here.record[i].word[0], i);
        assert_int_equal(there.record[i].word[0], i);
        assert_int_equal(here.record[i].from, 0);
        assert_int_equal(there.record[i].from, 0);
    }
    assert_int_equal(on(0)->class_messages(&recorder[0]), 5);
    assert_int_equal(on(1)->class_messages(&recorder[1]), 5);
}

/* A handler that sends to itself is not entered again before it has returned, and others have
 * turns. */
static void test_not_recursive(void **state)
{
    struct notes notes = {0}, there = {0};
    make(2);
    struct actor *actor = create(0, &notes);
    uint64_t b = on(1)->address(create(1, &there));
    notes.forward = on(0)->address(actor);
    probe(0, notes.forward, 1);
    probe(0, b, 1);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(on(0)->turn(), 1);
    assert_int_equal(notes.count, 10);
    assert_false(on(0)->actor_leave());
}

static void test_local_limit(void **state)
{
    struct notes notes = {0};
    make(1);
    uint64_t a = on(0)->address(create(0, &notes));
    for (unsigned i = 0; i < LOCAL_NODES; i++)
        assert_int_equal(probe(0, a, i), 0);
    assert_int_equal(probe(0, a, 0), -E_LIMIT);
    drain(1);
    assert_int_equal(notes.count, LOCAL_NODES);
    for (unsigned i = 0; i < LOCAL_NODES; i++)
        assert_int_equal(notes.record[i].word[0], i);
    assert_int_equal(on(0)->nodes_used(ACCOUNT_PLAIN), 0);
    assert_true(on(0)->actor_leave());
}

static void test_registry(void **state)
{
    make(1);
    assert_ptr_equal(on(0)->class_find("recorder"), &recorder[0]);
    assert_null(on(0)->class_find("nothing"));
}

static void test_fixed_slots(void **state)
{
    struct notes notes = {0};
    struct actor *actor, *second = NULL;
    make(2);
    uint64_t log = on(0)->well_known(1, ACTOR_LOG);
    assert_int_equal(on(1)->create_at(ACTOR_LOG, &recorder[1], &notes, &actor), 0);
    assert_int_equal(on(1)->create_at(ACTOR_LOG, &recorder[1], &notes, &second), -E_EXISTS);
    assert_null(second);
    assert_int_equal(on(1)->address(actor), log);
    assert_int_equal(probe(0, log, 1), 0);
    drain(2);
    on(1)->end(actor, E_OK, 0);
    assert_int_equal(on(1)->create_at(ACTOR_LOG, &recorder[1], &notes, &actor), 0);
    assert_int_equal(probe(0, log, 2), 0); /* whoever is there */
    drain(2);
    assert_int_equal(notes.count, 2);
}

static void test_stale_generation(void **state)
{
    struct notes notes = {0}, later = {0};
    make(2);
    struct actor *actor = create(1, &notes);
    uint64_t old = on(1)->address(actor);
    probe(0, old, 1);
    on(1)->end(actor, E_OK, 0);
    assert_int_equal(ended, 1);
    assert_int_equal(probe(1, old, 2), -E_GONE);
    for (unsigned i = 0; i < 3000; i++) { /* every slot many times */
        actor = create(1, &later);
        assert_int_not_equal(on(1)->address(actor), old);
        assert_int_not_equal(on(1)->address(actor), ADDRESS_NONE);
        on(1)->end(actor, E_OK, 0);
    }
    create(1, &later);
    drain(2);
    probe(0, old, 3);
    drain(2);
    assert_int_equal(notes.count + later.count, 0);
    assert_int_equal(on(1)->actor_counts().gone, 2);
}

/* Generations come round only after all others were used, in every slot that rests. */
static void test_generations(void **state)
{
    static uint64_t first[200];
    struct notes notes = {0};
    make(1);
    for (unsigned i = 0; i < 200; i++) {
        struct actor *actor = create(0, &notes);
        first[i] = on(0)->address(actor);
        on(0)->end(actor, E_OK, 0);
    }
    for (unsigned i = 0; i < 60 * 4095; i++) {
        struct actor *actor = create(0, &notes);
        uint64_t address = on(0)->address(actor);
        assert_int_not_equal(address, first[0]);
        assert_int_not_equal(target_generation(address), 0);
        on(0)->end(actor, E_OK, 0);
    }
}

static void test_table_full(void **state)
{
    struct notes notes = {0};
    struct actor *actor[ACTORS_MAX], *more = NULL;
    unsigned count = 0;
    make(1);
    while (on(0)->create(&recorder[0], &notes, &actor[count]) == 0)
        count++;
    assert_int_equal(count, ACTORS_MAX - ACTOR_DYNAMIC);
    assert_int_equal(on(0)->create(&recorder[0], &notes, &more), -E_LIMIT);
    assert_null(more);
    on(0)->end(actor[7], E_OK, 0);
    assert_int_equal(on(0)->create(&recorder[0], &notes, &more), 0);
}

static void test_stale_incarnation(void **state)
{
    struct notes notes = {0};
    make(2);
    uint64_t a = on(1)->address(create(1, &notes));
    world.incarnation[1]++;
    assert_int_equal(probe(0, a, 1), -E_GONE);
    assert_int_equal(probe(1, a, 1), -E_GONE);
    assert_int_equal(probe(0, ADDRESS_NONE, 1), -E_GONE);
}

static void test_nobody(void **state)
{
    make(2);
    assert_int_equal(probe(0, address_make(1, 2, target_make(0, 0)), 1), 0);
    assert_int_equal(probe(0, address_make(1, 2, target_make(5, 0)), 1), 0);
    assert_int_equal(probe(0, address_make(1, 2, target_make(4095, 5)), 1), 0);
    drain(2);
    assert_int_equal(on(1)->actor_counts().gone, 3);
}

static void test_unhandled(void **state)
{
    struct notes notes = {0};
    make(2);
    uint64_t a = on(1)->address(create(1, &notes));
    struct message m = {.head = message_head(MESSAGE_FAULT)};
    assert_int_equal(on(0)->actor_send(a, &m), 0);
    drain(2);
    assert_int_equal(on(1)->actor_counts().unhandled, 1);
    assert_int_equal(notes.count, 0);
}

/* --- requests ------------------------------------------------------------------------------------
 */

static int call(struct actor *self, unsigned core, uint64_t to, unsigned type)
{
    struct message m = {.word = {5}, .head = message_head(type)};
    return on(core)->actor_request(self, to, &m);
}

static void check_request(unsigned core)
{
    struct notes asker = {0}, asked = {.answer = 1};
    make(2);
    struct actor *a = create(0, &asker), *b = create(core, &asked);
    assert_int_equal(call(a, 0, on(core)->address(b), MESSAGE_CALL), 0);
    drain(2);
    assert_int_equal(asked.count, 1);
    assert_int_equal(asker.count, 1);
    assert_int_equal(asker.record[0].type, MESSAGE_CALL_DONE);
    assert_int_equal(asker.record[0].word[0], 105);
    on(core)->end(b, E_OK, 0); /* owes nothing */
    world_end();
}

static void test_request(void **state)
{
    check_request(0);
    check_request(1);
}

static void check_request_limit(unsigned core, unsigned limit)
{
    struct notes asker = {0}, asked = {0};
    make(2);
    struct actor *a = create(0, &asker), *b = create(core, &asked);
    uint64_t to = on(core)->address(b);
    for (unsigned i = 0; i < limit; i++)
        assert_int_equal(call(a, 0, to, MESSAGE_CALL), 0);
    assert_int_equal(call(a, 0, to, MESSAGE_CALL), -E_LIMIT);
    drain(2);
    assert_int_equal(asked.count, limit);
    for (unsigned i = 0; i < limit; i++) {
        struct message m = {.word = {i}, .head = message_head(MESSAGE_CALL_DONE)};
        on(core)->actor_reply(b, asked.record[i].word[5], &m);
    }
    drain(2);
    assert_int_equal(asker.count, limit);
    assert_int_equal(call(a, 0, to, MESSAGE_CALL), 0);
    world_end();
}

static void test_request_limit(void **state)
{
    check_request_limit(0, LOCAL_REQUESTS);
    check_request_limit(1, PEER_REQUESTS);
}

/* Who cannot answer is answered for: the reservation comes back each time. */
static void check_request_dead(unsigned core)
{
    struct notes asker = {0}, asked = {0};
    make(2);
    struct actor *a = create(0, &asker), *b = create(core, &asked);
    uint64_t to = on(core)->address(b);
    for (unsigned i = 0; i < 2 * LOCAL_REQUESTS; i++) {
        assert_int_equal(call(a, 0, to, MESSAGE_FAULT), 0);
        drain(2);
    }
    assert_int_equal(asker.record[0].type, MESSAGE_DOWN);
    assert_int_equal(asker.record[0].word[0], to);
    assert_int_equal(asker.record[0].word[2], E_NO_CALL);
    asker.count = 0;
    assert_int_equal(call(a, 0, to, MESSAGE_CALL), 0);
    on(core)->end(b, E_OK, 0);
    drain(2);
    assert_int_equal(asker.count, 1);
    assert_int_equal(asker.record[0].type, MESSAGE_DOWN);
    assert_int_equal(asker.record[0].word[2], E_GONE);
    world_end();
}

static void test_request_dead(void **state)
{
    check_request_dead(0);
    check_request_dead(1);
}

static struct actor *owing;

static void end_owing(void)
{
    on(1)->end(owing, E_OK, 0);
}

static void test_end_owing(void **state)
{
    struct notes asker = {0}, asked = {0};
    make(2);
    owing = create(1, &asked);
    call(create(0, &asker), 0, on(1)->address(owing), MESSAGE_CALL);
    drain(2);
    assert_non_null(strstr(world_panics(end_owing), "owes"));
}

/* --- watches -------------------------------------------------------------------------------------
 */

static void check_down(const struct record *record, uint64_t target, uint64_t cookie,
                       uint64_t reason, uint64_t value)
{
    assert_int_equal(record->type, MESSAGE_DOWN);
    assert_int_equal(record->word[0], target);
    assert_int_equal(record->word[1], cookie);
    assert_int_equal(record->word[2], reason);
    assert_int_equal(record->word[3], value);
}

static void check_watch(unsigned core)
{
    struct notes watcher = {0}, watched = {.end_itself = 1};
    make(2);
    struct actor *a = create(0, &watcher);
    uint64_t target = on(core)->address(create(core, &watched));
    assert_int_equal(on(0)->watch(target, a, 1), 0);
    assert_int_equal(on(0)->watch(target, a, 2), 0);
    assert_int_equal(on(0)->watch(target, a, 3), 0);
    assert_int_equal(on(0)->unwatch(target, a, 2), 0);
    assert_int_equal(on(0)->unwatch(target, a, 9), 0); /* there is none */
    drain(2);
    assert_int_equal(watcher.count, 0);
    assert_int_equal(on(core)->nodes_used(ACCOUNT_WATCH), 2);
    assert_int_equal(probe(1, target, 0), 0); /* ends itself with value 7, in its handler */
    drain(2);
    assert_int_equal(watcher.count, 2);
    unsigned first = watcher.record[0].word[1] == 3; /* in no order */
    check_down(&watcher.record[first], target, 1, E_OK, 7);
    check_down(&watcher.record[!first], target, 3, E_OK, 7);
    assert_int_equal(on(core)->nodes_used(ACCOUNT_WATCH), 0);

    on(0)->watch(target, a, 4); /* it is gone already */
    drain(2);
    assert_int_equal(watcher.count, 3);
    check_down(&watcher.record[2], target, 4, E_GONE, 0);
    for (unsigned i = 0; i < 100; i++) { /* nothing is left reserved */
        watcher.count = 0;
        assert_int_equal(on(0)->watch(target, a, i), 0);
        drain(2);
        check_down(&watcher.record[0], target, i, E_GONE, 0);
    }
    world_end();
}

static void test_watch(void **state)
{
    check_watch(0);
    check_watch(1);
}

static void test_watch_core_gone(void **state)
{
    struct notes watcher = {0}, watched = {0};
    make(2);
    struct actor *a = create(0, &watcher);
    uint64_t target = on(1)->address(create(1, &watched));
    world.incarnation[1]++;
    assert_int_equal(on(0)->watch(target, a, 6), 0);
    drain(2);
    check_down(&watcher.record[0], target, 6, E_GONE, 0);
    assert_int_equal(watcher.count, 1);
}

static void test_watch_limit(void **state)
{
    struct notes watcher = {0}, watched = {0};
    make(2);
    struct actor *a = create(0, &watcher), *b = create(1, &watched);
    uint64_t target = on(1)->address(b);
    for (unsigned i = 0; i < WATCH_NODES; i++) {
        assert_int_equal(on(0)->watch(target, a, i), 0);
        drain(2);
    }
    assert_int_equal(watcher.count, 0);
    assert_int_equal(on(0)->watch(target, a, 999), 0);
    drain(2);
    check_down(&watcher.record[0], target, 999, E_LIMIT, 0);
    on(1)->end(b, E_DAMAGED, 1);
    drain(2);
    assert_int_equal(watcher.count, 1 + WATCH_NODES);
    assert_int_equal(on(1)->nodes_used(ACCOUNT_WATCH), 0);
}

/* An end is told though nothing else can be sent any more, after what was sent before it. */
static void test_watch_full(void **state)
{
    static struct notes watcher;
    struct notes watched = {0};
    make(2);
    watcher = (struct notes){0};
    struct actor *a = create(0, &watcher), *b = create(1, &watched);
    assert_int_equal(on(0)->watch(on(1)->address(b), a, 1), 0);
    drain(2);
    unsigned sent = 0;
    while (probe(1, on(0)->address(a), sent) == 0)
        sent++;
    on(1)->end(b, E_OK, 0);
    drain(2);
    assert_int_equal(watcher.count, sent + 1);
    assert_int_equal(watcher.record[sent].type, MESSAGE_DOWN);
}

int main(int argc, char **argv)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s.so", argv[0]);
    shared_object = path;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_send_alike, end),
        cmocka_unit_test_teardown(test_not_recursive, end),
        cmocka_unit_test_teardown(test_local_limit, end),
        cmocka_unit_test_teardown(test_registry, end),
        cmocka_unit_test_teardown(test_fixed_slots, end),
        cmocka_unit_test_teardown(test_stale_generation, end),
        cmocka_unit_test_teardown(test_generations, end),
        cmocka_unit_test_teardown(test_table_full, end),
        cmocka_unit_test_teardown(test_stale_incarnation, end),
        cmocka_unit_test_teardown(test_nobody, end),
        cmocka_unit_test_teardown(test_unhandled, end),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_request_limit),
        cmocka_unit_test(test_request_dead),
        cmocka_unit_test_teardown(test_end_owing, end),
        cmocka_unit_test(test_watch),
        cmocka_unit_test_teardown(test_watch_core_gone, end),
        cmocka_unit_test_teardown(test_watch_limit, end),
        cmocka_unit_test_teardown(test_watch_full, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
