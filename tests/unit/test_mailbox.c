// sources: kernel/mailbox.c runtime/mailbox.c
/* Both halves of a mailbox: what is posted is taken once, in order, or is in the bitmap and counted;
 * what the process does to the words that it can write harms nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/mailbox.h"
#include "kernel/shared/frame.h"
#include "runtime/mailbox.h"

enum { GUARD = 0x5a, BIG_PAGES = 2 * MAILBOX_PAGES };

static union {
    struct vcore_data data;
    uint8_t bytes[PAGE_BYTES];
} block;
/* A ring's pages are apart in memory for the kernel, and together for the process. Here they are
 * together for both, between guards. */
static struct {
    uint8_t before[PAGE_BYTES];
    uint8_t page[BIG_PAGES][PAGE_BYTES];
    uint8_t after[PAGE_BYTES];
} big;
static struct mailbox *const mailbox = &block.data.mailbox;
static struct mailbox_writer home, driver;

void *frame_pointer(frame_t frame)
{
    return big.page[frame];
}

static int reset(void **state)
{
    memset(&block, 0, sizeof block);
    memset(&big, GUARD, sizeof big);
    home = mailbox_first_slots(&block.data, 0);
    driver = mailbox_first_slots(&block.data, 1);
    mailbox->home = (struct event_ring){.address = (uintptr_t)home.page[0], .events = EVENTS_MIN};
    mailbox->driver =
        (struct event_ring){.address = (uintptr_t)driver.page[0], .events = EVENTS_MIN};
    return 0;
}

static struct mailbox_writer big_slots(uint32_t events, int of_driver)
{
    frame_t frame[MAILBOX_PAGES];
    for (unsigned i = 0; i < MAILBOX_PAGES; i++)
        frame[i] = i + (of_driver ? MAILBOX_PAGES : 0);
    return mailbox_slots(frame, events);
}

static void post(int of_driver, unsigned type, uint64_t value)
{
    struct event event = {.type = (uint16_t)type, .source = 7, .payload = {value, ~value}};
    if (of_driver)
        mailbox_post(&driver, mailbox, &mailbox->driver, &event);
    else
        mailbox_post(&home, mailbox, &mailbox->home, &event);
}

static void resize(int of_driver, uint32_t events)
{
    struct mailbox_writer to = events == EVENTS_MIN ? mailbox_first_slots(&block.data, of_driver)
                                                    : big_slots(events, of_driver);
    mailbox_resize(of_driver ? &driver : &home, mailbox,
                   of_driver ? &mailbox->driver : &mailbox->home, &to, (uintptr_t)to.page[0]);
}

static void expect(unsigned type, uint64_t value)
{
    struct event event;
    assert_true(mailbox_has(mailbox));
    assert_true(mailbox_take(mailbox, &event));
    assert_int_equal(event.type, type);
    assert_int_equal(event.flags, 0);
    assert_int_equal(event.source, 7);
    assert_int_equal(event.payload[0], value);
    assert_int_equal(event.payload[1], ~value);
}

static void expect_bit(unsigned type)
{
    struct event event;
    assert_true(mailbox_has(mailbox));
    assert_true(mailbox_take(mailbox, &event));
    assert_int_equal(event.type, type);
    assert_int_equal(event.flags, EVENT_OF_BITMAP);
}

static void expect_nothing(void)
{
    struct event event;
    assert_false(mailbox_has(mailbox));
    assert_false(mailbox_take(mailbox, &event));
}

static void posted_is_taken_in_order(void **state)
{
    expect_nothing();
    for (uint64_t i = 0; i < 100; i++) {
        for (uint64_t j = 0; j < i % EVENTS_MIN; j++)
            post(i & 1, EVENT_NOTIFY, i * 100 + j);
        for (uint64_t j = 0; j < i % EVENTS_MIN; j++)
            expect(EVENT_NOTIFY, i * 100 + j);
        expect_nothing();
    }
    assert_int_equal(mailbox->home.lost + mailbox->driver.lost, 0);
}

static void rings_do_not_touch_each_other(void **state)
{
    for (uint64_t i = 0; i < EVENTS_MIN; i++) {
        post(0, EVENT_NOTIFY, i);
        post(1, EVENT_ALARM, 100 + i);
    }
    for (uint64_t i = 0; i < EVENTS_MIN; i++)
        expect(EVENT_NOTIFY, i);
    for (uint64_t i = 0; i < EVENTS_MIN; i++)
        expect(EVENT_ALARM, 100 + i);
    expect_nothing();
}

static void what_does_not_fit_is_in_the_bitmap(void **state)
{
    for (uint64_t i = 0; i < EVENTS_MIN; i++)
        post(0, EVENT_NOTIFY, i);
    post(0, EVENT_CHILD_ENDED, 1);
    post(0, EVENT_CHILD_ENDED, 2);
    post(0, EVENT_TYPES - 1, 3);
    assert_int_equal(mailbox->home.lost, 3);
    assert_int_equal(mailbox->driver.lost, 0);
    for (uint64_t i = 0; i < EVENTS_MIN; i++)
        expect(EVENT_NOTIFY, i);
    expect_bit(EVENT_CHILD_ENDED);
    expect_bit(EVENT_OVERFLOW);
    expect_bit(EVENT_TYPES - 1);
    expect_nothing();
    post(0, EVENT_NOTIFY, 99); /* in the ring again */
    expect(EVENT_NOTIFY, 99);
}

