// sources: kernel/region.c
/* The address-space records against a plain array of pages, by random changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/error.h"
#include "kernel/pool.h"
#include "kernel/region.h"

enum { PAGES = 64, PAGE = 4096 };

static unsigned objects, objects_most = ~0u;

void *pool_get(struct pool *pool)
{
    if (objects >= objects_most)
        return NULL;
    objects++;
    return calloc(1, pool->bytes);
}

void pool_put(struct pool *pool, void *object)
{
    objects--;
    free(object);
}

static struct region_list list;
static uint8_t model[PAGES]; /* 0: none, else 1 + prot */

static void check(void)
{
    uint64_t last = 0;
    for (struct region *r = list.first; r; r = r->next) {
        assert_true(r->base < r->end && r->base >= last);
        last = r->end;
    }
    for (unsigned page = 0; page < PAGES; page++) {
        struct region *r = region_find(&list, page * PAGE + 17);
        assert_int_equal(r ? 1 + r->prot : 0, model[page]);
    }
}

static int model_any(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (model[i])
            return 1;
    return 0;
}

static int model_all(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (!model[i])
            return 0;
    return 1;
}

static void random_changes(void **state)
{
    srand(5);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned from = (unsigned)rand() % PAGES, to = from + 1 + (unsigned)rand() % (PAGES - from);
        uint64_t base = from * PAGE, end = to * PAGE;
        unsigned prot = (unsigned)rand() % 4;
        assert_int_equal(region_overlaps(&list, base, end), model_any(from, to));
        assert_int_equal(region_covers(&list, base, end), model_all(from, to));
        switch (rand() % 3) {
        case 0:
            if (!model_any(from, to)) {
                assert_int_equal(region_add(&list, base, end, REGION_ANONYMOUS, prot), 0);
                memset(model + from, (int)(1 + prot), to - from);
            }
            break;
        case 1:
            assert_int_equal(region_split(&list, base, end), 0);
            region_remove(&list, base, end);
            memset(model + from, 0, to - from);
            break;
        default:
            assert_int_equal(region_split(&list, base, end), 0);
            region_protect(&list, base, end, prot);
            for (unsigned i = from; i < to; i++)
                model[i] = model[i] ? (uint8_t)(1 + prot) : 0;
        }
        check();
    }
    region_remove(&list, 0, ~0ull);
    assert_null(list.first);
    assert_int_equal(list.count, 0);
    assert_int_equal(objects, 0);
}

static void neighbours_alike_are_joined(void **state)
{
    for (unsigned i = 0; i < 10; i += 2)
        assert_int_equal(region_add(&list, i * PAGE, (i + 1) * PAGE, REGION_ANONYMOUS, 1), 0);
    for (unsigned i = 1; i < 10; i += 2)
        assert_int_equal(region_add(&list, i * PAGE, (i + 1) * PAGE, REGION_ANONYMOUS, 1), 0);
    assert_int_equal(list.count, 1);
    assert_null(list.first->next);
    assert_int_equal(list.first->end, 10 * PAGE);
    region_remove(&list, 0, ~0ull);
}

static void out_of_memory_changes_nothing(void **state)
{
    assert_int_equal(region_add(&list, 0, 10 * PAGE, REGION_ANONYMOUS, 1), 0);
    objects_most = objects;
    assert_int_equal(region_split(&list, 2 * PAGE, 4 * PAGE), -E_NO_MEMORY);
    assert_int_equal(region_add(&list, 20 * PAGE, 21 * PAGE, REGION_ANONYMOUS, 1), -E_NO_MEMORY);
    assert_true(region_covers(&list, 0, 10 * PAGE));
    assert_false(region_overlaps(&list, 10 * PAGE, 30 * PAGE));
    objects_most = ~0u;
    region_remove(&list, 0, ~0ull);
    assert_int_equal(objects, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(neighbours_alike_are_joined),
        cmocka_unit_test(out_of_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
