/* What the boot loader told, in one form for all loaders. Filled once, by the first kernel, before
 * the snapshot; never changed afterwards. */
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <stdint.h>

enum { BOOT_RANGES_MAX = 128, BOOT_COMMAND_BYTES = 2048 };

struct boot_range {
    uint64_t base, bytes; /* physical; usable RAM only, page-aligned inwards, ascending, disjoint */
};

struct boot_info {
    const char *loader; /* "PVH" or "Multiboot2" */
    unsigned ranges;
    struct boot_range range[BOOT_RANGES_MAX];
    uint64_t top; /* end of the highest range of any kind below 512 GiB that needs mapping:
                                RAM, ACPI tables, archive */
    uint64_t archive_base, archive_bytes; /* 0, 0: none was given */
    uint64_t rsdp; /* physical address of the ACPI root pointer; 0: search for it */
    char command
        [BOOT_COMMAND_BYTES]; /* kernel options, NUL-terminated (cut and flagged if longer) */
    uint8_t command_cut;
};

#endif
