// sources: runtime/space.c
/* Free address ranges, held against a plain map of pages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "runtime/space.h"

enum { PAGE = 0x1000, PAGES = 64 };
#define START 0x10000ull
#define END   (START + PAGES * PAGE)

static struct space space;

static void invariant_holds(void)
{
    uint64_t last = 0;

    for (unsigned i = 0; i < space.count; i++) {
        assert_true(space.free[i].start < space.free[i].end);
        assert_true(i == 0 || space.free[i].start > last);
        assert_true(space.free[i].start >= START && space.free[i].end <= END);
        last = space.free[i].end;
    }
}

static bool page_free(uint64_t addr)
{
    for (unsigned i = 0; i < space.count; i++) {
        if (addr >= space.free[i].start && addr < space.free[i].end)
            return true;
    }
    return false;
}

static void test_take_all(void **state)
{
    space_init(&space, START, END);
    for (int i = 0; i < PAGES; i++)
        assert_int_equal(space_take(&space, PAGE), START + i * PAGE);
    assert_int_equal(space_take(&space, PAGE), 0);
    space_give(&space, START + 3 * PAGE, START + 5 * PAGE);
    space_give(&space, START + 6 * PAGE, START + 7 * PAGE);
    assert_int_equal(space_take(&space, 3 * PAGE), 0);
    space_give(&space, START + 5 * PAGE, START + 6 * PAGE);
    assert_int_equal(space.count, 1);
    assert_int_equal(space_take(&space, 4 * PAGE), START + 3 * PAGE);
    assert_int_equal(space.count, 0);
}

static void test_outside(void **state)
{
    space_init(&space, START, END);
    space_give(&space, 0, START);
    space_give(&space, END, END + PAGE);
    space_take_range(&space, 0, START);
    space_take_range(&space, END, ~0ull);
    assert_int_equal(space.count, 1);
    space_take_range(&space, 0, ~0ull);
    assert_int_equal(space.count, 0);
    space_give(&space, 0, ~0ull);
    assert_int_equal(space_take(&space, PAGES * PAGE), START);
}

static void test_random(void **state)
{
    bool model[PAGES];

    srand(1);
    space_init(&space, START, END);
    for (int i = 0; i < PAGES; i++)
        model[i] = true;
    for (int round = 0; round < 20000; round++) {
        int first = rand() % PAGES;
        int count = 1 + rand() % (PAGES - first) % 9;
        bool give = rand() % 2;
        if (give)
            space_give(&space, START + first * PAGE, START + (first + count) * PAGE);
        else
            space_take_range(&space, START + first * PAGE, START + (first + count) * PAGE);
        for (int i = first; i < first + count; i++)
            model[i] = give;
        invariant_holds();
        for (int i = 0; i < PAGES; i++)
            assert_int_equal(page_free(START + i * PAGE), model[i]);
    }
}

/* With no room to note it, a range is forgotten, and never handed out twice. */
static void test_full(void **state)
{
    uint64_t end = START + 4ull * SPACE_RANGES_MAX * PAGE;

    space_init(&space, START, end);
    for (uint64_t addr = START; addr < end; addr += 2 * PAGE)
        space_take_range(&space, addr, addr + PAGE);
    assert_int_equal(space.count, SPACE_RANGES_MAX);
    for (int i = 0; i < SPACE_RANGES_MAX; i++) {
        uint64_t addr = space_take(&space, PAGE);
        assert_true(addr != 0 && (addr - START) / PAGE % 2 == 1);
        assert_false(page_free(addr));
    }
    assert_int_equal(space_take(&space, PAGE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_take_all),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_full),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
