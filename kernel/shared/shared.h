/* The three kinds of kernel variables. Architecture: "Rules that hold everywhere", 1; "Fork".
 *
 * A plain variable is private to one kernel: copied from the snapshot when first written to.
 * EAGER   private too, but copied at fork: all that the copying fault path itself writes.
 * SHARED  one object for all kernels. The list is short and held against tests/shared.allow. */
#ifndef KERNEL_SHARED_H
#define KERNEL_SHARED_H

#define SHARED __attribute__((section(".shared")))
#define EAGER  __attribute__((section(".eager")))

#define CACHE_LINE 64
#define CORES_MAX  255

#endif
