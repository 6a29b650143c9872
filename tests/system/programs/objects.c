/* objects TEST [ARGUMENT]: memory objects, shared and copy-on-write; "ok" at the end. Tests with "child" before their
 * name are what the others run: with an object at THEIRS. */
#include "tests/system/programs/check.h"

#define OURS   0x210000000000ull
#define THEIRS 0x220000000000ull
#define PAGE   PAGE_BYTES
#define RW     (PROT_R | PROT_W)
enum { PAGES = 40 };

static long object_of(uint64_t pages)
{
    long object = pando_object_create(pages * PAGE);
    CHECK(object > 0);
    return object;
}

static long map_part(long object, long process, uint64_t at, uint64_t offset, uint64_t bytes,
                     uint32_t prot, uint32_t mode)
{
    struct map_request request = {at, offset, bytes, prot, mode};
    return pando_object_map(object, process, &request);
}

static long map(long object, long process, uint64_t at, uint64_t pages, uint32_t prot,
                uint32_t mode)
{
    return map_part(object, process, at, 0, pages * PAGE, prot, mode);
}

static volatile uint64_t *word(uint64_t at, unsigned page)
{
    return (volatile uint64_t *)(at + page * (uint64_t)PAGE);
}

static void fill(uint64_t at, uint64_t factor)
{
    for (unsigned i = 0; i < PAGES; i++)
        *word(at, i) = i * factor;
}

static void expect(uint64_t at, uint64_t factor)
{
    for (unsigned i = 0; i < PAGES; i++)
        CHECK_IS(*word(at, i), i * factor);
}

static long child_with(const char *test, long object, uint32_t prot, uint32_t mode)
{
    long child = child_try("objects", "child", test, NULL);
    CHECK(child > 0);
    CHECK_IS(map(object, child, THEIRS, PAGES, prot, mode), 0);
    CHECK_IS(child_run(child), 0);
    return child;
}

static void child_shared(void)
{
    expect(THEIRS, 3);
    fill(THEIRS, 7);
}

/* What one writes the other reads, and both see zeros where nobody wrote. */
static void test_shared(void)
{
    long object = object_of(PAGES);
    CHECK_IS(pando_object_bytes(object), PAGES * PAGE);
    CHECK_IS(map(object, 0, OURS, PAGES, RW, OBJECT_SHARED), 0);
    expect(OURS, 0);
    fill(OURS, 3);
    CHECK_IS(child_wait(child_with("shared", object, RW, OBJECT_SHARED)), 0);
    expect(OURS, 7);
    CHECK_IS(pando_mem_unmap(OURS, PAGES * PAGE), 0);
    CHECK_IS(map(object, 0, OURS, PAGES, PROT_R, OBJECT_SHARED), 0);
    expect(OURS, 7);
}

static void child_copy(void)
{
    expect(THEIRS, 3);
    for (unsigned i = 0; i < PAGES; i += 2)
        *word(THEIRS, i) = 99;
    CHECK_IS(pando_mem_protect(THEIRS, PAGES * PAGE, PROT_R), 0);
    CHECK_IS(pando_mem_protect(THEIRS, PAGES * PAGE, RW), 0);
    for (unsigned i = 0; i < PAGES; i++)
        CHECK_IS(*word(THEIRS, i), i % 2 ? i * 3 : 99);
    fill(THEIRS, 11);
    expect(THEIRS, 11);
}

/* A copy is its process's alone: one written before it was read, one after, two beside each other. */
static void test_copy(void)
{
    long object = object_of(PAGES);
    CHECK_IS(map(object, 0, OURS, PAGES, RW, OBJECT_SHARED), 0);
    fill(OURS, 3);
    long one = child_with("copy", object, RW, OBJECT_COPY);
    long other = child_with("copy", object, RW, OBJECT_COPY);
    CHECK_IS(child_wait(one), 0);
    CHECK_IS(child_wait(other), 0);
    expect(OURS, 3);
    CHECK_IS(map(object, 0, THEIRS, PAGES, RW, OBJECT_COPY), 0);
    fill(THEIRS, 5);
    expect(OURS, 3);
    CHECK_IS(pando_mem_unmap(THEIRS, PAGES * PAGE), 0);
    CHECK_IS(map(object, 0, THEIRS, PAGES, RW, OBJECT_COPY), 0);
    expect(THEIRS, 3);
}

