/* What a PVH boot loader hands over, as the "x86/HVM direct boot ABI" of Xen defines it. */
#ifndef X86_PVH_H
#define X86_PVH_H

#include <stdint.h>

#define HVM_START_MAGIC 0x336ec578

struct hvm_start_info {
    uint32_t magic;
    uint32_t version; /* the fields from memmap_paddr on exist from version 1 */
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modlist_paddr;
    uint64_t cmdline_paddr; /* 0: none */
    uint64_t rsdp_paddr;    /* 0: unknown */
    uint64_t memmap_paddr;  /* of struct memory_entry */
    uint32_t memmap_entries;
    uint32_t reserved;
};

struct hvm_modlist_entry {
    uint64_t paddr, size;
    uint64_t cmdline_paddr;
    uint64_t reserved;
};

#endif
