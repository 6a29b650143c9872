#include "kernel/region.h"
#include <stddef.h>
#include "abi/error.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "kernel/object.h"
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
    if (r->object)
        object_release(r->object);
    if (list->found == r)
        list->found = NULL;
    list->count--;
    pool_put(&regions, r);
}

struct region *region_search(struct region_list *list, uint64_t address)
{
    for (struct region *r = list->first; r && r->base <= address; r = r->next)
        if (address < r->end)
            return list->found = r;
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
    return a->end == b->base && a->kind == b->kind && a->prot == b->prot && a->most == b->most &&
           a->pinned == b->pinned && a->evict == b->evict && a->object == b->object &&
           (!a->object || a->offset + (a->end - a->base) == b->offset);
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

static void join_all(struct region_list *list, uint64_t end)
{
    for (struct region *r = list->first; r && r->base <= end; r = r->next)
        join_next(list, r);
}

int region_add(struct region_list *list, uint64_t base, uint64_t end, enum region_kind kind,
               unsigned prot)
{
    struct region wanted = {.base = base,
                            .end = end,
                            .kind = (uint8_t)kind,
                            .prot = (uint8_t)prot,
                            .most = PROT_R | PROT_W | PROT_X};
    return region_add_object(list, &wanted);
}

int region_add_object(struct region_list *list, const struct region *wanted)
{
    struct region *r = region_make(list), *before = NULL;
    if (!r)
        return why_none(list);
    *r = *wanted;
    if (r->object)
        object_hold(r->object);
    struct region **at = &list->first;
    while (*at && (*at)->base < r->base) {
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
    if (rest->object) {
        object_hold(rest->object);
        rest->offset += address - r->base;
    }
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

struct region *region_take_out(struct region_list *list, uint64_t base, uint64_t end)
{
    struct region **from = &list->first;
    while (*from && (*from)->base < base)
        from = &(*from)->next;
    struct region *chain = *from, **to = from;
    while (*to && (*to)->base < end)
        to = &(*to)->next;
    if (to == from)
        return NULL;
    *from = *to;
    *to = NULL;
    list->found = NULL;
    return chain;
}

int region_free_some(struct region_list *list, struct region **chain, unsigned most)
{
    while (*chain && most--) {
        struct region *r = *chain;
        *chain = r->next;
        region_free(list, r);
    }
    return *chain == NULL;
}

void region_remove(struct region_list *list, uint64_t base, uint64_t end)
{
    struct region *chain = region_take_out(list, base, end);
    region_free_some(list, &chain, ~0u);
}

void region_protect(struct region_list *list, uint64_t base, uint64_t end, unsigned prot)
{
    for (struct region *r = list->first; r && r->base < end; r = r->next)
        if (r->base >= base) {
            r->prot = (uint8_t)prot;
            r->evict = 0;
        }
    join_all(list, end);
}

void region_mark(struct region_list *list, uint64_t base, uint64_t end, int pinned, uint32_t evict)
{
    for (struct region *r = list->first; r && r->base < end; r = r->next)
        if (r->base >= base) {
            r->pinned = (uint8_t)pinned;
            if (evict != REGION_EVICT_SAME)
                r->evict = evict;
        }
    join_all(list, end);
}

int region_accessible(const struct region_list *list, uint64_t base, uint64_t end)
{
    for (const struct region *r = list->first; r && r->base < end; r = r->next)
        if (base < r->end && !r->prot)
            return 0;
    return 1;
}

uint64_t region_pinned(const struct region_list *list, uint64_t base, uint64_t end)
{
    uint64_t bytes = 0;
    for (const struct region *r = list->first; r && r->base < end; r = r->next)
        if (r->pinned && base < r->end)
            bytes += (r->end < end ? r->end : end) - (r->base > base ? r->base : base);
    return bytes / PAGE_BYTES;
}

const struct region *region_evictable(const struct region_list *list, uint32_t evict, uint64_t at)
{
    const struct region *first = NULL;
    for (const struct region *r = list->first; r; r = r->next)
        if (r->evict && r->kind != REGION_OBJECT &&
            (r->evict > evict || (r->evict == evict && r->end > at)) &&
            (!first || r->evict < first->evict))
            first = r;
    return first;
}

void region_filled(struct region_list *list, uint64_t base, unsigned prot)
{
    struct region *r = region_find(list, base);
    r->kind = REGION_ANONYMOUS;
    r->prot = (uint8_t)prot;
    join_all(list, r->end);
}

void region_become(struct region_list *list, uint64_t base, uint64_t end, enum region_kind kind,
                   struct memory_object *object)
{
    for (struct region *r = list->first; r && r->base < end; r = r->next) {
        if (r->base < base)
            continue;
        object_hold(object);
        if (r->object)
            object_release(r->object);
        r->kind = (uint8_t)kind;
        r->object = object;
        r->offset = r->base - base;
        r->pinned &= kind != REGION_COPY; /* a write would need a frame */
    }
}

int region_may_have(const struct region_list *list, uint64_t base, uint64_t end, unsigned prot)
{
    for (const struct region *r = list->first; r && r->base < end; r = r->next)
        if (base < r->end && prot & ~(unsigned)r->most)
            return 0;
    return 1;
}

int region_all_are(const struct region_list *list, uint64_t base, uint64_t end,
                   enum region_kind kind)
{
    for (const struct region *r = list->first; r && r->base < end; r = r->next)
        if (base < r->end && r->kind != kind)
            return 0;
    return 1;
}

void region_put_back(struct region_list *list, struct region **chain)
{
    while (*chain) {
        struct region *r = *chain;
        *chain = r->next;
        r->next = list->first;
        list->first = r;
    }
}
