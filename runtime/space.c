#include "runtime/space.h"
#include "lib/string.h"

void space_init(struct space *space, uint64_t start, uint64_t end)
{
    space->start = start;
    space->end = end;
    space->count = 1;
    space->free[0] = (struct space_range){start, end};
}

static void range_remove(struct space *space, unsigned i)
{
    space->count--;
    memmove(&space->free[i], &space->free[i + 1], (space->count - i) * sizeof space->free[0]);
}

static void range_insert(struct space *space, unsigned i, uint64_t start, uint64_t end)
{
    if (space->count == SPACE_RANGES_MAX)
        return;
    memmove(&space->free[i + 1], &space->free[i], (space->count - i) * sizeof space->free[0]);
    space->free[i] = (struct space_range){start, end};
    space->count++;
}

uint64_t space_take(struct space *space, uint64_t bytes)
{
    for (unsigned i = 0; i < space->count; i++) {
        struct space_range *range = &space->free[i];
        if (range->end - range->start < bytes)
            continue;
        uint64_t start = range->start;
        range->start += bytes;
        if (range->start == range->end)
            range_remove(space, i);
        return start;
    }
    return 0;
}

void space_take_range(struct space *space, uint64_t start, uint64_t end)
{
    unsigned i = 0;

    while (i < space->count && space->free[i].start < end) {
        struct space_range range = space->free[i];
        if (range.end <= start) {
            i++;
            continue;
        }
        range_remove(space, i);
        if (range.start < start)
            range_insert(space, i++, range.start, start);
        if (range.end > end)
            range_insert(space, i++, end, range.end);
    }
}

void space_give(struct space *space, uint64_t start, uint64_t end)
{
    unsigned i = 0;

    if (start < space->start)
        start = space->start;
    if (end > space->end)
        end = space->end;
    if (start >= end)
        return;
    while (i < space->count && space->free[i].end < start)
        i++;
    while (i < space->count && space->free[i].start <= end) {
        if (space->free[i].start < start)
            start = space->free[i].start;
        if (space->free[i].end > end)
            end = space->free[i].end;
        range_remove(space, i);
    }
    range_insert(space, i, start, end);
}
