/* mappings maps | files | heap | descriptors | limits: calls on memory and files, with their
 * errors; "ok" at the end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include "tests/system/programs/check.h"

enum { PAGE = 4096, READ_WRITE = PROT_READ | PROT_WRITE, ANONYMOUS = MAP_PRIVATE | MAP_ANONYMOUS };
enum { NO_REPLACE = 0x100000, TRIES = 100000 };
#define FAR       0x300000000000
#define TOO_LARGE (1ul << 46)

/* The call fails with this error. */
#define CHECK_FAILS(call, error)    \
    do {                            \
        errno = 0;                  \
        CHECK_IS((long)(call), -1); \
        CHECK_IS(errno, error);     \
    } while (0)

static char *map(void *place, size_t bytes, int flags)
{
    return mmap(place, bytes, READ_WRITE, ANONYMOUS | flags, -1, 0);
}

static void test_maps(void)
{
    char *area = map(NULL, 5 * PAGE, 0);
    CHECK(area != MAP_FAILED);
    memset(area, 7, 5 * PAGE);
    CHECK(map(area + PAGE, PAGE, MAP_FIXED) == area + PAGE);
    CHECK(area[PAGE] == 0 && area[PAGE - 1] == 7 && area[2 * PAGE] == 7);
    CHECK_FAILS(map(area + PAGE, PAGE, NO_REPLACE), EEXIST);
    CHECK_IS(munmap(area + 2 * PAGE, PAGE), 0);
    CHECK(map(area + 2 * PAGE, PAGE, NO_REPLACE) == area + 2 * PAGE);
    CHECK_IS(area[2 * PAGE], 0);
    CHECK_IS(mprotect(area, PAGE, PROT_NONE), 0);
    CHECK_IS(mprotect(area, PAGE, PROT_READ), 0);
    CHECK_IS(area[5], 7);
    CHECK_IS(mprotect(area, PAGE, READ_WRITE), 0);
    area[5] = 9;
    CHECK_FAILS(mprotect(area + 5 * PAGE, 64 * PAGE, PROT_READ), ENOMEM);
    CHECK_FAILS(syscall(SYS_mprotect, area + 1, PAGE, PROT_READ), EINVAL);
    CHECK_FAILS(mprotect(area, PAGE, READ_WRITE | PROT_EXEC), EACCES);
    CHECK_IS(madvise(area, PAGE, MADV_WILLNEED), 0);
    CHECK_FAILS(madvise(area, PAGE, MADV_DONTNEED), EINVAL);
    CHECK_IS(area[5], 9);
    CHECK_IS(munmap(area, 5 * PAGE), 0);
    CHECK_IS(munmap(area, 5 * PAGE), 0);
    CHECK_FAILS(syscall(SYS_munmap, area + 1, PAGE), EINVAL);
    CHECK_FAILS(munmap(area, 0), EINVAL);
    CHECK_FAILS(mprotect(area, PAGE, PROT_READ), ENOMEM);
    CHECK_FAILS(map(NULL, 0, 0), EINVAL);
}

static void test_files(const char *name)
{
    struct stat status;
    int fd = open(name, O_RDONLY);
    CHECK_IS(fstat(fd, &status), 0);
    size_t bytes = status.st_size;
    char *whole = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE, fd, 0), *copy = malloc(bytes);
    CHECK(whole != MAP_FAILED && copy && bytes > 4 * PAGE);
    CHECK_IS(read(fd, copy, bytes), bytes);
    CHECK(!memcmp(copy, whole, bytes));
    char *part = mmap(NULL, 3 * PAGE, READ_WRITE, MAP_PRIVATE, fd, PAGE);
    CHECK(part != MAP_FAILED && !memcmp(part, copy + PAGE, 3 * PAGE));
    part[0]++;
    CHECK(part[0] != whole[PAGE]);
    CHECK_FAILS(mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, fd, 0), EACCES);
    CHECK_FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
    CHECK_FAILS(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 100), EINVAL);
    CHECK_IS(pread(fd, copy, 16, PAGE), 16);
    CHECK(!memcmp(copy, whole + PAGE, 16));
    CHECK_IS(pread(fd, copy, 16, bytes - 5), 5);
    CHECK_IS(pread(fd, copy, 16, bytes), 0);
    CHECK_FAILS(pread(fd, copy, 16, -1), EINVAL);
    CHECK_FAILS(pread(0, copy, 16, 0), ESPIPE);
    CHECK_FAILS(pread(99, copy, 16, 0), EBADF);
    CHECK_FAILS(lseek(fd, -5, SEEK_SET), EINVAL);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), bytes);
}

