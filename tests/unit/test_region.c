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
#include "abi/syscall.h"
#include "kernel/object.h"
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

struct memory_object {
    int holds;
};
static struct memory_object things[2];

void object_hold(struct memory_object *object)
{
    object->holds++;
}

void object_release(struct memory_object *object)
{
    assert_true(object->holds > 0);
    object->holds--;
}

static struct region_list list;
/* Of each page: used or not; what its region says; of an object's page also which one. */
static struct {
    uint8_t used, prot, kind;
    struct memory_object *object;
    uint64_t offset;
} model[PAGES];

static void check_page(unsigned page)
{
    struct region *r = region_find(&list, page * PAGE + 17);
    assert_int_equal(r != NULL, model[page].used);
    if (!r)
        return;
    assert_int_equal(r->prot, model[page].prot);
    assert_int_equal(r->kind, model[page].kind);
    assert_ptr_equal(r->object, model[page].object);
    if (r->object)
        assert_int_equal(r->offset + page * PAGE - r->base, model[page].offset);
}

static void check(void)
{
    uint64_t last = 0;
    int holds[2] = {0};
    for (struct region *r = list.first; r; r = r->next) {
        assert_true(r->base < r->end && r->base >= last);
        last = r->end;
        if (r->object)
            holds[r->object - things]++;
    }
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(things[i].holds, holds[i]);
    for (unsigned page = 0; page < PAGES; page++)
        check_page(page);
}

static int model_any(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (model[i].used)
            return 1;
    return 0;
}

static int model_all(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        if (!model[i].used)
            return 0;
    return 1;
}

static void add(unsigned from, unsigned to, unsigned prot, struct memory_object *object)
{
    uint64_t offset = (uint64_t)(rand() % 8) * PAGE;
    enum region_kind kind = object ? rand() % 2 ? REGION_OBJECT : REGION_COPY : REGION_ANONYMOUS;
    struct region wanted = {.base = from * PAGE,
                            .end = to * PAGE,
                            .kind = (uint8_t)kind,
                            .prot = (uint8_t)prot,
                            .most = PROT_R | PROT_W,
                            .object = object,
                            .offset = object ? offset : 0};
    assert_int_equal(region_add_object(&list, &wanted), 0);
    for (unsigned i = from; i < to; i++) {
        model[i].used = 1;
        model[i].prot = (uint8_t)prot;
        model[i].kind = (uint8_t)kind;
        model[i].object = object;
        model[i].offset = offset + (i - from) * PAGE;
    }
}

static void become(unsigned from, unsigned to, struct memory_object *object)
{
    region_become(&list, from * PAGE, to * PAGE, REGION_COPY, object);
    for (unsigned i = from; i < to; i++) {
        model[i].kind = REGION_COPY;
        model[i].object = object;
        model[i].offset = (i - from) * PAGE;
    }
}

static void change(unsigned from, unsigned to, unsigned prot)
{
    uint64_t base = from * PAGE, end = to * PAGE;
    switch (rand() % 4) {
    case 0:
        if (!model_any(from, to))
            add(from, to, prot, rand() % 3 ? &things[rand() % 2] : NULL);
        break;
    case 1:
        assert_int_equal(region_split(&list, base, end), 0);
        region_remove(&list, base, end);
        memset(model + from, 0, (to - from) * sizeof *model);
        break;
    case 2:
        assert_int_equal(region_split(&list, base, end), 0);
        if (model_all(from, to) && rand() % 4 == 0)
            become(from, to, &things[rand() % 2]);
        break;
    default:
        assert_int_equal(region_split(&list, base, end), 0);
        region_protect(&list, base, end, prot);
        for (unsigned i = from; i < to; i++)
            model[i].prot = (uint8_t)prot;
    }
}

