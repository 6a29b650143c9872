/* The boot archive: where it is, and that it is whole. Set before the snapshot, constant
 * afterwards. */
#ifndef KERNEL_ARCHIVE_H
#define KERNEL_ARCHIVE_H

#include <stddef.h>
#include "kernel/boot.h"
#include "kernel/shared/frame.h"

/* Checks the archive. NULL, or a sentence why the kernel cannot go on. Once, before the
 * snapshot. */
const char *archive_open(const struct boot_info *boot);
/* A file's contents in the direct map. 0, -E_NO_ENTRY. */
int archive_file(const char *name, const char **data, size_t *bytes);
size_t archive_bytes(void);
frame_t archive_frame(uint64_t offset); /* of the page at offset, below archive_bytes */

#endif
