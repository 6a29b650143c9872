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
    REGION_FILLING,   /* memory_fill is making it: no access yet */
};

/* Invariant: object is set, and held, for REGION_OBJECT and REGION_COPY, and offset is that of base
 * in it; prot is within most; what is pinned is not evictable. */
struct region {
    struct region *next;
    uint64_t base, end;
    uint8_t kind, prot, most; /* most: what mem_protect may give */
    uint8_t pinned;           /* all its pages are there, and stay */
    uint32_t evict;           /* not 0: its pages may be taken, those of lower numbers first */
    struct memory_object *object;
    uint64_t offset;
};

enum {
    REGIONS_MAX = 4096
}; /* of a process: each is memory of its home, and may have to be walked */

/* Invariant: found is in the list, or NULL. */
struct region_list {
    struct region *first;
    struct region *found; /* what was looked for last: the next page is mostly there too */
    unsigned count;
};

/* The region that holds address, or NULL; region_search walks the list for it. */
struct region *region_search(struct region_list *list, uint64_t address);
static inline struct region *region_find(struct region_list *list, uint64_t address)
{
    struct region *r = list->found;
    return r && address - r->base < r->end - r->base ? r : region_search(list, address);
}
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
/* The whole regions in [base, end) become pages of an object, from its beginning, and for REGION_COPY
 * are pinned no more. After region_split; never fails. */
void region_become(struct region_list *list, uint64_t base, uint64_t end, enum region_kind kind,
                   struct memory_object *object);

/* Whether all regions that reach into [base, end) may have this protection, or are of this kind. */
int region_may_have(const struct region_list *list, uint64_t base, uint64_t end, unsigned prot);
int region_all_are(const struct region_list *list, uint64_t base, uint64_t end,
                   enum region_kind kind);

/* Whether all regions that reach into [base, end) give access; how many pages of it are pinned. */
int region_accessible(const struct region_list *list, uint64_t base, uint64_t end);
uint64_t region_pinned(const struct region_list *list, uint64_t base, uint64_t end);
/* Sets both for the whole regions in [base, end), after region_split; never fails. evict
 * REGION_EVICT_SAME: as it was. region_protect makes its regions not evictable. */
#define REGION_EVICT_SAME 0xffffffffu
void region_mark(struct region_list *list, uint64_t base, uint64_t end, int pinned, uint32_t evict);
/* The evictable region that comes first in the order of (evict, base), of those with pages behind
 * (evict, at); NULL: none. Taking an object's pages would free nothing, so those are left. */
const struct region *region_evictable(const struct region_list *list, uint32_t evict, uint64_t at);
/* The region that is being filled from base on is filled. */
void region_filled(struct region_list *list, uint64_t base, unsigned prot);

/* Takes the whole regions in [base, end) out, after region_split: a chain that still holds objects
 * and counts against REGIONS_MAX. */
struct region *region_take_out(struct region_list *list, uint64_t base, uint64_t end);
/* Frees at most `most` of the chain; 1 when none is left. */
int region_free_some(struct region_list *list, struct region **chain, unsigned most);
/* Puts a chain back, in any order, of a process that is only given back from now on. */
void region_put_back(struct region_list *list, struct region **chain);

#endif
