#include "kernel/pool.h"
#include <stdint.h>
#include "abi/layout.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "lib/string.h"

/* The head of a page; objects follow. Invariant: in its pool's list if and only if free is not
 * NULL. */
struct pool_page {
    struct pool_page *next, *before;
    void *free; /* a list through the objects' first words */
    unsigned used;
} __attribute__((aligned(64)));

static void list_add(struct pool *pool, struct pool_page *page)
{
    page->before = NULL;
    page->next = pool->pages;
    if (page->next)
        page->next->before = page;
    pool->pages = page;
}

static void list_remove(struct pool *pool, struct pool_page *page)
{
    if (page->before)
        page->before->next = page->next;
    else
        pool->pages = page->next;
    if (page->next)
        page->next->before = page->before;
}

static void push(struct pool_page *page, void *object)
{
    memcpy(object, &page->free, sizeof page->free);
    page->free = object;
}

static void pool_grow(struct pool *pool)
{
    size_t step = (pool->bytes + 15) & ~(size_t)15;
    ASSERT(step + sizeof(struct pool_page) <= PAGE_BYTES);
    struct pool_page *page = arch_private_alloc();
    if (!page)
        return;
    for (size_t at = sizeof *page; at + step <= PAGE_BYTES; at += step)
        push(page, (char *)page + at);
    list_add(pool, page);
}

void *pool_get(struct pool *pool)
{
    if (!pool->pages)
        pool_grow(pool);
    struct pool_page *page = pool->pages;
    if (!page)
        return NULL;
    void *object = page->free;
    memcpy(&page->free, object, sizeof page->free);
    page->used++;
    if (!page->free)
        list_remove(pool, page);
    return memset(object, 0, pool->bytes);
}

void pool_put(struct pool *pool, void *object)
{
    struct pool_page *page = (struct pool_page *)((uint64_t)object & ~(uint64_t)(PAGE_BYTES - 1));
    if (!page->free)
        list_add(pool, page);
    push(page, object);
    page->used--;
    if (!page->used && (page->next || page->before)) {
        list_remove(pool, page);
        arch_private_free(page);
    }
}
