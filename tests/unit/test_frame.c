// sources: kernel/shared/frame.c
/* The frame table, the buddy allocator and a kernel's caches, over 64 MiB of pretended memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "kernel/kernel.h"
#include "kernel/shared/frame.h"

#define MEMORY (64ull << 20)
#define MIB    (1ull << 20)

unsigned this_core = 3;
static char *memory;

void *arch_direct(uint64_t physical)
{
    return memory + physical;
}

uint64_t arch_direct_physical(const void *direct)
{
    return (uint64_t)((const char *)direct - memory);
}

_Noreturn void panic(const char *format, ...)
{
    mock_assert(0, format, __FILE__, __LINE__);
    abort();
}

static struct boot_info usual_memory(void)
{
    struct boot_info boot = {.loader = "test", .ranges = 2, .top = MEMORY};
    boot.range[0] = (struct boot_range){0x1000, 0x9e000};
    boot.range[1] = (struct boot_range){MIB, MEMORY - MIB};
    boot.archive_base = MEMORY - 5 * MIB;
    boot.archive_bytes = MIB + 77;
    return boot;
}

static void make(void)
{
    if (!memory)
        memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(memory, 0xa5, MEMORY); /* the table must not rely on cleared memory */
    frame_cache_forget();
    struct boot_info boot = usual_memory();
    assert_null(frame_table_make(&boot, 4));
}

static uint64_t free_frames(void)
{
    uint64_t count[FRAME_KINDS];
    frame_census(-1, count);
    return count[FRAME_FREE];
}

static int in(uint64_t frame, uint64_t base, uint64_t bytes)
{
    return frame >= base >> 12 && frame < (base + bytes + 4095) >> 12;
}

static void every_frame_is_handed_out_once(void **state)
{
    make();
    uint64_t free = free_frames(), got = 0;
    static uint8_t seen[MEMORY >> 12];
    memset(seen, 0, sizeof seen);
    for (unsigned zone = ZONE_GENERAL; zone <= ZONE_PRIVATE; zone++) {
        frame_t frame;
        while ((frame = frame_alloc(zone, FRAME_USER, (struct frame_owner){3, 9}))) {
            assert_true(frame < MEMORY >> 12);
            assert_false(seen[frame]++);
            int private =
                in(frame, (uint64_t)frame_pool_base << 12, (uint64_t)frame_pool_frames << 12);
            assert_int_equal(private, zone == ZONE_PRIVATE);
            assert_false(in(frame, 0, MIB) || in(frame, 2 * MIB, 4 * MIB));
            assert_false(in(frame, MEMORY - 5 * MIB, MIB + 77));
            assert_int_equal(frame_kind(frame), FRAME_USER);
            assert_int_equal(frame_owner(frame).process, 9);
            got++;
        }
    }
    assert_int_equal(got, free);
    assert_int_equal(free_frames(), 0);
    for (frame_t frame = 0; frame < MEMORY >> 12; frame++)
        if (seen[frame])
            frame_free(frame);
    frame_cache_drain();
    assert_int_equal(free_frames(), free);
    assert_int_not_equal(frame_alloc_block(ZONE_GENERAL, 9, FRAME_USER, owned_by_kernel(3)),
                         FRAME_NONE);
}

static void freed_frames_become_whole_blocks_again(void **state)
{
    make();
    unsigned blocks = 0, again = 0;
    while (frame_alloc_block(ZONE_GENERAL, 9, FRAME_USER, owned_by_kernel(3)))
        blocks++;
    make();
    enum { MOST = 12000 };
    static frame_t frame[MOST];
    unsigned count = 0;
    while (count < MOST &&
           (frame[count] = frame_alloc(ZONE_GENERAL, FRAME_USER, owned_by_kernel(3))))
        count++;
    srand(7);
    for (unsigned i = count; i > 0; i--) { /* in a random order */
        unsigned j = (unsigned)rand() % i;
        frame_free(frame[j]);
        frame[j] = frame[i - 1];
    }
    frame_cache_drain();
    frame_t block;
    while ((block = frame_alloc_block(ZONE_GENERAL, 9, FRAME_USER, owned_by_kernel(3)))) {
        assert_int_equal(block % 512, 0);
        again++;
    }
    assert_int_equal(again, blocks);
}

