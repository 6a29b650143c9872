#include "kernel/object.h"
#include <stddef.h>
#include "abi/error.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "kernel/charge.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/reclaim.h"

enum {
    DIRECT_PAGES = 8,                           /* an object so small has no array */
    ARRAY_PAGES = PAGE_BYTES / sizeof(frame_t), /* frame numbers in an array, which is a frame */
};
_Static_assert(OBJECT_MAX_BYTES / PAGE_BYTES <= (uint64_t)ARRAY_PAGES * ARRAY_PAGES, "two levels");

/* Invariants: holds > 0, or it is being given back and pages below `freed` are gone. `direct` for at
 * most DIRECT_PAGES pages; `top` is the array for at most ARRAY_PAGES, else an array of arrays. The
 * charge counts pages and arrays. */
struct memory_object {
    struct reclaim reclaim;
    struct charge charge;
    uint32_t holds, pages, freed;
    frame_t top;
    frame_t direct[DIRECT_PAGES];
};
static struct pool objects = POOL_OF(struct memory_object);

int object_make(struct process *charged, uint64_t bytes, struct memory_object **made)
{
    if (bytes % PAGE_BYTES)
        return -E_ALIGN;
    if (!bytes || bytes > OBJECT_MAX_BYTES)
        return -E_INVALID;
    int error = reclaim_ready();
    if (error)
        return error;
    struct memory_object *object = pool_get(&objects);
    if (!object)
        return -E_NO_MEMORY;
    object->holds = 1;
    object->pages = (uint32_t)(bytes / PAGE_BYTES);
    charge_open(&object->charge, charged);
    *made = object;
    return 0;
}

uint64_t object_bytes(const struct memory_object *object)
{
    return (uint64_t)object->pages * PAGE_BYTES;
}

/* --- the arrays ------------------------------------------------------------------------------ */

/* The array that *at names, made if there is none and make is set; NULL: none, as *error says. */
static frame_t *array_at(struct memory_object *object, frame_t *at, int make, int *error)
{
    if (!*at && make)
        *at = charge_alloc(&object->charge, FRAME_OBJECT, error);
    return *at ? frame_pointer(*at) : NULL;
}

/* Where the page's frame number stands; NULL: its array is not there, as *error says. */
static frame_t *place(struct memory_object *object, uint32_t page, int make, int *error)
{
    *error = 0;
    if (object->pages <= DIRECT_PAGES)
        return &object->direct[page];
    frame_t *array = array_at(object, &object->top, make, error);
    if (array && object->pages > ARRAY_PAGES)
        array = array_at(object, &array[page / ARRAY_PAGES], make, error);
    return array ? &array[page % ARRAY_PAGES] : NULL;
}

frame_t object_frame(struct memory_object *object, uint64_t offset, int make, int *error)
{
    if (offset >= object_bytes(object)) {
        *error = -E_RANGE;
        return FRAME_NONE;
    }
    frame_t *at = place(object, (uint32_t)(offset / PAGE_BYTES), make, error);
    if (at && !*at && make)
        *at = charge_alloc(&object->charge, FRAME_OBJECT, error);
    return at ? *at : FRAME_NONE;
}

int object_prepare(struct memory_object *object, unsigned pages)
{
    int error = 0;
    for (unsigned page = 0; page < pages && !error; page += ARRAY_PAGES)
        place(object, page, 1, &error);
    return error;
}

void object_give(struct memory_object *object, unsigned page, frame_t frame)
{
    int error;
    frame_t *at = place(object, page, 0, &error);
    ASSERT(at && !*at);
    frame_set(frame, FRAME_OBJECT, owned_by_kernel(this_core));
    charge_adopt(&object->charge, 1);
    *at = frame;
}

/* --- the end --------------------------------------------------------------------------------- */

void object_hold(struct memory_object *object)
{
    object->holds++;
}

static void free_at(struct memory_object *object, frame_t *at, struct reclaim_budget *budget)
{
    charge_free(&object->charge, *at);
    *at = FRAME_NONE;
    budget->frames--;
}

/* An array of pages goes when the last page of it, or of the object, is gone. */
static void array_done(struct memory_object *object, struct reclaim_budget *budget)
{
    if (object->pages <= ARRAY_PAGES)
        return;
    frame_t *array = frame_pointer(object->top);
    frame_t *at = &array[(object->freed - 1) / ARRAY_PAGES];
    if (*at)
        free_at(object, at, budget);
}

static void free_next(struct memory_object *object, struct reclaim_budget *budget)
{
    int error;
    frame_t *at = place(object, object->freed, 0, &error);
    if (at && *at)
        free_at(object, at, budget);
    object->freed += at ? 1 : ARRAY_PAGES - object->freed % ARRAY_PAGES;
    if (object->freed > object->pages)
        object->freed = object->pages;
    if (at && (object->freed % ARRAY_PAGES == 0 || object->freed == object->pages))
        array_done(object, budget);
    budget->records--;
}

static int object_turn(struct reclaim *self, struct reclaim_budget *budget)
{
    struct memory_object *object = (struct memory_object *)self; /* its first member */
    while (object->freed < object->pages) {
        if (budget->frames < 2 || !budget->records) {
            budget->frames = 0; /* an array may go with its last page */
            return 0;
        }
        free_next(object, budget);
    }
    if (object->top && !budget->frames)
        return 0;
    if (object->top)
        free_at(object, &object->top, budget);
    charge_close(&object->charge);
    pool_put(&objects, object);
    return 1;
}

void object_release(struct memory_object *object)
{
    ASSERT(object->holds > 0);
    if (--object->holds)
        return;
    object->reclaim.turn = object_turn;
    struct reclaim_budget budget = {2 * DIRECT_PAGES, 2 * DIRECT_PAGES};
    if (object->pages > DIRECT_PAGES)
        reclaim_add(&object->reclaim);
    else
        object_turn(&object->reclaim, &budget);
}
