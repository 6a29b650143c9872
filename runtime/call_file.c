/* Calls on files. Names are those of the boot archive, from its root; all is read-only. */
#include "runtime/call.h"
#include "runtime/file.h"
#include "runtime/open_file.h"
#include "abi/error.h"
#include "lib/string.h"

enum { OPEN_WRITE_MODES = 3, OPEN_CREATE = 0100, OPEN_TRUNCATE = 01000, OPEN_DIRECTORY = 0200000 };
enum { OPEN_MODE_WRITE = 1 };
enum { SEEK_FROM_START, SEEK_FROM_HERE, SEEK_FROM_END };
enum { FCNTL_DUP = 0, FCNTL_GET_FD, FCNTL_SET_FD, FCNTL_GET_FLAGS, FCNTL_SET_FLAGS };
enum { FCNTL_DUP_CLOEXEC = 1030, ACCESS_WRITE = 2, PIECES_MAX = 1024 };
enum { AT_THIS_FOLDER = -100, AT_EMPTY_PATH = 0x1000 };
enum { MODE_CONSOLE = 0020620 };

/* --- reading ------------------------------------------------------------------------------------
 */

/* Reads into the pieces from *offset on, which moves. */
static int64_t file_read(const struct open_file *file, uint64_t *offset,
                         const struct io_piece *pieces, size_t count)
{
    int64_t done = 0;

    if (file->kind == OPEN_CONSOLE)
        return -LINUX_EBADF;
    if (file->kind == OPEN_INPUT)
        return 0;
    if ((file->entry.mode & CPIO_TYPE_MASK) == CPIO_DIRECTORY)
        return -LINUX_EISDIR;
    for (size_t i = 0; i < count && *offset < file->entry.bytes; i++) {
        uint64_t rest = file->entry.bytes - *offset;
        uint64_t part = pieces[i].bytes < rest ? pieces[i].bytes : rest;
        memcpy(pieces[i].data, file->entry.data + *offset, part);
        *offset += part;
        done += part;
    }
    return done;
}

static int64_t descriptor_read(uint64_t fd, const struct io_piece *pieces, size_t count)
{
    if (count > PIECES_MAX)
        return -LINUX_EINVAL;
    mutex_take(&file_mutex);
    struct open_file *file = descriptor_file(fd);
    int64_t result = file ? file_read(file, &file->offset, pieces, count) : -LINUX_EBADF;
    mutex_release(&file_mutex);
    return result;
}

/* read(fd, to, bytes) */
int64_t answer_read(const uint64_t *args)
{
    const struct io_piece piece = {(uint8_t *)args[1], args[2]};

    return descriptor_read(args[0], &piece, 1);
}

/* readv(fd, pieces, count) */
int64_t answer_readv(const uint64_t *args)
{
    return descriptor_read(args[0], (const struct io_piece *)args[1], args[2]);
}

/* pread64(fd, to, bytes, offset) */
int64_t answer_pread(const uint64_t *args)
{
    const struct io_piece piece = {(uint8_t *)args[1], args[2]};
    uint64_t offset = args[3];
    int64_t result = -LINUX_EBADF;

    if ((int64_t)offset < 0)
        return -LINUX_EINVAL;
    mutex_take(&file_mutex);
    const struct open_file *file = descriptor_file(args[0]);
    if (file)
        result = file->kind == OPEN_FILE ? file_read(file, &offset, &piece, 1) : -LINUX_ESPIPE;
    mutex_release(&file_mutex);
    return result;
}

/* --- writing ------------------------------------------------------------------------------------
 */

static int64_t descriptor_write(uint64_t fd, const struct io_piece *pieces, size_t count)
{
    if (count > PIECES_MAX)
        return -LINUX_EINVAL;
    mutex_take(&file_mutex);
    const struct open_file *file = descriptor_file(fd);
    int stream = file && file->kind == OPEN_CONSOLE ? file->stream : 0;
    mutex_release(&file_mutex);
    if (!stream)
        return -LINUX_EBADF;
    int64_t written = console_write(stream, pieces, count);
    return written < 0 ? -LINUX_EIO : written;
}