static void random_use_keeps_every_count(void **state)
{
    make();
    uint64_t free = free_frames();
    enum { HELD = 4000 };
    static frame_t held[HELD];
    memset(held, 0, sizeof held);
    srand(11);
    for (unsigned step = 0; step < 200000; step++) {
        frame_t *at = &held[(unsigned)rand() % HELD];
        if (*at) {
            frame_free(*at);
            *at = FRAME_NONE;
        } else {
            *at = frame_alloc((unsigned)rand() % 4 == 0, FRAME_PRIVATE, owned_by_kernel(3));
        }
    }
    unsigned count = 0;
    for (unsigned i = 0; i < HELD; i++)
        count += held[i] != FRAME_NONE;
    uint64_t counts[FRAME_KINDS];
    frame_census(3, counts);
    assert_int_equal(counts[FRAME_PRIVATE], count);
    assert_int_equal(free_frames() + counts[FRAME_CACHED] + count, free);
}

static void the_reserve_is_filled_and_taken(void **state)
{
    make();
    frame_reserve_fill();
    for (unsigned i = 0; i < 32; i++)
        assert_int_not_equal(frame_reserve_take(), FRAME_NONE);
    expect_assert_failure(frame_reserve_take());
}

static int told, is_short;

static void tell(int now)
{
    assert_int_not_equal(now, is_short);
    is_short = now;
    told++;
}

static void a_shortage_is_told_at_its_beginning_and_end(void **state)
{
    make();
    frame_cache_drain();
    frame_short();
    frame_on_short(tell);
    static frame_t got[MEMORY >> 12];
    unsigned count = 0;
    frame_t all = frame_usable_count();
    assert_int_equal(frame_free_count(), all);
    while (frame_free_count() >= all / 32) {
        assert_int_equal(told, 0);
        got[count++] = frame_alloc(ZONE_GENERAL, FRAME_USER, (struct frame_owner){3, 9});
    }
    assert_true(is_short && frame_short());
    while ((got[count] = frame_alloc(ZONE_GENERAL, FRAME_USER, (struct frame_owner){3, 9})))
        count++;
    assert_int_equal(frame_free_count(), 0);
    while (count && !frame_free_count())
        frame_free(got[--count]);
    assert_int_equal(told, 1); /* a few more do not end it */
    while (count)
        frame_free(got[--count]);
    assert_int_equal(told, 2);
    assert_false(is_short || frame_short());
    frame_cache_drain();
    assert_int_equal(frame_free_count(), all);
    frame_on_short(NULL);
}

static void what_is_not_the_allocators_is_not_freed(void **state)
{
    make();
    expect_assert_failure(frame_free((frame_t)(2 * MIB >> 12)));
    frame_t frame = frame_alloc(ZONE_GENERAL, FRAME_USER, owned_by_kernel(3));
    frame_free(frame);
    expect_assert_failure(frame_free(frame));
}

static void too_little_memory_is_refused(void **state)
{
    make();
    for (uint64_t bytes = 1; bytes <= 12; bytes++) {
        struct boot_info boot = {.loader = "test", .ranges = 1, .top = bytes * MIB};
        boot.range[0] = (struct boot_range){MIB, bytes * MIB};
        const char *sentence = frame_table_make(&boot, 4);
        if (bytes < 10)
            assert_non_null(strstr(sentence, "too little memory"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_frame_is_handed_out_once),
        cmocka_unit_test(freed_frames_become_whole_blocks_again),
        cmocka_unit_test(random_use_keeps_every_count),
        cmocka_unit_test(the_reserve_is_filled_and_taken),
        cmocka_unit_test(a_shortage_is_told_at_its_beginning_and_end),
        cmocka_unit_test(what_is_not_the_allocators_is_not_freed),
        cmocka_unit_test(too_little_memory_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
