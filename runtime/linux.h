/* What a Linux program and its C library agree on with the system, on x86-64: numbers and layouts.
 */
#ifndef RUNTIME_LINUX_H
#define RUNTIME_LINUX_H

#include <stdint.h>

enum linux_call {
    LINUX_READ = 0,
    LINUX_WRITE = 1,
    LINUX_OPEN = 2,
    LINUX_CLOSE = 3,
    LINUX_STAT = 4,
    LINUX_FSTAT = 5,
    LINUX_LSTAT = 6,
    LINUX_LSEEK = 8,
    LINUX_MMAP = 9,
    LINUX_MPROTECT = 10,
    LINUX_MUNMAP = 11,
    LINUX_BRK = 12,
    LINUX_RT_SIGACTION = 13,
    LINUX_RT_SIGPROCMASK = 14,
    LINUX_IOCTL = 16,
    LINUX_PREAD64 = 17,
    LINUX_READV = 19,
    LINUX_WRITEV = 20,
    LINUX_ACCESS = 21,
    LINUX_SCHED_YIELD = 24,
    LINUX_MADVISE = 28,
    LINUX_DUP = 32,
    LINUX_NANOSLEEP = 35,
    LINUX_GETPID = 39,
    LINUX_EXIT = 60,
    LINUX_KILL = 62,
    LINUX_UNAME = 63,
    LINUX_FCNTL = 72,
    LINUX_GETCWD = 79,
    LINUX_READLINK = 89,
    LINUX_GETTIMEOFDAY = 96,
    LINUX_GETUID = 102,
    LINUX_GETGID = 104,
    LINUX_GETEUID = 107,
    LINUX_GETEGID = 108,
    LINUX_GETPPID = 110,
    LINUX_SIGALTSTACK = 131,
    LINUX_ARCH_PRCTL = 158,
    LINUX_GETTID = 186,
    LINUX_TKILL = 200,
    LINUX_FUTEX = 202,
    LINUX_SET_TID_ADDRESS = 218,
    LINUX_CLOCK_GETTIME = 228,
    LINUX_CLOCK_GETRES = 229,
    LINUX_CLOCK_NANOSLEEP = 230,
    LINUX_EXIT_GROUP = 231,
    LINUX_TGKILL = 234,
    LINUX_OPENAT = 257,
    LINUX_NEWFSTATAT = 262,
    LINUX_FACCESSAT = 269,
    LINUX_SET_ROBUST_LIST = 273,
    LINUX_GETRANDOM = 318,
    LINUX_CALLS,
};

enum linux_error {
    LINUX_EPERM = 1,
    LINUX_ENOENT = 2,
    LINUX_ESRCH = 3,
    LINUX_EIO = 5,
    LINUX_EBADF = 9,
    LINUX_ECHILD = 10,
    LINUX_EAGAIN = 11,
    LINUX_ENOMEM = 12,
    LINUX_EACCES = 13,
    LINUX_EEXIST = 17,
    LINUX_ENOTDIR = 20,
    LINUX_EISDIR = 21,
    LINUX_EINVAL = 22,
    LINUX_EMFILE = 24,
    LINUX_ENOTTY = 25,
    LINUX_ESPIPE = 29,
    LINUX_EROFS = 30,
    LINUX_ERANGE = 34,
    LINUX_ENAMETOOLONG = 36,
    LINUX_ENOSYS = 38,
    LINUX_ETIMEDOUT = 110,
};

struct linux_stat {
    uint64_t device, inode, links;
    uint32_t mode, user, group, padding;
    uint64_t special_device, bytes, block_bytes, blocks;
    uint64_t access_s, access_ns, change_s, change_ns, status_s, status_ns;
    uint64_t unused[3];
};
_Static_assert(sizeof(struct linux_stat) == 144, "struct stat");

struct linux_timespec {
    int64_t s, ns;
};

struct linux_timeval {
    int64_t s, us;
};

enum { LINUX_NAME_CHARS = 65 };
struct linux_utsname {
    char system[LINUX_NAME_CHARS], node[LINUX_NAME_CHARS], release[LINUX_NAME_CHARS];
    char version[LINUX_NAME_CHARS], machine[LINUX_NAME_CHARS], domain[LINUX_NAME_CHARS];
};

/* The auxiliary vector. */
enum {
    AUX_END = 0,
    AUX_HEADERS = 3,
    AUX_HEADER_BYTES = 4,
    AUX_HEADER_COUNT = 5,
    AUX_PAGE_BYTES = 6,
    AUX_BASE = 7,
    AUX_FLAGS = 8,
    AUX_ENTRY = 9,
    AUX_UID = 11,
    AUX_EUID = 12,
    AUX_GID = 13,
    AUX_EGID = 14,
    AUX_HWCAP = 16,
    AUX_CLOCK_TICKS = 17,
    AUX_SECURE = 23,
    AUX_RANDOM = 25,
    AUX_PROGRAM_NAME = 31,
};

#endif