/* write(fd, from, bytes) */
int64_t answer_write(const uint64_t *args)
{
    const struct io_piece piece = {(uint8_t *)args[1], args[2]};

    return descriptor_write(args[0], &piece, 1);
}

/* writev(fd, pieces, count) */
int64_t answer_writev(const uint64_t *args)
{
    return descriptor_write(args[0], (const struct io_piece *)args[1], args[2]);
}

/* --- opening and closing ------------------------------------------------------------------------
 */

static int64_t path_find(const char *path, struct cpio_entry *entry)
{
    if (!path[0])
        return -LINUX_ENOENT;
    int error = archive_find(path, entry);
    return error < 0 ? call_error(error) : 0;
}

static int64_t path_open(const char *path, uint64_t flags)
{
    struct cpio_entry entry;
    bool changes = (flags & OPEN_WRITE_MODES) || (flags & OPEN_TRUNCATE);
    int64_t error = path_find(path, &entry);

    if (error == -LINUX_ENOENT && (flags & OPEN_CREATE))
        return -LINUX_EROFS;
    if (error < 0)
        return error;
    if (changes)
        return -LINUX_EROFS;
    if ((flags & OPEN_DIRECTORY) && (entry.mode & CPIO_TYPE_MASK) != CPIO_DIRECTORY)
        return -LINUX_ENOTDIR;
    mutex_take(&file_mutex);
    int64_t fd = descriptor_open(&entry);
    mutex_release(&file_mutex);
    return fd;
}

/* Paths count from the root, which is the current folder too; no other folder can be a start. */
static int64_t start_check(uint64_t start, const char *path)
{
    return path[0] == '/' || (int32_t)start == AT_THIS_FOLDER ? 0 : -LINUX_EBADF;
}

/* open(path, flags, mode) */
int64_t answer_open(const uint64_t *args)
{
    return path_open((const char *)args[0], args[1]);
}

/* openat(start, path, flags, mode) */
int64_t answer_openat(const uint64_t *args)
{
    int64_t error = start_check(args[0], (const char *)args[1]);

    return error < 0 ? error : path_open((const char *)args[1], args[2]);
}

/* close(fd) */
int64_t answer_close(const uint64_t *args)
{
    mutex_take(&file_mutex);
    int64_t result = descriptor_close(args[0]);
    mutex_release(&file_mutex);
    return result;
}

static int64_t descriptor_dup(uint64_t fd, uint64_t lowest)
{
    mutex_take(&file_mutex);
    struct open_file *file = descriptor_file(fd);
    int64_t result = file ? descriptor_add(file, lowest) : -LINUX_EBADF;
    mutex_release(&file_mutex);
    return result;
}

/* dup(fd) */
int64_t answer_dup(const uint64_t *args)
{
    return descriptor_dup(args[0], 0);
}

/* --- position and properties --------------------------------------------------------------------
 */

static int64_t file_seek(struct open_file *file, int64_t by, uint64_t from)
{
    int64_t base = 0;

    if (file->kind != OPEN_FILE)
        return -LINUX_ESPIPE;
    if (from > SEEK_FROM_END)
        return -LINUX_EINVAL;
    if (from == SEEK_FROM_HERE)
        base = file->offset;
    if (from == SEEK_FROM_END)
        base = file->entry.bytes;
    if (__builtin_add_overflow(base, by, &base) || base < 0)
        return -LINUX_EINVAL;
    file->offset = base;
    return base;
}

/* lseek(fd, by, from) */
int64_t answer_lseek(const uint64_t *args)
{
    mutex_take(&file_mutex);
    struct open_file *file = descriptor_file(args[0]);
    int64_t result = file ? file_seek(file, args[1], args[2]) : -LINUX_EBADF;
    mutex_release(&file_mutex);
    return result;
}

static void stat_entry(struct linux_stat *to, const struct cpio_entry *entry)
{
    *to = (struct linux_stat){
        .inode = entry->position + 1,
        .links = 1,
        .mode = entry->mode,
        .bytes = entry->bytes,
        .block_bytes = PAGE_BYTES,
        .blocks = (entry->bytes + 511) / 512,
    };
}

