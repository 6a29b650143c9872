/* The boot archive: a cpio archive in the "newc" format (cpio -H newc), read in place.
 *
 * Nothing in the archive is trusted: every length is checked against the archive's end before it is
 * used, and what does not fit is -E_DAMAGED. No state is kept; entries point into the archive. */
#ifndef LIB_CPIO_H
#define LIB_CPIO_H

#include <stddef.h>
#include <stdint.h>
#include "abi/error.h"

#define CPIO_TYPE_MASK 0170000
#define CPIO_DIRECTORY 0040000
#define CPIO_REGULAR   0100000

struct cpio_entry {
    const char *name; /* without a leading "./" or "/"; ended by a NUL inside the archive */
    const uint8_t *data;
    size_t bytes;
    uint32_t mode;   /* file type and permissions, as in stat */
    size_t position; /* of the entry's header in the archive: tells entries apart */
};

/* Reads the entry at *position (0 for the first) and moves *position to the next. Returns 1 with
 * *entry filled, 0 at the trailer, or -E_DAMAGED; *entry and *position are then as before. */
int cpio_next(const void *archive, size_t archive_bytes, size_t *position,
              struct cpio_entry *entry);

/* Finds the first entry of that name (a leading "./" or "/" of `name` does not count). Returns 0,
 * -E_NO_ENTRY, or -E_DAMAGED when the archive ends in disorder before it. */
int cpio_find(const void *archive, size_t archive_bytes, const char *name,
              struct cpio_entry *entry);

/* Walks the whole archive. Returns the number of its entries, or -E_DAMAGED. */
int cpio_check(const void *archive, size_t archive_bytes);

#endif
