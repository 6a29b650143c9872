#include "kernel/region.h"
#include <stddef.h>
#include "abi/error.h"
#include "kernel/pool.h"

static struct pool regions = POOL_OF(struct region);

static struct region *region_make(struct region_list *list)
{
    struct region *r = list->count < REGIONS_MAX ? pool_get(&regions) : NULL;
    list->count += r != NULL;
    return r;
}

static int why_none(const struct region_list *list)
{
    return list->count < REGIONS_MAX ? -E_NO_MEMORY : -E_LIMIT;
}

static void region_free(struct region_list *list, struct region *r)
{
    list->count--;
    pool_put(&regions, r);
}

struct region *region_find(const struct region_list *list, uint64_t address)
{
    for (struct region *r = list->first; r && r->base <= address; r = r->next)
        if (address < r->end)
            return r;
    return NULL;
}

int region_overlaps(const struct region_list *list, uint64_t base, uint64_t end)
{
    for (const struct region *r = list->first; r && r->base < end; r = r->next)
        if (base < r->end)
            return 1;
    return 0;
}

int region_covers(const struct region_list *list, uint64_t base, uint64_t end)
{
    for (const struct region *r = list->first; r && base < end && r->base <= base; r = r->next)
        if (base < r->end)
            base = r->end;
    return base >= end;
}

static int alike(const struct region *a, const struct region *b)
{
    return a->end == b->base && a->kind == b->kind && a->prot == b->prot;
}

/* Joins r with the region behind it while they are alike. */
static void join_next(struct region_list *list, struct region *r)
{
    while (r && r->next && alike(r, r->next)) {
        struct region *gone = r->next;
        r->end = gone->end;
        r->next = gone->next;
        region_free(list, gone);
    }
}

int region_add(struct region_list *list, uint64_t base, uint64_t end, enum region_kind kind,
               unsigned prot)
{
    struct region *r = region_make(list), *before = NULL;
    if (!r)
        return why_none(list);
    *r = (struct region){.base = base, .end = end, .kind = (uint8_t)kind, .prot = (uint8_t)prot};
    struct region **at = &list->first;
    while (*at && (*at)->base < base) {
        before = *at;
        at = &before->next;
    }
    r->next = *at;
    *at = r;
    join_next(list, r);
    if (before && alike(before, r))
        join_next(list, before);
    return 0;
}

static int split_at(struct region_list *list, uint64_t address)
{
    struct region *r = region_find(list, address);
    if (!r || r->base == address)
        return 0;
    struct region *rest = region_make(list);
    if (!rest)
        return why_none(list);
    *rest = *r;
    rest->base = address;
    r->end = address;
    r->next = rest;
    return 0;
}

int region_split(struct region_list *list, uint64_t base, uint64_t end)
{
    int error = split_at(list, base);
    return error ? error : split_at(list, end);
}

void region_remove(struct region_list *list, uint64_t base, uint64_t end)
{
    struct region **at = &list->first;
    while (*at && (*at)->base < end) {
        struct region *r = *at;
        if (r->base >= base) {
            *at = r->next;
            region_free(list, r);
        } else {
            at = &r->next;
        }
    }
}

void region_protect(struct region_list *list, uint64_t base, uint64_t end, unsigned prot)
{
    for (struct region *r = list->first; r && r->base < end; r = r->next)
        if (r->base >= base)
            r->prot = (uint8_t)prot;
    for (struct region *r = list->first; r && r->base < end; r = r->next)
        join_next(list, r);
}

int region_remove_some(struct region_list *list, unsigned most)
{
    while (list->first && most--) {
        struct region *r = list->first;
        list->first = r->next;
        region_free(list, r);
    }
    return list->first == NULL;
}