static void positions_wrap(void **state)
{
    home.written = mailbox->home.written = mailbox->home.taken = 0xfffffff8;
    for (uint64_t i = 0; i < EVENTS_MIN + 1; i++)
        post(0, EVENT_NOTIFY, i);
    assert_int_equal(mailbox->home.lost, 1);
    for (uint64_t i = 0; i < EVENTS_MIN; i++)
        expect(EVENT_NOTIFY, i);
    expect_bit(EVENT_NOTIFY);
}

/* The process may write what it likes into its words: events go to the ring or to the bitmap, and
 * nothing is written but slots. */
static void a_bad_count_harms_nobody(void **state)
{
    srand(11);
    uint32_t posted = 0;
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t before = home.written;
        mailbox->home.taken = round % 3 ? (uint32_t)rand() : home.written + (uint32_t)rand() % 40;
        mailbox->home.written = mailbox->home.events = (uint32_t)rand();
        mailbox->home.address = (uint64_t)rand() << 20;
        post(0, EVENT_NOTIFY, round);
        posted++;
        assert_true(home.written - before <= 1);
        if (round % 100 == 0)
            resize(0, 16u << rand() % 5);
    }
    assert_int_equal(home.written + mailbox->home.lost, posted);
    for (unsigned i = 0; i < PAGE_BYTES; i++)
        assert_true(big.before[i] == GUARD && big.after[i] == GUARD &&
                    big.page[MAILBOX_PAGES][i] == GUARD);
    for (unsigned i = VCORE_DRIVER_RING_OFFSET; i < PAGE_BYTES; i++)
        assert_int_equal(block.bytes[i], 0);
}

/* --- resizing -------------------------------------------------------------------------------- */

static void growing_takes_all_along(void **state)
{
    for (uint32_t events = EVENTS_MIN; events <= EVENTS_MAX; events *= 2) {
        for (uint64_t i = 0; i < events / 2 + 3; i++) /* so that they stand across the end */
            post(1, EVENT_ALARM, i);
        for (uint64_t i = 0; i < events / 2 + 3; i++)
            expect(EVENT_ALARM, i);
        for (uint64_t i = 0; i < events; i++)
            post(1, EVENT_ALARM, 1000 + i);
        if (events < EVENTS_MAX)
            resize(1, events * 2);
        for (uint64_t i = 0; i < events; i++)
            expect(EVENT_ALARM, 1000 + i);
        expect_nothing();
    }
    assert_int_equal(mailbox->driver.lost, 0);
    assert_int_equal(mailbox->driver.events, EVENTS_MAX);
}

static void shrinking_keeps_the_oldest(void **state)
{
    for (unsigned skip = 0; skip < EVENTS_MAX; skip += 37) {
        reset(NULL);
        resize(0, EVENTS_MAX);
        for (unsigned i = 0; i < skip; i++) {
            post(0, EVENT_ALARM, i);
            expect(EVENT_ALARM, i);
        }
        for (uint64_t i = 0; i < 100; i++)
            post(0, i < 64 ? EVENT_NOTIFY : EVENT_CHANNEL_CLOSED, i);
        resize(0, 64);
        assert_int_equal(mailbox->home.lost, 36);
        for (uint64_t i = 0; i < 64; i++)
            expect(EVENT_NOTIFY, i);
        expect_bit(EVENT_CHANNEL_CLOSED);
        expect_bit(EVENT_OVERFLOW);
        expect_nothing();
    }
}

/* Posts, takes and changes of size at random, against a count. */
static void nothing_is_lost(void **state)
{
    srand(3);
    uint64_t posted = 0, taken = 0, next = 0, last = 0;
    for (unsigned step = 0; step < 50000; step++) {
        struct event event;
        switch (rand() % 16) {
        case 0:
            if (rand() % 8 == 0)
                resize(0, 16u << rand() % 5);
            break;
        case 1 ... 8:
            post(0, EVENT_STANDARD, ++next);
            posted++;
            break;
        default:
            while (rand() % 2 && mailbox_take(mailbox, &event)) {
                if (event.flags & EVENT_OF_BITMAP)
                    continue;
                assert_true(event.payload[0] > last);
                last = event.payload[0];
                taken++;
            }
        }
        assert_int_equal(taken + mailbox->home.lost + (home.written - mailbox->home.taken), posted);
    }
    assert_true(mailbox->home.lost > 100 && taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(posted_is_taken_in_order, reset),
        cmocka_unit_test_setup(rings_do_not_touch_each_other, reset),
        cmocka_unit_test_setup(what_does_not_fit_is_in_the_bitmap, reset),
        cmocka_unit_test_setup(positions_wrap, reset),
        cmocka_unit_test_setup(a_bad_count_harms_nobody, reset),
        cmocka_unit_test_setup(growing_takes_all_along, reset),
        cmocka_unit_test_setup(shrinking_keeps_the_oldest, reset),
        cmocka_unit_test_setup(nothing_is_lost, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
