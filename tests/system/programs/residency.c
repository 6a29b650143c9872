/* Large pages, resident, pinned and evictable pages; limits: residency TEST. Prints "ok". */
#include "check.h"
#include "pando_calls.h"

enum { PAGE = PAGE_BYTES, PAGES = 512 };
#define LARGE ((long)LARGE_BYTES)
#define AT    0x200000000l
#define RW    (PROT_R | PROT_W)
#define HUGE  (64l << 30) /* more than the machine has */

static unsigned char bits[RESIDENT_MAX_PAGES / 8];

static long resident(long at, long bytes)
{
    return pando_mem_resident((uint64_t)at, (uint64_t)bytes, bits);
}

static int bit(long page)
{
    return bits[page / 8] >> page % 8 & 1;
}

static void map(long at, long bytes, int flags)
{
    CHECK_IS(pando_mem_map((uint64_t)at, (uint64_t)bytes, RW, flags), 0);
}

static void unmap(long at, long bytes)
{
    CHECK_IS(pando_mem_unmap((uint64_t)at, (uint64_t)bytes), 0);
}

static volatile long *word(long at)
{
    return (volatile long *)at;
}

static void touch(long at, long pages)
{
    for (long i = 0; i < pages; i++)
        *word(at + i * PAGE) = i + 1;
}

/* --- large pages ------------------------------------------------------------------------------ */

static void large_is_zero_and_there(void)
{
    map(AT, 2 * LARGE, MEM_LARGE);
    CHECK_IS(resident(AT, 2 * LARGE), 2 * PAGES);
    for (long at = AT; at < AT + 2 * LARGE; at += 64)
        CHECK_IS(*word(at), 0);
    touch(AT, 2 * PAGES);
}

/* A part changes: what is around it stays. */
static void large_is_cut(void)
{
    unmap(AT + 7 * PAGE, PAGE);
    CHECK_IS(resident(AT, 2 * LARGE), 2 * PAGES - 1);
    CHECK(!bit(7) && bit(6) && bit(8));
    CHECK_IS(pando_mem_protect((uint64_t)(AT + LARGE + 5 * PAGE), 3 * PAGE, PROT_R), 0);
    for (long i = 0; i < 2 * PAGES; i++)
        if (i != 7)
            CHECK_IS(*word(AT + i * PAGE), i + 1);
    map(AT + 7 * PAGE, PAGE, 0);
    CHECK_IS(*word(AT + 7 * PAGE), 0);
    *word(AT + LARGE + 4 * PAGE) = 9;
    *word(AT + LARGE + 8 * PAGE) = 9;
}

static void test_large(void)
{
    for (int round = 0; round < 3; round++) {
        large_is_zero_and_there();
        large_is_cut();
        unmap(AT + LARGE - 3 * PAGE, 6 * PAGE);
        unmap(AT, 2 * LARGE);
        CHECK_IS(resident(AT, 2 * LARGE), 0);
    }
    map(AT, LARGE, MEM_LARGE); /* without access it keeps what it holds */
    *word(AT + 100) = 5;
    CHECK_IS(pando_mem_protect(AT, LARGE, 0), 0);
    CHECK_IS(resident(AT, LARGE), PAGES);
    CHECK_IS(pando_mem_protect(AT, LARGE, RW), 0);
    CHECK_IS(*word(AT + 100), 5);
}

/* More than there is: refused whole, and all of it can be had afterwards. */
static void test_too_much(void)
{
    CHECK_IS(pando_mem_map(AT, HUGE, RW, MEM_LARGE), -E_NO_MEMORY);
    CHECK_IS(resident(AT, 128l << 20), 0);
    map(AT, HUGE, 0);
    touch(AT, 3);
    CHECK_IS(pando_mem_map(AT, LARGE, RW, MEM_LARGE), -E_EXISTS);
    unmap(AT, HUGE);
    map(AT, 4 * LARGE, MEM_LARGE);
    CHECK_IS(pando_mem_map(AT + PAGE, LARGE, RW, MEM_LARGE), -E_EXISTS);
    CHECK_IS(pando_mem_map(AT + 8 * LARGE + PAGE, LARGE, RW, MEM_LARGE), -E_ALIGN);
    CHECK_IS(pando_mem_map(AT + 8 * LARGE, PAGE, RW, MEM_LARGE), -E_ALIGN);
}

/* --- residency -------------------------------------------------------------------------------- */

static void test_resident(void)
{
    CHECK_IS(resident(AT, 100 * PAGE), 0);
    map(AT, 100 * PAGE, 0);
    for (long i = 0; i < 100; i += 3)
        *word(AT + i * PAGE) = 1;
    CHECK_IS(resident(AT, 100 * PAGE), 34);
    for (long i = 0; i < 100; i++)
        CHECK_IS(bit(i), i % 3 == 0);
    CHECK_IS(resident(AT + PAGE, 2 * PAGE), 0);
    CHECK_IS(resident(AT, (RESIDENT_MAX_PAGES + 1l) * PAGE), -E_INVALID);
    CHECK_IS(resident(AT + 1, PAGE), -E_ALIGN);
    CHECK_IS(resident(AT, 0), -E_RANGE);
    map(AT + LARGE, 16 * LARGE, MEM_LARGE);
    CHECK_IS(resident(AT, RESIDENT_MAX_PAGES * (long)PAGE), 34 + 16 * PAGES);
}

static void test_pin(void)
{
    CHECK_IS(pando_mem_pin(AT, PAGE), -E_NO_ENTRY);
    map(AT, 200 * PAGE, 0);
    *word(AT + 5 * PAGE) = 77;
    CHECK_IS(pando_mem_pin(AT, 65 * PAGE), -E_INVALID);
    CHECK_IS(pando_mem_pin(AT, 64 * PAGE), 0);
    CHECK_IS(pando_mem_pin(AT, 64 * PAGE), 0);
    CHECK_IS(resident(AT, 200 * PAGE), 64);
    CHECK_IS(*word(AT + 5 * PAGE), 77);
    CHECK_IS(*word(AT + 6 * PAGE), 0);
    CHECK_IS(pando_mem_evict(AT, 200 * PAGE), -E_PERMISSION);
    CHECK_IS(pando_mem_evict(AT + 64 * PAGE, PAGE), 0);
    CHECK_IS(pando_mem_unpin(AT, 32 * PAGE), 0);
    CHECK_IS(pando_mem_evict(AT, 32 * PAGE), 0);
    CHECK_IS(pando_mem_evict(AT + 31 * PAGE, 2 * PAGE), -E_PERMISSION);
    CHECK_IS(pando_mem_evict(AT, 201 * PAGE), -E_NO_ENTRY);
    CHECK_IS(pando_mem_unpin(AT, 201 * PAGE), -E_NO_ENTRY);
    CHECK_IS(pando_mem_protect(AT + 100 * PAGE, PAGE, 0), 0);
    CHECK_IS(pando_mem_pin(AT + 99 * PAGE, 3 * PAGE), -E_PERMISSION);
    unmap(AT, 200 * PAGE);
    CHECK_IS(resident(AT, 200 * PAGE), 0);
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"large", test_large},
        {"too-much", test_too_much},
        {"resident", test_resident},
        {"pin", test_pin},
    };
    CHECK(argc > 1);
    for (unsigned i = 0; i < sizeof tests / sizeof tests[0]; i++)
        if (!strcmp(argv[1], tests[i].name)) {
            tests[i].run();
            puts("ok");
            return 0;
        }
    CHECK(!"a test of that name");
}
