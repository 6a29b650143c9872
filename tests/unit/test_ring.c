// sources:
/* The ring and its two ends, in one thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/shared/ring.h"

static struct ring rings[2];
static struct ring_end a, b;

static int fresh(void **state)
{
    memset(rings, 0, sizeof(rings));
    ring_open(&a, &rings[0], &rings[1]);
    ring_open(&b, &rings[1], &rings[0]);
    return 0;
}

static void send(struct ring_end *end, uint64_t number)
{
    struct message m = {.word = {number, ~number, 3, 4, 5, 6, 7}};
    assert_true(ring_has_credit(end));
    ring_publish(end, &m, message_head(MESSAGE_PROBE));
}

/* Takes one message, and publishes the acknowledgement when one is due. Returns its kind. */
static uint64_t take(struct ring_end *end, uint64_t number)
{
    const struct message *m = ring_next(end);
    assert_non_null(m);
    uint64_t kind = message_kind(m);
    if (kind != KIND_ACK) {
        assert_int_equal(m->word[0], number);
        assert_int_equal(m->word[1], ~number);
        assert_int_equal(m->word[6], 7);
    }
    assert_true(ring_take(end, m));
    if (kind != KIND_ACK && ring_owe_ack(end))
        assert_true(ring_publish_ack(end));
    return kind;
}

static void test_empty(void **state)
{
    assert_null(ring_next(&a));
    for (unsigned taken = 0; taken < RING_SLOTS; taken++) {
        b.taken = taken;
        assert_null(ring_next(&b));
    }
}

static void test_header(void **state)
{
    uint64_t target = 0x00abc123ull << 32;
    struct message m = {.word = {1, 2, 3, 4, 5, 6, 7}};
    b.taken = 0x12345; /* more than the field holds */
    b.in = &rings[0];
    ring_publish(&b, &m, message_head(MESSAGE_LOG) | target | KIND_REPLY);
    const struct message *got = &rings[1].slot[1];
    assert_ptr_equal(ring_next(&a), got);
    assert_memory_equal(got->word, m.word, sizeof(m.word));
    assert_int_equal(message_type(got), MESSAGE_LOG);
    assert_int_equal(message_kind(got), KIND_REPLY);
    assert_int_equal(got->head & 0x00ffffff00000000, target);
    assert_int_equal(got->head >> HEAD_ACK_SHIFT & HEAD_ACK_MASK, 0x2345);
    assert_int_equal((uint16_t)got->head, 1);
}

static void test_window(void **state)
{
    for (unsigned i = 0; i < RING_WINDOW; i++)
        send(&a, i);
    assert_false(ring_has_credit(&a));
    for (unsigned i = 0; i < RING_ACK_EVERY; i++) {
        assert_null(ring_next(&a)); /* nothing is told before half a window */
        take(&b, i);
    }
    assert_false(ring_has_credit(&a));
    assert_int_equal(take(&a, 0), KIND_ACK);
    assert_int_equal(a.under_way, RING_WINDOW - RING_ACK_EVERY);
    assert_true(ring_has_credit(&a));
}

/* Several times round the 16 bits of the sequence and the 14 of the acknowledgement, with every
 * number of messages under way. */
static void test_wrap(void **state)
{
    uint64_t sent = 0, taken = 0;
    while (taken < 5 * 65536) {
        unsigned batch = 1 + taken % RING_WINDOW;
        while (sent < taken + batch && ring_has_credit(&a))
            send(&a, sent++);
        while (taken < sent)
            take(&b, taken++);
        assert_null(ring_next(&b)); /* what the slot holds from last time never matches */
        while (ring_next(&a))
            assert_int_equal(take(&a, 0), KIND_ACK);
    }
}

static void test_acks_cause_no_acks(void **state)
{
    unsigned acks = 0;
    for (unsigned i = 0; i < 1000 * RING_ACK_EVERY; i++) {
        send(&a, i);
        take(&b, i);
        for (; ring_next(&a); acks++)
            take(&a, 0);
    }
    assert_int_equal(acks, 1000);
    assert_int_equal(a.sent, 1000 * RING_ACK_EVERY); /* a answered none of them */
    assert_null(ring_next(&b));
}

static void test_damaged_ack(void **state)
{
    struct message m = {.word = {0}};
    send(&a, 0);
    b.taken = 2; /* of which a sent one */
    ring_publish(&b, &m, message_head(MESSAGE_PROBE));
    assert_false(ring_take(&a, ring_next(&a)));
}

/* One direction's traffic as it should be. */
struct flow {
    uint64_t sent, taken;
    unsigned most_acks;
};

static unsigned acks_under_way(const struct ring *ring, const struct ring_end *end)
{
    unsigned acks = 0;
    for (uint32_t i = 0; i < end->under_way; i++)
        acks += message_kind(&ring->slot[(end->sent - i) % RING_SLOTS]) == KIND_ACK;
    return acks;
}

static void step(struct ring_end *end, struct flow *out, struct flow *in, unsigned chance)
{
    if ((unsigned)rand() % 100 < chance) {
        if (ring_has_credit(end))
            send(end, out->sent++);
        return;
    }
    if (!ring_next(end))
        return;
    in->taken += take(end, in->taken) != KIND_ACK;
    unsigned acks = acks_under_way(end->out, end);
    if (acks > out->most_acks)
        out->most_acks = acks;
}

/* Random schedules, lopsided either way: nothing lost, twice or out of order, never a slot missing
 * for an acknowledgement, and credit again for whoever's messages were all taken. */
static void test_schedules(void **state)
{
    unsigned most = 0;
    for (unsigned seed = 1; seed <= 200; seed++) {
        struct flow ab = {0}, ba = {0};
        fresh(state);
        srand(seed);
        unsigned chance_a = rand() % 101, chance_b = rand() % 101, speed = rand() % 101;
        for (unsigned i = 0; i < 5000; i++) {
            if ((unsigned)rand() % 100 < speed)
                step(&a, &ab, &ba, chance_a);
            else
                step(&b, &ba, &ab, chance_b);
        }
        while (ring_next(&a) || ring_next(&b)) {
            step(&a, &ab, &ba, 0);
            step(&b, &ba, &ab, 0);
        }
        assert_int_equal(ab.sent, ab.taken);
        assert_int_equal(ba.sent, ba.taken);
        assert_true(ring_has_credit(&a) && ring_has_credit(&b));
        most = ab.most_acks > most ? ab.most_acks : most;
    }
    assert_int_equal(most, RING_ACK_SLOTS); /* both are needed, no more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_empty, fresh),
        cmocka_unit_test_setup(test_header, fresh),
        cmocka_unit_test_setup(test_window, fresh),
        cmocka_unit_test_setup(test_wrap, fresh),
        cmocka_unit_test_setup(test_acks_cause_no_acks, fresh),
        cmocka_unit_test_setup(test_damaged_ack, fresh),
        cmocka_unit_test_setup(test_schedules, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
