/* The runtime's own memory: control blocks, pinned, and stacks, on demand with a guard below each.
 * All functions are called masked. What is handed out is recycled by its users, never given back.
 */
#ifndef RUNTIME_MEMORY_H
#define RUNTIME_MEMORY_H

#include <stdint.h>

struct uthread;

/* Once, before the others. */
void memory_init(void);

/* A zeroed control block with its FP area. NULL: out of memory. */
struct uthread *memory_block(void);

/* A zeroed, pinned page. NULL: out of memory. */
void *memory_page(void);

/* Returns the top of a stack of that size, or 0: out of memory. */
uint64_t memory_stack(uint64_t bytes);

#endif
