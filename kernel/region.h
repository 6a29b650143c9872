/* The address-space records of a process: which ranges it may use and how. They belong to its home.
 * Regions are ordered by address and disjoint. */
#ifndef KERNEL_REGION_H
#define KERNEL_REGION_H

#include <stdint.h>

enum region_kind {
    REGION_ANONYMOUS, /* zeroed frames on demand */
    REGION_ARCHIVE,   /* the boot archive's frames, read-only */
};

struct region {
    struct region *next;
    uint64_t base, end;
    uint8_t kind, prot;
};

/* The region that holds address, or NULL. */
struct region *region_find(struct region *list, uint64_t address);
/* Whether any region reaches into [base, end). */
int region_overlaps(const struct region *list, uint64_t base, uint64_t end);
/* Whether regions cover [base, end) without a gap. */
int region_covers(const struct region *list, uint64_t base, uint64_t end);
/* Adds a region, which overlaps none; joins it with neighbours alike. -E_NO_MEMORY: nothing done. */
int region_add(struct region **list, uint64_t base, uint64_t end, enum region_kind kind,
               unsigned prot);
/* Cuts regions at base and at end, so that [base, end) is made of whole regions. -E_NO_MEMORY: what was
 * cut stays cut, which changes no meaning. */
int region_split(struct region **list, uint64_t base, uint64_t end);
/* Removes, or sets prot of, the whole regions in [base, end). After region_split; never fail. */
void region_remove(struct region **list, uint64_t base, uint64_t end);
void region_protect(struct region **list, uint64_t base, uint64_t end, unsigned prot);

#endif