static void random_changes(void **state)
{
    srand(5);
    for (unsigned step = 0; step < 20000; step++) {
        unsigned from = (unsigned)rand() % PAGES, to = from + 1 + (unsigned)rand() % (PAGES - from);
        uint64_t base = from * PAGE, end = to * PAGE;
        assert_int_equal(region_overlaps(&list, base, end), model_any(from, to));
        assert_int_equal(region_covers(&list, base, end), model_all(from, to));
        change(from, to, (unsigned)rand() % 4);
        check();
    }
    region_remove(&list, 0, ~0ull);
    assert_null(list.first);
    assert_int_equal(list.count, 0);
    assert_int_equal(objects, 0);
    assert_int_equal(things[0].holds + things[1].holds, 0);
}

/* What was taken out holds its objects, and counts, until it is freed. */
static void what_is_taken_out_still_holds(void **state)
{
    struct region wanted = {.end = 8 * PAGE, .kind = REGION_OBJECT, .object = things};
    assert_int_equal(region_add_object(&list, &wanted), 0);
    assert_int_equal(region_split(&list, 2 * PAGE, 4 * PAGE), 0);
    assert_int_equal(region_split(&list, 3 * PAGE, 4 * PAGE), 0);
    struct region *chain = region_take_out(&list, 2 * PAGE, 4 * PAGE);
    assert_null(region_find(&list, 2 * PAGE));
    assert_null(region_find(&list, 3 * PAGE));
    assert_non_null(region_find(&list, 4 * PAGE));
    assert_int_equal(things[0].holds, 4);
    assert_int_equal(list.count, 4);
    assert_null(region_take_out(&list, 2 * PAGE, 4 * PAGE));
    assert_int_equal(region_free_some(&list, &chain, 1), 0);
    assert_int_equal(region_free_some(&list, &chain, 1), 1);
    assert_int_equal(things[0].holds, 2);
    assert_int_equal(list.count, 2);
    chain = region_take_out(&list, 0, 2 * PAGE);
    region_put_back(&list, &chain);
    assert_null(chain);
    region_remove(&list, 0, ~0ull);
    assert_int_equal(objects, 0);
}

static void anonymous(unsigned page, unsigned end, unsigned prot)
{
    assert_int_equal(region_add(&list, page * PAGE, end * PAGE, REGION_ANONYMOUS, prot), 0);
}

/* What was found last is looked at first, but only while it is in the list. */
static void what_was_found_is_forgotten_when_it_goes(void **state)
{
    anonymous(1, 3, PROT_R);
    anonymous(4, 6, PROT_W);
    assert_non_null(region_find(&list, 5 * PAGE));
    assert_null(region_find(&list, 6 * PAGE));
    assert_null(region_find(&list, 3 * PAGE));
    struct region *chain = region_take_out(&list, 4 * PAGE, 6 * PAGE);
    assert_null(region_find(&list, 5 * PAGE));
    assert_int_equal(region_free_some(&list, &chain, 1), 1);
    anonymous(3, 4, PROT_R);
    assert_int_equal(region_find(&list, 3 * PAGE)->prot, PROT_R);
    anonymous(4, 5, PROT_W);
    assert_int_equal(region_find(&list, 4 * PAGE)->prot, PROT_W);
    region_protect(&list, 4 * PAGE, 5 * PAGE, PROT_R); /* joins it with the one before */
    assert_int_equal(list.count, 1);
    assert_null(list.found);
    assert_ptr_equal(region_find(&list, 4 * PAGE), list.first);
    region_remove(&list, 0, ~0ull);
}

