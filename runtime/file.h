/* Files as a program sees them: descriptors, open files, and the boot archive behind them. All
 * files are read-only. */
#ifndef RUNTIME_FILE_H
#define RUNTIME_FILE_H

#include <stdint.h>
#include "lib/cpio.h"

/* Finds a file of the boot archive. 0, or a negative error. Uthread context. */
int archive_find(const char *path, struct cpio_entry *entry);

/* The contents of an open regular file: *data and the number of bytes, or a negative errno. */
int64_t file_contents(uint64_t fd, const uint8_t **data);

#endif
