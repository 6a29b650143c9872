/* Runtime images: what stands at RUNTIME_BASE of a process and is entered first. abi/runtime.h,
 * docs/process.md. All functions: at the home, in handlers. */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include "abi/runtime.h"

struct memory_object;
struct process;

/* Pages of an image in all, and of its part that is a process's own: bounds of a turn. */
enum { IMAGE_PAGES_MAX = 1024, IMAGE_DATA_PAGES_MAX = 48 };

/* An image whose head was read, once, and found to make sense. */
struct image {
    struct runtime_head head;
    struct memory_object *object; /* NULL: the system's, in the kernel's image */
};

/* Reads the head of the object, or of the system's image. -E_DAMAGED: it makes no sense, or the object
 * is too short for it. -E_TOO_LONG: it has more pages than the bounds allow. */
int image_open(struct memory_object *object, struct image *image);

/* Maps it: text and read-only data as they are, for all processes the same frames; data copied, then
 * zeroes. The object is held until image_release. -E_DAMAGED: a page of its fixed part was never
 * written. -E_LIMIT, -E_NO_MEMORY. What a failure leaves goes with the process. */
int image_map(struct process *p, const struct image *image);
/* The same for a process that is CREATED, in place of the image that it has, whose pages are given back.
 * -E_DAMAGED, -E_LIMIT, -E_NO_MEMORY: it keeps that one. */
int image_replace(struct process *p, const struct image *image);
/* The process's memory is given back. */
void image_release(struct process *p);

#endif