static void child_write(void)
{
    *word(THEIRS, 0) = 1;
}

static void child_stay(void)
{
    expect(THEIRS, 3);
    CHECK_IS(pando_mem_protect(THEIRS, PAGES * PAGE, RW), -E_PERMISSION);
    CHECK_IS(pando_mem_protect(THEIRS + PAGE, PAGE, PROT_R), 0);
}

/* Rights bound what a mapping is and may become. */
static void test_rights(void)
{
    long object = object_of(PAGES);
    long reader = pando_handle_duplicate(object, RIGHT_MAP | RIGHT_READ);
    long viewer = pando_handle_duplicate(object, RIGHT_READ | RIGHT_WRITE);
    CHECK_IS(map(object, 0, OURS, PAGES, RW, OBJECT_SHARED), 0);
    fill(OURS, 3);
    CHECK_IS(map(viewer, 0, THEIRS, PAGES, PROT_R, OBJECT_SHARED), -E_PERMISSION);
    CHECK_IS(map(reader, 0, THEIRS, PAGES, RW, OBJECT_SHARED), -E_PERMISSION);
    CHECK_IS(map(reader, 0, THEIRS, PAGES, RW, OBJECT_COPY), 0);
    fill(THEIRS, 4);
    expect(OURS, 3);
    CHECK_IS(child_wait(child_with("stay", reader, PROT_R, OBJECT_SHARED)), 0);
    CHECK_IS(child_wait(child_with("write", reader, PROT_R, OBJECT_SHARED)), STATUS_FAULT);
    CHECK_IS(*word(OURS, 0), 0);
}

static void test_errors(void)
{
    long object = object_of(PAGES), process = child_try("objects", "child", "stay", NULL);
    CHECK_IS(pando_object_create(0), -E_INVALID);
    CHECK_IS(pando_object_create(PAGE + 1), -E_ALIGN);
    CHECK_IS(pando_object_create(OBJECT_MAX_BYTES + PAGE), -E_INVALID);
    CHECK_IS(pando_object_bytes(0), -E_NO_ENTRY);
    CHECK_IS(pando_object_bytes(process), -E_KIND);
    CHECK_IS(map(process, 0, OURS, 1, RW, OBJECT_SHARED), -E_KIND);
    CHECK_IS(map(99, 0, OURS, 1, RW, OBJECT_SHARED), -E_NO_ENTRY);
    CHECK_IS(map(object, 99, OURS, 1, RW, OBJECT_SHARED), -E_NO_ENTRY);
    CHECK_IS(map(object, object, OURS, 1, RW, OBJECT_SHARED), -E_KIND);
    CHECK_IS(map(object, 0, OURS, 1, RW, OBJECT_MODES), -E_INVALID);
    CHECK_IS(map(object, 0, OURS, 1, PROT_W | PROT_X, OBJECT_SHARED), -E_INVALID);
    CHECK_IS(map(object, 0, OURS, 1, 8, OBJECT_SHARED), -E_INVALID);
    CHECK_IS(map(object, 0, OURS + 1, 1, RW, OBJECT_SHARED), -E_ALIGN);
    CHECK_IS(map_part(object, 0, OURS, 8, PAGE, RW, OBJECT_SHARED), -E_ALIGN);
    CHECK_IS(map(object, 0, KERNEL_SLOT_BASE, 1, RW, OBJECT_SHARED), -E_RANGE);
    CHECK_IS(map(object, 0, OURS, PAGES + 1, RW, OBJECT_SHARED), -E_RANGE);
    CHECK_IS(map_part(object, 0, OURS, PAGE, PAGES * PAGE, RW, OBJECT_SHARED), -E_RANGE);
    CHECK_IS(map_part(object, 0, OURS, -(uint64_t)PAGE, 2 * PAGE, RW, OBJECT_SHARED), -E_RANGE);
    CHECK_IS(map(object, 0, OURS, PAGES, RW, OBJECT_SHARED), 0);
    CHECK_IS(map(object, 0, OURS + (PAGES - 1) * PAGE, 2, RW, OBJECT_SHARED), -E_EXISTS);
    CHECK_IS(pando_mem_map(OURS + PAGE, PAGE, RW, 0), -E_EXISTS);
    CHECK_IS(map(object, process, THEIRS, PAGES, PROT_R, OBJECT_SHARED), 0);
    fill(OURS, 3);
    CHECK_IS(child_run(process), 0);
    CHECK_IS(map(object, process, OURS, PAGES, PROT_R, OBJECT_SHARED), -E_STATE);
    child_ending(process);
    CHECK_IS(map(object, process, OURS, PAGES, PROT_R, OBJECT_SHARED), -E_STATE);
}

