/* From a boot loader's information to struct boot_info. Architecture: "Boot"; docs/porting.md.
 *
 * Everything here runs once, on the first core, before the kernel's own page tables: physical
 * memory is mapped at its own address up to BOOT_REACH_BYTES, and what the loader put above is
 * refused. Functions that return a sentence return NULL when all is well. */
#ifndef X86_BOOTINFO_H
#define X86_BOOTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "kernel/boot.h"

#define BOOT_REACH_BYTES 0x40000000ull   /* 1 GiB */
#define BOOT_LOWEST      0x1000ull       /* the first page is never RAM to us */
#define BOOT_RAM_END     0x8000000000ull /* 512 GiB: the size of the direct map */
#define BOOT_TOP_LIMIT   BOOT_RAM_END

enum { BOOT_ENTRIES_MAX = 4096 };

/* An entry of a loader's memory map; PVH and Multiboot2 agree on it. */
struct memory_entry {
    uint64_t base, bytes;
    uint32_t type; /* enum memory_type; any other value: not to be used */
    uint32_t reserved;
};

enum memory_type { MEMORY_RAM = 1, MEMORY_RESERVED = 2, MEMORY_ACPI = 3, MEMORY_ACPI_NVS = 4 };

/* A loader's memory map: in any order, overlapping or not. Where kinds overlap it is not RAM. */
struct memory_map {
    const void *entries;         /* aligned to 8 */
    unsigned count;              /* at most BOOT_ENTRIES_MAX */
    size_t stride;               /* bytes from entry to entry; a multiple of 8 */
    struct boot_range keep_away; /* RAM that is not handed out: the loader's own tables */
};

/* Fill a struct boot_info, all fields, from what the entry point was given. A sentence means that
 * the kernel cannot start; then boot->ranges is 0, boot->command is valid and the rest is not. */
struct hvm_start_info;
const char *boot_info_from_pvh(const struct hvm_start_info *start, struct boot_info *boot);
const char *boot_info_from_multiboot2(const void *information, struct boot_info *boot);

/* All fields zero but the loader's name, which must be a string literal. */
void boot_info_clear(struct boot_info *boot, const char *loader);

/* Whether the bytes can be read now. */
bool boot_reachable(uint64_t physical, uint64_t bytes);

/* Copies a command line of at most bytes_max bytes, which ends there or at its NUL. */
void boot_info_command(struct boot_info *boot, const char *text, size_t bytes_max);

/* Sets boot->range, boot->ranges and boot->top. With more than BOOT_RANGES_MAX ranges, the largest.
 */
const char *boot_info_memory(struct boot_info *boot, const struct memory_map *map);

/* Sets the archive and raises boot->top over it. After boot_info_memory. bytes = 0: there is none.
 */
const char *boot_info_archive(struct boot_info *boot, const struct memory_map *map, uint64_t base,
                              uint64_t bytes);

#endif
