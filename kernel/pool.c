#include "kernel/pool.h"
#include <stdint.h>
#include "abi/layout.h"
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "lib/string.h"

static void pool_grow(struct pool *pool)
{
    char *page = arch_private_alloc();
    if (!page)
        return;
    size_t step = (pool->bytes + 15) & ~(size_t)15;
    for (size_t at = 0; at + step <= PAGE_BYTES; at += step)
        pool_put(pool, page + at);
}

void *pool_get(struct pool *pool)
{
    ASSERT(pool->bytes <= PAGE_BYTES);
    if (!pool->free)
        pool_grow(pool);
    void *object = pool->free;
    if (object) {
        memcpy(&pool->free, object, sizeof pool->free);
        memset(object, 0, pool->bytes);
    }
    return object;
}

void pool_put(struct pool *pool, void *object)
{
    memcpy(object, &pool->free, sizeof pool->free);
    pool->free = object;
}