/* A mapping keeps the object without a handle, and its parts are parts of the object. */
static void test_parts(void)
{
    long object = object_of(PAGES);
    CHECK_IS(map(object, 0, OURS, PAGES, RW, OBJECT_SHARED), 0);
    CHECK_IS(map_part(object, 0, THEIRS, 8 * PAGE, 16 * PAGE, RW, OBJECT_SHARED), 0);
    CHECK_IS(pando_handle_close(object), 0);
    for (unsigned i = 0; i < 16; i++)
        *word(THEIRS, i) = i + 1;
    for (unsigned i = 0; i < PAGES; i++)
        CHECK_IS(*word(OURS, i), i >= 8 && i < 24 ? i - 7 : 0);
    CHECK_IS(pando_mem_unmap(OURS + 4 * PAGE, 8 * PAGE), 0);
    CHECK_IS(pando_mem_protect(THEIRS + 3 * PAGE, PAGE, 0), 0);
    for (unsigned i = 12; i < PAGES; i++)
        CHECK_IS(*word(OURS, i), i < 24 ? i - 7 : 0);
    CHECK_IS(pando_mem_protect(THEIRS + 3 * PAGE, PAGE, RW), 0);
    CHECK_IS(*word(THEIRS, 3), 4);
    CHECK_IS(pando_mem_unmap(OURS, PAGES * PAGE), 0);
    CHECK_IS(*word(THEIRS, 15), 16);
}

/* Large objects, with holes, come and go: more in all than the machine has. */
static void test_large(long rounds)
{
    for (long round = 0; round < rounds; round++) {
        long object = pando_object_create(OBJECT_MAX_BYTES);
        CHECK(object > 0);
        CHECK_IS(map(object, 0, OURS, OBJECT_MAX_BYTES / PAGE, RW, OBJECT_SHARED), 0);
        for (uint64_t page = 0; page < OBJECT_MAX_BYTES / PAGE; page += 1023)
            *word(OURS, (unsigned)page) = page;
        for (uint64_t page = 0; page < 3000; page++)
            *word(OURS, (unsigned)page) = page;
        CHECK_IS(pando_handle_close(object), 0);
        for (uint64_t page = 0; page < OBJECT_MAX_BYTES / PAGE; page += 1023)
            CHECK_IS(*word(OURS, (unsigned)page), page);
        CHECK_IS(pando_mem_unmap(OURS, OBJECT_MAX_BYTES), 0);
    }
}

/* --- several vcores -------------------------------------------------------------------------- */

static long vcores;
static volatile int stop;

/* Reads pages that others write: what it saw once never goes back. */
static void *read_on(void *arg)
{
    uint64_t seen[PAGES] = {0};
    while (!stop)
        for (unsigned i = 0; i < PAGES; i++) {
            uint64_t now = *word(OURS, i);
            CHECK(now >= seen[i]);
            seen[i] = now;
        }
    return arg;
}

/* A page is written by its first writer while the others read it; when the writer has written, it tells
 * by a word elsewhere, and whoever sees that word must see the page's new value. */
static volatile uint64_t told[PAGES];
static unsigned late;

static void *check_told(void *arg)
{
    while (!stop)
        for (unsigned i = 0; i < PAGES; i++) {
            uint64_t before = told[i];
            if (*word(OURS, i) < before)
                late++;
        }
    return arg;
}

