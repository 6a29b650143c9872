/* Copy-on-write: pages of an object that a process copies when it first writes to them.
 * docs/object.md. At the process's home, in handlers. */
#ifndef KERNEL_MEMORY_COPY_H
#define KERNEL_MEMORY_COPY_H

#include "kernel/memory.h"

struct process;
struct region;
struct user_fault;

/* A fault in a region of kind REGION_COPY, which permits it. As memory_fault; -E_EXISTS: it was
 * resolved before. */
int memory_fault_copy(struct process *p, unsigned vcoreid, const struct region *region,
                      const struct user_fault *fault);

/* Whether pages of the region are copied when they are written. */
int memory_copies(const struct region *region);

/* Copies what a write to pages of such regions in the range would copy, at most FLUSH_PAGES, so that it needs
 * no frame any more; no change is under way. 0, -E_LIMIT, -E_NO_MEMORY. CALL_LATER: `done` is called when all
 * cores have flushed, with the range in p->change.base and end, and what is to be returned in its result;
 * memory_copy_permit then gives back the right to write. After an error some pages are copied. */
long memory_copy_ahead(struct process *p, unsigned vcoreid, uint64_t base, uint64_t end,
                       memory_done *done);
void memory_copy_permit(struct process *p, uint64_t base, uint64_t end);

#endif