static void test_heap(void)
{
    char *start = (char *)syscall(SYS_brk, 0);
    CHECK_IS(syscall(SYS_brk, start + 0x1234), start + 0x1234);
    start[0x1200] = 1;
    CHECK_IS(syscall(SYS_brk, start), start);
    CHECK_IS(syscall(SYS_brk, start + 0x2000), start + 0x2000);
    CHECK_IS(start[0x1200], 0);
    CHECK_IS(syscall(SYS_brk, 1), start + 0x2000);
    CHECK_IS(syscall(SYS_brk, start + TOO_LARGE), start + 0x2000);
}

static void test_descriptors(const char *name)
{
    char byte;
    int fd = open(name, O_RDONLY), other = dup(fd);
    CHECK(fd >= 0 && other >= 0 && other != fd);
    CHECK_IS(lseek(other, 1, SEEK_SET), 1);
    CHECK_IS(lseek(fd, 0, SEEK_CUR), 1);
    CHECK_IS(fcntl(fd, F_DUPFD, 20), 20);
    CHECK_IS(fcntl(fd, F_DUPFD_CLOEXEC, 20), 21);
    CHECK_IS(close(fd), 0);
    CHECK_IS(read(20, &byte, 1), 1);
    CHECK_IS(byte, 'E');
    CHECK_IS(read(other, &byte, 1), 1);
    CHECK_IS(byte, 'L');
    CHECK_FAILS(read(fd, &byte, 1), EBADF);
    CHECK_FAILS(dup(fd), EBADF);
    CHECK_FAILS(close(fd), EBADF);
    CHECK_FAILS(fcntl(fd, F_GETFL), EBADF);
    CHECK_FAILS(fcntl(other, F_DUPFD, 1000000), EINVAL);
    CHECK_IS(fcntl(other, F_GETFL) & O_ACCMODE, O_RDONLY);
    CHECK_IS(fcntl(1, F_GETFL) & O_ACCMODE, O_WRONLY);
    CHECK_FAILS(write(other, &byte, 1), EBADF);
}

/* As many files and as many mappings as there can be; then all is as before. */
static void test_limits(const char *name)
{
    int fd, last = -1;
    while ((fd = open(name, O_RDONLY)) >= 0)
        last = fd;
    CHECK_IS(errno, EMFILE);
    CHECK(last > 16);
    for (fd = 3; fd <= last; fd++)
        CHECK_IS(close(fd), 0);
    CHECK_IS(open(name, O_RDONLY), 3);
    CHECK_FAILS(map(NULL, TOO_LARGE, 0), ENOMEM);
    CHECK_FAILS(map(NULL, ~0ul - PAGE, 0), ENOMEM);
    unsigned long count = 0;
    errno = 0;
    while (count < TRIES && map((void *)(FAR + count * 2 * PAGE), PAGE, MAP_FIXED) != MAP_FAILED)
        count++;
    CHECK(count > 16 && count < TRIES);
    CHECK_IS(errno, ENOMEM);
    CHECK_IS(munmap((void *)FAR, count * 2 * PAGE), 0);
    CHECK(map((void *)FAR, PAGE, NO_REPLACE) == (void *)FAR);
}

int main(int argc, char *argv[])
{
    const char *own = "bin/mappings";
    if (!strcmp(argv[1], "maps"))
        test_maps();
    else if (!strcmp(argv[1], "files"))
        test_files(own);
    else if (!strcmp(argv[1], "heap"))
        test_heap();
    else if (!strcmp(argv[1], "descriptors"))
        test_descriptors(own);
    else
        test_limits(own);
    printf("ok\n");
    return 0;
}