static void test_many(long count)
{
    long object = object_of(PAGES);
    struct uthread *uthread[16];
    vcores = count;
    CHECK_IS(pando_vcores_request((unsigned)vcores), vcores);
    CHECK_IS(map(object, 0, OURS, PAGES, RW, OBJECT_COPY), 0);
    for (unsigned i = 0; i < PAGES; i++)
        CHECK_IS(*word(OURS, i), 0);
    for (long i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread[i], i % 2 ? check_told : read_on, NULL), 0);
    for (unsigned round = 1; round <= 20; round++) {
        for (unsigned i = 0; i < PAGES; i++) {
            *word(OURS, i) = round;
            told[i] = round;
        }
        uthread_yield();
    }
    stop = 1;
    for (long i = 1; i < vcores; i++)
        CHECK_IS(uthread_join(uthread[i], NULL), 0);
    CHECK_IS(late, 0);
}

/* All vcores write to pages of their own copy at once, each its own word of each page: none is lost. */
static void *write_own(void *arg)
{
    for (unsigned i = 0; i < PAGES; i++)
        word(OURS, i)[(long)arg] = (uint64_t)arg + i;
    return arg;
}

static void test_writers(long count)
{
    struct uthread *uthread[16];
    CHECK_IS(pando_vcores_request((unsigned)count), count);
    for (unsigned round = 0; round < 8; round++) {
        long object = object_of(PAGES);
        CHECK_IS(map(object, 0, OURS, PAGES, RW, OBJECT_COPY), 0);
        for (unsigned i = round % 2 * PAGES; i < PAGES; i++)
            CHECK_IS(*word(OURS, i), 0); /* the object's page, which all may hold */
        for (long i = 1; i < count; i++)
            CHECK_IS(uthread_create(&uthread[i], write_own, (void *)i), 0);
        write_own(NULL);
        for (long i = 1; i < count; i++)
            CHECK_IS(uthread_join(uthread[i], NULL), 0);
        for (unsigned i = 0; i < PAGES; i++)
            for (long writer = 0; writer < count; writer++)
                CHECK_IS(word(OURS, i)[writer], writer + i);
        CHECK_IS(pando_mem_unmap(OURS, PAGES * PAGE), 0);
        CHECK_IS(pando_handle_close(object), 0);
    }
}

/* Ends while all its vcores are in the middle of such faults. */
static void *exit_amid(void *arg)
{
    for (unsigned i = 0; i < PAGES; i++) {
        word(OURS, i)[(long)arg] = 1;
        if ((long)arg == 1 && i == PAGES / 2)
            exit(7);
    }
    for (;;)
        ;
    return arg;
}

static void test_exit(long count)
{
    struct uthread *uthread;
    long object = object_of(PAGES);
    CHECK_IS(pando_vcores_request((unsigned)count), count);
    CHECK_IS(map(object, 0, OURS, PAGES, RW, OBJECT_COPY), 0);
    for (unsigned i = 0; i < PAGES; i++)
        CHECK_IS(*word(OURS, i), 0);
    for (long i = 1; i < count; i++)
        CHECK_IS(uthread_create(&uthread, exit_amid, (void *)i), 0);
    exit_amid(NULL);
}

static void run_test(const char *name, long number)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {{"shared", test_shared},
                 {"copy", test_copy},
                 {"rights", test_rights},
                 {"errors", test_errors},
                 {"parts", test_parts}};
    static const struct {
        const char *name;
        void (*run)(long number);
    } numbered[] = {
        {"large", test_large}, {"many", test_many}, {"writers", test_writers}, {"exit", test_exit}};
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++)
        if (!strcmp(name, tests[i].name))
            tests[i].run();
    for (unsigned i = 0; i < sizeof numbered / sizeof *numbered; i++)
        if (!strcmp(name, numbered[i].name))
            numbered[i].run(number);
}

int main(int argc, char *argv[])
{
    if (argc > 2 && !strcmp(argv[1], "child")) {
        if (!strcmp(argv[2], "shared"))
            child_shared();
        else if (!strcmp(argv[2], "copy"))
            child_copy();
        else if (!strcmp(argv[2], "write"))
            child_write();
        else
            child_stay();
        return 0;
    }
    run_test(argv[1], argc > 2 ? number_of(argv[2]) : 0);
    puts("ok");
    return 0;
}
