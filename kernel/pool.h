/* Pools of objects of one size, in pages of the private heap. Private to a kernel; event loop and handlers. */
#ifndef KERNEL_POOL_H
#define KERNEL_POOL_H

#include <stddef.h>

struct pool {
    size_t bytes; /* of an object; at most a page */
    void *free;
};
#define POOL_OF(type) {.bytes = sizeof(type)}

void *pool_get(struct pool *pool); /* zeroed; NULL: out of memory */
void pool_put(struct pool *pool, void *object);

#endif
