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

enum {
    REGIONS_MAX = 4096
}; /* of a process: each is memory of its home, and may have to be walked */

struct region_list {
    struct region *first;
    unsigned count;
};

/* The region that holds address, or NULL. */
struct region *region_find(const struct region_list *list, uint64_t address);
/* Whether any region reaches into [base, end). */
int region_overlaps(const struct region_list *list, uint64_t base, uint64_t end);
/* Whether regions cover [base, end) without a gap. */
int region_covers(const struct region_list *list, uint64_t base, uint64_t end);
/* Adds a region, which overlaps none; joins it with neighbours alike. -E_NO_MEMORY, -E_LIMIT:
 * nothing done. */
int region_add(struct region_list *list, uint64_t base, uint64_t end, enum region_kind kind,
               unsigned prot);
/* Cuts regions at base and at end, so that [base, end) is made of whole regions. -E_NO_MEMORY,
 * -E_LIMIT: what was cut stays cut, which changes no meaning. */
int region_split(struct region_list *list, uint64_t base, uint64_t end);
/* Removes, or sets prot of, the whole regions in [base, end). After region_split; never fail. */
void region_remove(struct region_list *list, uint64_t base, uint64_t end);
void region_protect(struct region_list *list, uint64_t base, uint64_t end, unsigned prot);

/* Removes at most `most` regions, the lowest first; 1 when none is left. */
int region_remove_some(struct region_list *list, unsigned most);

#endif