static void the_most_that_a_range_may_have(void **state)
{
    struct region wanted = {
        .end = 2 * PAGE, .kind = REGION_OBJECT, .most = PROT_R, .object = things};
    assert_int_equal(region_add_object(&list, &wanted), 0);
    assert_int_equal(region_add(&list, 2 * PAGE, 4 * PAGE, REGION_ANONYMOUS, PROT_R), 0);
    assert_true(region_may_have(&list, 0, 4 * PAGE, PROT_R));
    assert_false(region_may_have(&list, PAGE, 4 * PAGE, PROT_R | PROT_W));
    assert_true(region_may_have(&list, 2 * PAGE, 4 * PAGE, PROT_R | PROT_W));
    assert_true(region_all_are(&list, 2 * PAGE, 4 * PAGE, REGION_ANONYMOUS));
    assert_false(region_all_are(&list, PAGE, 4 * PAGE, REGION_ANONYMOUS));
    region_remove(&list, 0, ~0ull);
    assert_int_equal(things[0].holds, 0);
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

static void marks_split_and_join(void **state)
{
    list = (struct region_list){0};
    uint64_t base = 100 * PAGE, end = 200 * PAGE;
    assert_int_equal(region_add(&list, base, end, REGION_ANONYMOUS, PROT_R | PROT_W), 0);
    assert_int_equal(region_split(&list, base + 10 * PAGE, base + 30 * PAGE), 0);
    region_mark(&list, base + 10 * PAGE, base + 30 * PAGE, 1, 0);
    assert_int_equal(region_pinned(&list, 0, ~0ull), 20);
    assert_int_equal(region_pinned(&list, base + 25 * PAGE, base + 60 * PAGE), 5);
    assert_int_equal(region_split(&list, base + 50 * PAGE, base + 60 * PAGE), 0);
    region_mark(&list, base + 50 * PAGE, base + 60 * PAGE, 0, 7);
    assert_int_equal(region_split(&list, base + 70 * PAGE, base + 80 * PAGE), 0);
    region_mark(&list, base + 70 * PAGE, base + 80 * PAGE, 0, 3);
    assert_int_equal(list.count, 7);

    const struct region *r = region_evictable(&list, 0, 0);
    assert_int_equal(r->base, base + 70 * PAGE); /* 3 before 7 */
    r = region_evictable(&list, 3, base + 75 * PAGE);
    assert_int_equal(r->base, base + 70 * PAGE);
    r = region_evictable(&list, 3, base + 80 * PAGE);
    assert_int_equal(r->base, base + 50 * PAGE);
    assert_null(region_evictable(&list, 7, base + 60 * PAGE));

    assert_true(region_accessible(&list, base, end));
    region_protect(&list, base + 50 * PAGE, base + 60 * PAGE, PROT_R | PROT_W);
    assert_null(region_evictable(&list, 3, base + 80 * PAGE));
    assert_int_equal(list.count, 5);
    region_mark(&list, base + 10 * PAGE, base + 30 * PAGE, 0, REGION_EVICT_SAME);
    region_mark(&list, base + 70 * PAGE, base + 80 * PAGE, 0, 0);
    assert_int_equal(list.count, 1);
    region_protect(&list, base, end, 0);
    assert_false(region_accessible(&list, base + PAGE, base + 2 * PAGE));
    region_remove(&list, base, end);
    assert_int_equal(list.count, 0);
}

static void what_is_filled_joins_its_neighbours(void **state)
{
    list = (struct region_list){0};
    assert_int_equal(region_add(&list, PAGE, 2 * PAGE, REGION_ANONYMOUS, PROT_R), 0);
    assert_int_equal(region_add(&list, 3 * PAGE, 4 * PAGE, REGION_ANONYMOUS, PROT_R), 0);
    assert_int_equal(region_add(&list, 2 * PAGE, 3 * PAGE, REGION_FILLING, 0), 0);
    assert_int_equal(list.count, 3);
    region_filled(&list, 2 * PAGE, PROT_R);
    assert_int_equal(list.count, 1);
    region_remove(&list, 0, 10 * PAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes),
        cmocka_unit_test(marks_split_and_join),
        cmocka_unit_test(what_is_filled_joins_its_neighbours),
        cmocka_unit_test(neighbours_alike_are_joined),
        cmocka_unit_test(what_is_taken_out_still_holds),
        cmocka_unit_test(what_was_found_is_forgotten_when_it_goes),
        cmocka_unit_test(the_most_that_a_range_may_have),
        cmocka_unit_test(out_of_memory_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
