/* Pools of objects of one size, in pages of the private heap. Private to a kernel; event loop and
 * handlers. A page whose objects are all back is given back, but the last one with free objects: so
 * that an object which comes and goes costs no page each time. */
#ifndef KERNEL_POOL_H
#define KERNEL_POOL_H

#include <stddef.h>

struct pool_page;

struct pool {
    size_t bytes;            /* of an object; at most a page less 64 */
    struct pool_page *pages; /* those with a free object */
};
#define POOL_OF(type)         \
    {                         \
        .bytes = sizeof(type) \
    }

void *pool_get(struct pool *pool); /* zeroed; NULL: out of memory. Aligned to 16; to 64 if
                                        its size is a multiple of that */
void pool_put(struct pool *pool, void *object);

#endif
