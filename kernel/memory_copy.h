/* Copy-on-write: pages of an object that a process copies when it first writes to them.
 * docs/object.md. At the process's home, in handlers. */
#ifndef KERNEL_MEMORY_COPY_H
#define KERNEL_MEMORY_COPY_H

struct process;
struct region;
struct user_fault;

/* A fault in a region of kind REGION_COPY, which permits it. As memory_fault; -E_EXISTS: it was
 * resolved before. */
int memory_fault_copy(struct process *p, unsigned vcoreid, const struct region *region,
                      const struct user_fault *fault);

#endif
