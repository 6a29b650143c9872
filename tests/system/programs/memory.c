/* memory TEST: the calls on memory, with the error that each misuse must have; "ok" at the end. */
#include "tests/system/programs/check.h"

#define ARENA 0x200000000000ull
#define PAGE  PAGE_BYTES
#define RW    (PROT_R | PROT_W)
enum { EAGER_PAGES = 64, CHUNK = EAGER_PAGES * PAGE };

static long map(uint64_t at, uint64_t bytes, long prot, long flags)
{
    return pando_kernel_call(PANDO_mem_map, at, bytes, prot, flags);
}
static long unmap(uint64_t at, uint64_t bytes)
{
    return pando_kernel_call(PANDO_mem_unmap, at, bytes, 0, 0);
}
static long protect(uint64_t at, uint64_t bytes, long prot)
{
    return pando_kernel_call(PANDO_mem_protect, at, bytes, prot, 0);
}
static volatile uint64_t *word(uint64_t at)
{
    return (volatile uint64_t *)at;
}

/* Ranges that no call takes. */
static const struct {
    uint64_t at, bytes;
    long error;
} wrong_ranges[] = {
    {ARENA + 1, PAGE, E_ALIGN},
    {ARENA + 8, PAGE, E_ALIGN},
    {ARENA, PAGE + 1, E_ALIGN},
    {ARENA, 1, E_ALIGN},
    {ARENA, 0, E_RANGE},
    {0, PAGE, E_RANGE},
    {0, 0, E_RANGE},
    {KERNEL_SLOT_BASE, PAGE, E_RANGE},
    {KERNEL_SLOT_BASE - PAGE, 2 * PAGE, E_RANGE},
    {RUNTIME_BASE, PAGE, E_RANGE},
    {PROCINFO_BASE, PAGE, E_RANGE},
    {PROCDATA_BASE, PAGE, E_RANGE},
    {ARCHIVE_BASE, PAGE, E_RANGE},
    {USER_TOP - PAGE, PAGE, E_RANGE},
    {USER_TOP, PAGE, E_RANGE},
    {0x0000800000000000, PAGE, E_RANGE},
    {0x8000000000000000, PAGE, E_RANGE},
    {0xffff800000000000, PAGE, E_RANGE},
    {0xffffffff80200000, PAGE, E_RANGE},
    {0xfffffffffffff000, PAGE, E_RANGE},
    {0xfffffffffffff000, 2 * PAGE, E_RANGE},
    {ARENA, 0xfffffffffffff000, E_RANGE},
    {ARENA, 0x8000000000000000, E_RANGE},
    {ARENA, KERNEL_SLOT_BASE, E_RANGE},
};

static void test_errors(void)
{
    for (unsigned i = 0; i < sizeof wrong_ranges / sizeof *wrong_ranges; i++) {
        CHECK_IS(map(wrong_ranges[i].at, wrong_ranges[i].bytes, RW, 0), -wrong_ranges[i].error);
        CHECK_IS(unmap(wrong_ranges[i].at, wrong_ranges[i].bytes), -wrong_ranges[i].error);
        CHECK_IS(protect(wrong_ranges[i].at, wrong_ranges[i].bytes, PROT_R),
                 -wrong_ranges[i].error);
    }
    CHECK_IS(map(ARENA, PAGE, PROT_W | PROT_X, 0), -E_INVALID);
    CHECK_IS(map(ARENA, PAGE, PROT_R | PROT_W | PROT_X, 0), -E_INVALID);
    CHECK_IS(map(ARENA, PAGE, 8, 0), -E_INVALID);
    CHECK_IS(map(ARENA, PAGE, 1l << 40 | PROT_R, 0), -E_INVALID);
    CHECK_IS(map(ARENA, PAGE, RW, 4), -E_INVALID);
    CHECK_IS(map(ARENA, PAGE, RW, MEM_LARGE), -E_ALIGN);
    CHECK_IS(map(ARENA, PAGE, RW, 1l << 32), -E_INVALID);
    CHECK_IS(map(ARENA, CHUNK + PAGE, RW, MEM_EAGER), -E_INVALID);
    CHECK_IS(protect(ARENA, PAGE, PROT_R), -E_NO_ENTRY);
    CHECK_IS(unmap(ARENA, PAGE), 0);
    CHECK_IS(map(ARENA, PAGE, RW, 0), 0);
    CHECK_IS(protect(ARENA, PAGE, PROT_W | PROT_X), -E_INVALID);
    CHECK_IS(protect(ARENA, PAGE, 16), -E_INVALID);
    CHECK_IS(protect(ARENA, 2 * PAGE, PROT_R), -E_NO_ENTRY);
    CHECK_IS(protect(ARENA - PAGE, 2 * PAGE, PROT_R), -E_NO_ENTRY);
    *word(ARENA) = 1; /* still writable */
    CHECK_IS(unmap(ARENA, PAGE), 0);
}

