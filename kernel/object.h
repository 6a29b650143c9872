/* Memory objects: pages that processes can have in common. docs/object.md.
 *
 * An object lives while handles (those under way included) or mappings hold it. Frames come on
 * demand, or from the memory of a process that shares a range. At present objects are at the home of
 * those who use them. All functions: at that kernel, in handlers. */
#ifndef KERNEL_OBJECT_H
#define KERNEL_OBJECT_H

#include <stdint.h>
#include "kernel/shared/frame.h"

struct memory_object;
struct process;

/* An object with no frames yet and one hold, the caller's; its frames count against `charged` while
 * that lives. -E_INVALID (0, or more than OBJECT_MAX_BYTES), -E_ALIGN, -E_LIMIT, -E_NO_MEMORY. */
int object_make(struct process *charged, uint64_t bytes, struct memory_object **made);
uint64_t object_bytes(const struct memory_object *object);

/* The frame of the page at offset: made, zeroed, if there is none and make is set. FRAME_NONE with
 * *error: 0 (there is none, and make is not set), -E_RANGE (beyond the end), -E_LIMIT,
 * -E_NO_MEMORY. */
frame_t object_frame(struct memory_object *object, uint64_t offset, int make, int *error);

/* Makes the arrays for pages [0, pages), so that object_give cannot fail. -E_LIMIT, -E_NO_MEMORY. */
int object_prepare(struct memory_object *object, unsigned pages);
/* A frame of the charged process's own becomes the object's page, which had none. */
void object_give(struct memory_object *object, unsigned page, frame_t frame);

void object_hold(struct memory_object *object);
/* The last release gives everything back, what is large in turns. */
void object_release(struct memory_object *object);

/* object_create, object_map, object_bytes: object_call.c. */
long object_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

#endif
