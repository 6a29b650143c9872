/* Open files and the descriptors that name them; call_file.c answers with these. All under
 * file_mutex, in uthread context. */
#ifndef RUNTIME_OPEN_FILE_H
#define RUNTIME_OPEN_FILE_H

#include <stdint.h>
#include "runtime/console.h"
#include "runtime/mutex.h"
#include "lib/cpio.h"

enum { OPEN_FILES_MAX = 64, DESCRIPTORS_MAX = 128 };
enum open_kind { OPEN_INPUT, OPEN_CONSOLE, OPEN_FILE };

struct open_file {
    uint32_t refs; /* descriptors that name it; the three standard ones have one more */
    uint8_t kind;  /* enum open_kind: always at its end, the console, of the archive */
    int stream;    /* OPEN_CONSOLE */
    struct cpio_entry entry;
    uint64_t offset;
};

extern struct mutex file_mutex;

/* NULL: the descriptor is not open. */
struct open_file *descriptor_file(uint64_t fd);

/* The lowest free descriptor from `lowest` on becomes a name of the file. -EMFILE: none is free. */
int64_t descriptor_add(struct open_file *file, uint64_t lowest);

/* A new open file at offset 0. Returns its descriptor, or -EMFILE. */
int64_t descriptor_open(const struct cpio_entry *entry);

/* 0, or -EBADF. */
int64_t descriptor_close(uint64_t fd);

#endif
