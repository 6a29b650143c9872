/* The address-space records of a process: which ranges it may use and how. They belong to its home.
 * Regions are ordered by address and disjoint. */
#ifndef KERNEL_REGION_H
#define KERNEL_REGION_H

#include <stdint.h>

struct memory_object;

enum region_kind {
    REGION_ANONYMOUS, /* zeroed frames on demand */
    REGION_ARCHIVE,   /* the boot archive's frames, read-only */
    REGION_OBJECT,    /* an object's frames */
    REGION_COPY,      /* an object's frames until first written to: docs/object.md */
};

/* Invariant: object is set, and held, for REGION_OBJECT and REGION_COPY, and offset is that of base
 * in it; prot is within most. */
struct region {
    struct region *next;
    uint64_t base, end;
    uint8_t kind, prot, most; /* most: what mem_protect may give */
    struct memory_object *object;
    uint64_t offset;
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
/* The same for pages of an object, which it holds. */
int region_add_object(struct region_list *list, const struct region *wanted);
/* Cuts regions at base and at end, so that [base, end) is made of whole regions. -E_NO_MEMORY,
 * -E_LIMIT: what was cut stays cut, which changes no meaning. */
int region_split(struct region_list *list, uint64_t base, uint64_t end);
/* Removes, or sets prot of, the whole regions in [base, end). After region_split; never fail. */
void region_remove(struct region_list *list, uint64_t base, uint64_t end);
void region_protect(struct region_list *list, uint64_t base, uint64_t end, unsigned prot);
/* The whole regions in [base, end) become pages of an object, from its beginning. After
 * region_split; never fails. */
void region_become(struct region_list *list, uint64_t base, uint64_t end, enum region_kind kind,
                   struct memory_object *object);

/* Whether all regions that reach into [base, end) may have this protection, or are of this kind. */
int region_may_have(const struct region_list *list, uint64_t base, uint64_t end, unsigned prot);
int region_all_are(const struct region_list *list, uint64_t base, uint64_t end,
                   enum region_kind kind);

/* Takes the whole regions in [base, end) out, after region_split: a chain that still holds objects
 * and counts against REGIONS_MAX. */
struct region *region_take_out(struct region_list *list, uint64_t base, uint64_t end);
/* Frees at most `most` of the chain; 1 when none is left. */
int region_free_some(struct region_list *list, struct region **chain, unsigned most);
/* Puts a chain back, in any order, of a process that is only given back from now on. */
void region_put_back(struct region_list *list, struct region **chain);

#endif
