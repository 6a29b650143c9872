#include "lib/cpio.h"
#include "lib/string.h"

/* An entry is a header of 13 fields of eight hexadecimal digits behind a magic number of six
 * characters, then the name with its NUL, then the data; name and data each start at a multiple of
 * four from the archive's start. */
enum {
    MAGIC_CHARS = 6,
    FIELD_CHARS = 8,
    HEADER_BYTES = 110,
    FIELD_MODE = 1,
    FIELD_FILE_BYTES = 6,
    FIELD_NAME_BYTES = 11,
    ALIGN_BYTES = 4,
};

static const char magic[] = "070701";
static const char trailer[] = "TRAILER!!!";

static int digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Returns the field's value, or -1 when it is not a number. */
static int64_t field_value(const char *header, int field)
{
    const char *text = header + MAGIC_CHARS + field * FIELD_CHARS;
    int64_t value = 0;

    for (int i = 0; i < FIELD_CHARS; i++) {
        int digit = digit_value(text[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static size_t align_up(size_t position)
{
    return (position + ALIGN_BYTES - 1) & ~(size_t)(ALIGN_BYTES - 1);
}

/* A name is what people type, so "./bin/cat", "/bin/cat" and "bin/cat" are one. */
static const char *name_plain(const char *name)
{
    for (;;) {
        if (name[0] == '/')
            name += 1;
        else if (name[0] == '.' && name[1] == '/')
            name += 2;
        else
            return name;
    }
}

int cpio_next(const void *archive, size_t archive_bytes, size_t *position, struct cpio_entry *entry)
{
    size_t start = *position;
    const char *header = (const char *)archive + start;

    if (start > archive_bytes || archive_bytes - start < HEADER_BYTES)
        return -E_DAMAGED;
    if (memcmp(header, magic, MAGIC_CHARS) != 0)
        return -E_DAMAGED;

    int64_t mode = field_value(header, FIELD_MODE);
    int64_t file_bytes = field_value(header, FIELD_FILE_BYTES);
    int64_t name_bytes = field_value(header, FIELD_NAME_BYTES);
    if (mode < 0 || file_bytes < 0 || name_bytes < 2)
        return -E_DAMAGED;

    const char *name = header + HEADER_BYTES;
    if ((uint64_t)name_bytes > archive_bytes - start - HEADER_BYTES ||
        strnlen(name, name_bytes) != (size_t)name_bytes - 1)
        return -E_DAMAGED;
    if (strcmp(name, trailer) == 0)
        return 0;

    size_t data = align_up(start + HEADER_BYTES + name_bytes);
    if (data > archive_bytes || (uint64_t)file_bytes > archive_bytes - data)
        return -E_DAMAGED;

    entry->name = name_plain(name);
    entry->data = (const uint8_t *)archive + data;
    entry->bytes = file_bytes;
    entry->mode = mode;
    entry->position = start;
    *position = align_up(data + file_bytes);
    return 1;
}

int cpio_find(const void *archive, size_t archive_bytes, const char *name, struct cpio_entry *entry)
{
    size_t position = 0;
    struct cpio_entry each;
    int more;

    name = name_plain(name);
    while ((more = cpio_next(archive, archive_bytes, &position, &each)) == 1) {
        if (strcmp(each.name, name) == 0) {
            *entry = each;
            return 0;
        }
    }
    return more < 0 ? more : -E_NO_ENTRY;
}

int cpio_check(const void *archive, size_t archive_bytes)
{
    size_t position = 0;
    struct cpio_entry each;
    int count = 0;
    int more;

    while ((more = cpio_next(archive, archive_bytes, &position, &each)) == 1)
        count++;
    return more < 0 ? more : count;
}
