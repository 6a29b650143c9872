/* A space: the free address ranges of a part of the process's address space.
 *
 * Plain bookkeeping; what is mapped is the kernel's matter. Ranges are [start, end), page-aligned,
 * ascending, apart from one another. When there is no room to note a range, it is forgotten:
 * addresses are plenty, and a forgotten one is never handed out twice. Not locked: the caller does
 * that. */
#ifndef RUNTIME_SPACE_H
#define RUNTIME_SPACE_H

#include <stdint.h>

enum { SPACE_RANGES_MAX = 510 };

struct space_range {
    uint64_t start, end;
};

struct space {
    uint64_t start, end; /* the bounds of the whole */
    unsigned count;
    struct space_range free[SPACE_RANGES_MAX];
};

/* All of [start, end) is free. */
void space_init(struct space *space, uint64_t start, uint64_t end);

/* Takes the lowest free range of that size. Returns its address, or 0 if there is none. */
uint64_t space_take(struct space *space, uint64_t bytes);

/* Takes what is free of [start, end), be it in part, or outside the space. */
void space_take_range(struct space *space, uint64_t start, uint64_t end);

/* Makes [start, end) free as far as it lies in the space; parts of it may be free already. */
void space_give(struct space *space, uint64_t start, uint64_t end);

#endif