static void test_overlaps(void)
{
    const uint64_t at = ARENA + 16 * PAGE, bytes = 4 * PAGE;
    CHECK_IS(map(at, bytes, RW, 0), 0);
    *word(at) = 4711;
    for (unsigned flags = 0; flags <= MEM_EAGER; flags++) {
        CHECK_IS(map(at, bytes, RW, flags), -E_EXISTS);
        CHECK_IS(map(at + PAGE, PAGE, RW, flags), -E_EXISTS);
        CHECK_IS(map(at - PAGE, 2 * PAGE, RW, flags), -E_EXISTS);
        CHECK_IS(map(at + 3 * PAGE, 2 * PAGE, RW, flags), -E_EXISTS);
        CHECK_IS(map(at - PAGE, bytes + 2 * PAGE, RW, flags), -E_EXISTS);
    }
    /* of what was refused, nothing is left */
    CHECK_IS(map(at - PAGE, PAGE, RW, 0), 0);
    CHECK_IS(map(at + bytes, PAGE, RW, 0), 0);
    CHECK_IS(*word(at), 4711);
    CHECK_IS(unmap(at - PAGE, bytes + 2 * PAGE), 0);
    CHECK_IS(map(at - PAGE, bytes + 2 * PAGE, RW, 0), 0);
    CHECK_IS(*word(at), 0);
    CHECK_IS(unmap(at - PAGE, bytes + 2 * PAGE), 0);
}

static void test_pieces(void)
{
    enum { PAGES = 200 };
    CHECK_IS(map(ARENA, PAGES * PAGE, RW, 0), 0);
    for (uint64_t i = 0; i < PAGES; i++)
        *word(ARENA + i * PAGE) = i + 1;
    CHECK_IS(unmap(ARENA + 50 * PAGE, 100 * PAGE), 0);
    CHECK_IS(map(ARENA + 60 * PAGE, 10 * PAGE, RW, MEM_EAGER), 0);
    for (uint64_t i = 60; i < 70; i++)
        CHECK_IS(*word(ARENA + i * PAGE), 0);
    CHECK_IS(protect(ARENA, 50 * PAGE, PROT_R), 0);
    CHECK_IS(protect(ARENA, 51 * PAGE, PROT_R), -E_NO_ENTRY);
    CHECK_IS(protect(ARENA + 10 * PAGE, 10 * PAGE, RW), 0);
    *word(ARENA + 10 * PAGE) = 11;
    for (uint64_t i = 0; i < PAGES; i++)
        if (i < 50 || i >= 150)
            CHECK_IS(*word(ARENA + i * PAGE), i + 1);
    CHECK_IS(unmap(ARENA, PAGES * PAGE), 0);
    CHECK_IS(map(ARENA, PAGES * PAGE, RW, 0), 0);
    for (uint64_t at = ARENA; at < ARENA + PAGES * PAGE; at += 8)
        CHECK_IS(*word(at), 0);
    CHECK_IS(unmap(ARENA, PAGES * PAGE), 0);
}

/* Reserved is far more than there is; only what is touched costs, and it is zero. */
static void test_reserve(void)
{
    const uint64_t bytes = 1ull << 30;
    for (unsigned i = 0; i < 8; i++)
        CHECK_IS(map(ARENA + i * bytes, bytes, RW, 0), 0);
    for (uint64_t at = ARENA; at < ARENA + 8 * bytes; at += 61 * (1ull << 20)) {
        for (unsigned i = 0; i < PAGE / 8; i++)
            CHECK_IS(word(at / PAGE * PAGE)[i], 0);
        *word(at / PAGE * PAGE) = at;
    }
    CHECK_IS(unmap(ARENA, 8 * bytes), 0);
}