static int64_t stat_descriptor(uint64_t fd, struct linux_stat *to)
{
    static const struct cpio_entry console = {.mode = MODE_CONSOLE};

    mutex_take(&file_mutex);
    const struct open_file *file = descriptor_file(fd);
    if (file)
        stat_entry(to, file->kind == OPEN_FILE ? &file->entry : &console);
    mutex_release(&file_mutex);
    return file ? 0 : -LINUX_EBADF;
}

static int64_t stat_path(const char *path, struct linux_stat *to)
{
    struct cpio_entry entry;
    int64_t error = path_find(path, &entry);

    if (error == 0)
        stat_entry(to, &entry);
    return error;
}

/* stat(path, to), lstat(path, to) */
int64_t answer_stat(const uint64_t *args)
{
    return stat_path((const char *)args[0], (struct linux_stat *)args[1]);
}

/* fstat(fd, to) */
int64_t answer_fstat(const uint64_t *args)
{
    return stat_descriptor(args[0], (struct linux_stat *)args[1]);
}

/* newfstatat(start, path, to, flags) */
int64_t answer_fstatat(const uint64_t *args)
{
    const char *path = (const char *)args[1];

    if (!path[0] && (args[3] & AT_EMPTY_PATH))
        return stat_descriptor(args[0], (struct linux_stat *)args[2]);
    int64_t error = start_check(args[0], path);
    return error < 0 ? error : stat_path(path, (struct linux_stat *)args[2]);
}

static int64_t path_access(const char *path, uint64_t mode)
{
    struct cpio_entry entry;
    int64_t error = path_find(path, &entry);

    return error == 0 && (mode & ACCESS_WRITE) ? -LINUX_EROFS : error;
}

/* access(path, mode) */
int64_t answer_access(const uint64_t *args)
{
    return path_access((const char *)args[0], args[1]);
}

/* faccessat(start, path, mode) */
int64_t answer_faccessat(const uint64_t *args)
{
    int64_t error = start_check(args[0], (const char *)args[1]);

    return error < 0 ? error : path_access((const char *)args[1], args[2]);
}

/* readlink(path, to, bytes): there are no links. */
int64_t answer_readlink(const uint64_t *args)
{
    struct cpio_entry entry;
    int64_t error = path_find((const char *)args[0], &entry);

    return error < 0 ? error : -LINUX_EINVAL;
}

/* ioctl(fd, ...): the console is not a terminal. */
int64_t answer_ioctl(const uint64_t *args)
{
    mutex_take(&file_mutex);
    bool valid = descriptor_file(args[0]) != NULL;
    mutex_release(&file_mutex);
    return valid ? -LINUX_ENOTTY : -LINUX_EBADF;
}

/* fcntl(fd, command, argument) */
int64_t answer_fcntl(const uint64_t *args)
{
    mutex_take(&file_mutex);
    const struct open_file *file = descriptor_file(args[0]);
    bool writes = file && file->kind == OPEN_CONSOLE;
    mutex_release(&file_mutex);
    if (!file)
        return -LINUX_EBADF;
    switch (args[1]) {
    case FCNTL_DUP:
    case FCNTL_DUP_CLOEXEC:
        return args[2] < DESCRIPTORS_MAX ? descriptor_dup(args[0], args[2]) : -LINUX_EINVAL;
    case FCNTL_GET_FD:
    case FCNTL_SET_FD:
    case FCNTL_SET_FLAGS:
        return 0;
    case FCNTL_GET_FLAGS:
        return writes ? OPEN_MODE_WRITE : 0;
    default:
        return -LINUX_EINVAL;
    }
}

/* getcwd(to, bytes) */
int64_t answer_getcwd(const uint64_t *args)
{
    if (args[1] < sizeof "/")
        return -LINUX_ERANGE;
    memcpy((void *)args[0], "/", sizeof "/");
    return sizeof "/";
}
