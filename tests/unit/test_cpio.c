// sources: lib/cpio.c
/* The boot archive: what is found in a sound one, and that no damage leads outside of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/cpio.h"

enum { ARCHIVE_MAX = 4096, MODE_OFFSET = 14, FILE_BYTES_OFFSET = 54, NAME_BYTES_OFFSET = 94 };

struct archive {
    uint8_t bytes[ARCHIVE_MAX];
    size_t length;
};

static void pad(struct archive *archive)
{
    while (archive->length % 4)
        archive->bytes[archive->length++] = 0;
}

static void append(struct archive *archive, const char *name, unsigned mode, const char *data,
                   size_t bytes)
{
    char header[128];
    size_t name_bytes = strlen(name) + 1;

    snprintf(header, sizeof header, "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08zX%08X",
             1, mode, 0, 0, 1, 0, bytes, 0, 0, 0, 0, name_bytes, 0);
    memcpy(archive->bytes + archive->length, header, 110);
    memcpy(archive->bytes + archive->length + 110, name, name_bytes);
    archive->length += 110 + name_bytes;
    pad(archive);
    if (bytes > 0)
        memcpy(archive->bytes + archive->length, data, bytes);
    archive->length += bytes;
    pad(archive);
}

static void archive_make(struct archive *archive)
{
    archive->length = 0;
    append(archive, "bin", CPIO_DIRECTORY | 0755, NULL, 0);
    append(archive, "bin/cat", CPIO_REGULAR | 0755, "meow", 4);
    append(archive, "./notes.txt", CPIO_REGULAR | 0644, "abcdefg", 7);
    append(archive, "empty", CPIO_REGULAR | 0600, "", 0);
    append(archive, "TRAILER!!!", 0, NULL, 0);
}

/* In a block of just the right size, where the sanitizer sees each step outside. */
static uint8_t *tight_copy(const struct archive *archive, size_t bytes)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);

    memcpy(copy, archive->bytes, bytes);
    return copy;
}

static int check_tight(const struct archive *archive, size_t bytes)
{
    uint8_t *copy = tight_copy(archive, bytes);
    int result = cpio_check(copy, bytes);

    free(copy);
    return result;
}

static void test_walk(void **state)
{
    static const char *const names[] = {"bin", "bin/cat", "notes.txt", "empty"};
    struct archive archive;
    struct cpio_entry entry;
    size_t position = 0;

    archive_make(&archive);
    for (size_t i = 0; i < 4; i++) {
        size_t before = position;
        assert_int_equal(cpio_next(archive.bytes, archive.length, &position, &entry), 1);
        assert_string_equal(entry.name, names[i]);
        assert_int_equal(entry.position, before);
        assert_true(position > before);
    }
    size_t before = position;
    assert_int_equal(cpio_next(archive.bytes, archive.length, &position, &entry), 0);
    assert_int_equal(position, before);
    assert_string_equal(entry.name, "empty");
    assert_int_equal(check_tight(&archive, archive.length), 4);
}

static void test_find(void **state)
{
    struct archive archive;
    struct cpio_entry entry;

    archive_make(&archive);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "bin/cat", &entry), 0);
    assert_int_equal(entry.bytes, 4);
    assert_memory_equal(entry.data, "meow", 4);
    assert_int_equal(entry.mode, CPIO_REGULAR | 0755);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "notes.txt", &entry), 0);
    assert_memory_equal(entry.data, "abcdefg", 7);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "/./bin/cat", &entry), 0);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "empty", &entry), 0);
    assert_int_equal(entry.bytes, 0);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "bin/ca", &entry), -E_NO_ENTRY);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "bin/cats", &entry), -E_NO_ENTRY);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "", &entry), -E_NO_ENTRY);
}

static void test_first_of_two(void **state)
{
    struct archive archive = {.length = 0};
    struct cpio_entry entry;

    append(&archive, "a", CPIO_REGULAR, "1", 1);
    append(&archive, "a", CPIO_REGULAR, "2", 1);
    append(&archive, "TRAILER!!!", 0, NULL, 0);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "a", &entry), 0);
    assert_int_equal(entry.data[0], '1');
}

/* The trailer's name ends in the archive's last bytes; what pads it may be cut off. */
static void test_truncated(void **state)
{
    struct archive archive;

    archive_make(&archive);
    size_t needed = archive.length;
    while (archive.bytes[needed - 2] == 0)
        needed--;
    assert_int_equal(check_tight(&archive, needed), 4);
    for (size_t bytes = 0; bytes < needed; bytes++)
        assert_int_equal(check_tight(&archive, bytes), -E_DAMAGED);
}

static void assert_damaged(size_t offset, const char *text)
{
    struct archive archive;
    struct cpio_entry entry;
    size_t position = 0;

    archive_make(&archive);
    memcpy(archive.bytes + offset, text, strlen(text));
    assert_int_equal(check_tight(&archive, archive.length), -E_DAMAGED);
    assert_int_equal(cpio_find(archive.bytes, archive.length, "none", &entry), -E_DAMAGED);
    assert_int_equal(cpio_next(archive.bytes, archive.length, &position, &entry), -E_DAMAGED);
    assert_int_equal(position, 0);
}

static void test_bad_fields(void **state)
{
    assert_damaged(0, "070702");
    assert_damaged(0, "070707");
    assert_damaged(MODE_OFFSET, "0000x1ff");
    assert_damaged(FILE_BYTES_OFFSET, "FFFFFFFF");
    assert_damaged(FILE_BYTES_OFFSET, "7FFFFFFF");
    assert_damaged(FILE_BYTES_OFFSET, "-0000001");
    assert_damaged(NAME_BYTES_OFFSET, "FFFFFFFF");
    assert_damaged(NAME_BYTES_OFFSET, "00000000");
    assert_damaged(NAME_BYTES_OFFSET, "00000001");
    assert_damaged(NAME_BYTES_OFFSET, "00000003"); /* no NUL at its end */
    assert_damaged(NAME_BYTES_OFFSET, "00000005"); /* a NUL before its end */
    assert_damaged(NAME_BYTES_OFFSET, "        ");
}

static uint32_t random_next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void test_random_damage(void **state)
{
    uint32_t seed = 2463534242;

    for (int round = 0; round < 20000; round++) {
        struct archive archive;
        struct cpio_entry entry;
        archive_make(&archive);
        for (uint32_t i = random_next(&seed) % 4; i < 4; i++)
            archive.bytes[random_next(&seed) % archive.length] =
                "0123456789ABCDEFf\0\xff/"[random_next(&seed) % 20];
        uint8_t *copy = tight_copy(&archive, archive.length);
        size_t position = 0;
        while (cpio_next(copy, archive.length, &position, &entry) == 1) {
            assert_true(entry.data >= copy && entry.data <= copy + archive.length);
            assert_true(entry.bytes <= (size_t)(copy + archive.length - entry.data));
            assert_true((const uint8_t *)entry.name + strlen(entry.name) < copy + archive.length);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk),         cmocka_unit_test(test_find),
        cmocka_unit_test(test_first_of_two), cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_bad_fields),   cmocka_unit_test(test_random_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