/* Memory that was used before, by this process or another, comes back as zeroes. */
static void test_zero(void)
{
    for (unsigned round = 0; round < 4; round++) {
        CHECK_IS(map(ARENA, 8 << 20, RW, 0), 0);
        for (uint64_t at = ARENA; at < ARENA + (8 << 20); at += 8) {
            CHECK_IS(*word(at), 0);
            *word(at) = ~at;
        }
        CHECK_IS(unmap(ARENA, 8 << 20), 0);
    }
}

/* The asker is refused, keeps what it has, and gets more once it has given some back. */
static void test_exhaust(void)
{
    uint64_t chunks = 0;
    long error;
    while ((error = map(ARENA + chunks * CHUNK, CHUNK, RW, MEM_EAGER)) == 0) {
        *word(ARENA + chunks * CHUNK) = chunks + 1;
        chunks++;
    }
    CHECK_IS(error, -E_NO_MEMORY);
    CHECK(chunks > 10);
    CHECK_IS(map(ARENA + chunks * CHUNK, CHUNK, RW, MEM_EAGER), -E_NO_MEMORY);
    for (uint64_t i = 0; i < chunks; i++)
        CHECK_IS(*word(ARENA + i * CHUNK), i + 1);
    CHECK_IS(unmap(ARENA, chunks / 2 * CHUNK), 0);
    for (uint64_t i = 0; i < chunks / 2; i++)
        CHECK_IS(map(ARENA + i * CHUNK, CHUNK, RW, MEM_EAGER), 0);
    CHECK_IS(unmap(ARENA, chunks * CHUNK), 0);
}

/* Does not come back: there is not so much. */
static void test_touch(void)
{
    CHECK_IS(map(ARENA, 1ull << 38, RW, 0), 0);
    for (uint64_t at = ARENA;; at += PAGE)
        *word(at) = 1;
}

/* One page in each top-level slot, until no more are to be had. */
static void test_slots(void)
{
    long error = 0;
    unsigned slot = 1;
    for (; slot < 200 && !error; slot++)
        error = map((uint64_t)slot << SLOT_SHIFT, PAGE, RW, MEM_EAGER);
    CHECK(error == 0 || error == -E_NO_MEMORY || error == -E_LIMIT);
    CHECK(slot > 8);
    for (unsigned i = 1; i < slot - 1; i++)
        CHECK_IS(unmap((uint64_t)i << SLOT_SHIFT, PAGE), 0);
}

/* Not to be run to its end: what is executable is not writable, and so on. */
static void test_forbidden(const char *what)
{
    CHECK_IS(map(ARENA, PAGE, RW, 0), 0);
    *word(ARENA) = 0xc3c3c3c3c3c3c3c3;
    if (!strcmp(what, "write")) {
        CHECK_IS(protect(ARENA, PAGE, PROT_R), 0);
        *word(ARENA) = 1;
    } else if (!strcmp(what, "execute")) {
        CHECK_IS(protect(ARENA, PAGE, PROT_R), 0);
        ((void (*)(void))ARENA)();
    } else if (!strcmp(what, "read")) {
        CHECK_IS(protect(ARENA, PAGE, 0), 0);
        (void)*word(ARENA);
    } else if (!strcmp(what, "unmapped")) {
        CHECK_IS(unmap(ARENA, PAGE), 0);
        (void)*word(ARENA);
    } else if (!strcmp(what, "permitted")) {
        CHECK_IS(protect(ARENA, PAGE, PROT_R | PROT_X), 0);
        ((void (*)(void))ARENA)();
        exit(0);
    }
    exit(42);
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*test)(void);
    } tests[] = {{"errors", test_errors},   {"overlaps", test_overlaps}, {"pieces", test_pieces},
                 {"reserve", test_reserve}, {"zero", test_zero},         {"exhaust", test_exhaust},
                 {"touch", test_touch},     {"slots", test_slots}};
    if (argc > 3 && !strcmp(argv[2], "on")) /* memory TEST on VCORES: from a granted core */
        CHECK(pando_vcores_request(number_of(argv[3])) > 0);
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++)
        if (!strcmp(argv[1], tests[i].name)) {
            tests[i].test();
            printf("ok\n");
            return 0;
        }
    test_forbidden(argv[1]);
}
