/* Memory objects: pages that processes can have in common. docs/object.md.
 *
 * An object lives while handles (those under way included) or mappings hold it. Frames come on demand, or from the memory of a
 * process that shares a range. At present objects are at the home of those who use them. */
#ifndef KERNEL_OBJECT_H
#define KERNEL_OBJECT_H

#include <stdint.h>
#include "kernel/shared/frame.h"

struct memory_object;
struct process;

/* An object with no frames yet and one hold, the caller's; its frames count against `charged` while that lives. -E_INVALID, -E_NO_MEMORY. */
int object_make(struct process *charged, uint64_t bytes, struct memory_object **made);
uint64_t object_bytes(const struct memory_object *object);

/* The frame of a page: made, zeroed, if there is none and make is set. FRAME_NONE with *error otherwise. */
frame_t object_frame(struct memory_object *object, uint64_t offset, int make, int *error);

void object_hold(struct memory_object *object);
void object_release(
    struct memory_object *object); /* the last release gives everything back, in turns */

/* object_create, object_map, object_bytes. */
long object_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

#endif
