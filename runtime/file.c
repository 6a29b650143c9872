#include "runtime/file.h"
#include "runtime/open_file.h"
#include "runtime/call.h"
#include "runtime/vcore.h"
#include "abi/layout.h"
#include "lib/string.h"

struct mutex file_mutex;
static struct open_file input = {.refs = 1, .kind = OPEN_INPUT};
static struct open_file output = {.refs = 1, .kind = OPEN_CONSOLE, .stream = STREAM_OUTPUT};
static struct open_file error = {.refs = 1, .kind = OPEN_CONSOLE, .stream = STREAM_ERROR};
static struct open_file open_files[OPEN_FILES_MAX]; /* free if refs is 0 */
static struct open_file *descriptors[DESCRIPTORS_MAX] = {&input, &output, &error};

static bool names_root(const char *path)
{
    return strcmp(path, "/") == 0 || strcmp(path, ".") == 0 || strcmp(path, "./") == 0;
}

int archive_find(const char *path, struct cpio_entry *entry)
{
    size_t archive_bytes = pando_procinfo()->archive_bytes;

    if (names_root(path)) {
        *entry = (struct cpio_entry){.name = "", .mode = CPIO_DIRECTORY | 0555};
        return 0;
    }
    if (archive_bytes == 0)
        return -E_NO_ENTRY;
    return cpio_find((const void *)ARCHIVE_BASE, archive_bytes, path, entry);
}

struct open_file *descriptor_file(uint64_t fd)
{
    return fd < DESCRIPTORS_MAX ? descriptors[fd] : NULL;
}

int64_t descriptor_add(struct open_file *file, uint64_t lowest)
{
    for (uint64_t fd = lowest; fd < DESCRIPTORS_MAX; fd++) {
        if (descriptors[fd])
            continue;
        descriptors[fd] = file;
        file->refs++;
        return fd;
    }
    return -LINUX_EMFILE;
}

int64_t descriptor_open(const struct cpio_entry *entry)
{
    for (int i = 0; i < OPEN_FILES_MAX; i++) {
        struct open_file *file = &open_files[i];
        if (file->refs > 0)
            continue;
        file->kind = OPEN_FILE;
        file->entry = *entry;
        file->offset = 0;
        return descriptor_add(file, 0);
    }
    return -LINUX_EMFILE;
}

int64_t descriptor_close(uint64_t fd)
{
    struct open_file *file = descriptor_file(fd);

    if (!file)
        return -LINUX_EBADF;
    descriptors[fd] = NULL;
    file->refs--;
    return 0;
}

int64_t file_contents(uint64_t fd, const uint8_t **data)
{
    mutex_take(&file_mutex);
    const struct open_file *file = descriptor_file(fd);
    int64_t result = -LINUX_EBADF;
    if (file && (file->kind != OPEN_FILE || (file->entry.mode & CPIO_TYPE_MASK) != CPIO_REGULAR)) {
        result = -LINUX_EACCES;
    } else if (file) {
        *data = file->entry.data;
        result = file->entry.bytes;
    }
    mutex_release(&file_mutex);
    return result;
}
