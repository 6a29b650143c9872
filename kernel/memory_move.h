/* Pages that go from one process to another: what channels call. docs/object.md. All functions: at
 * the home of the processes, in handlers.
 *
 * Who takes, shares or puts pages first asks memory_held(p, ...), and if so returns memory_wait(...): the
 * call is made again when it is its turn. A range is that of a call: whole pages, below the kernel's
 * slot. */
#ifndef KERNEL_MEMORY_MOVE_H
#define KERNEL_MEMORY_MOVE_H

#include <stdint.h>
#include "abi/syscall.h"
#include "kernel/memory.h"
#include "kernel/region.h"

/* Adds a region of an object's pages to a process that is not busy: they come by faults. The range
 * and wanted->prot are checked by the caller. 0, -E_EXISTS, -E_LIMIT, -E_NO_MEMORY. */
int memory_add_object(struct process *p, const struct region *wanted);

/* --- PAGES_MOVE ------------------------------------------------------------------------------ */

/* Pages in no process: taken from one, to be put into another. They count against the process they
 * come from until they are put. */
struct parcel;

/* Takes the pages at addr, at most MESSAGE_PAGES, out of the process: anonymous memory all of it, or
 * -E_STATE (an object's), -E_NO_ENTRY (not mapped). Pages that were never touched stay so: zeros at
 * the receiver. 0: *parcel is the caller's. CALL_LATER: it is so when `done` is called; with -E_GONE
 * also then, to be freed. Other errors, nothing done: -E_ALIGN, -E_RANGE, -E_INVALID (pages), -E_LIMIT,
 * -E_NO_MEMORY. */
long memory_take(struct process *p, unsigned vcoreid, uint64_t addr, unsigned pages,
                 struct parcel **parcel, memory_done *done, void *context);
/* Maps the parcel's pages at addr with prot, and ends the parcel. Errors, nothing done: -E_ALIGN,
 * -E_RANGE, -E_INVALID, -E_EXISTS, -E_LIMIT, -E_NO_MEMORY. */
int memory_put(struct process *p, uint64_t addr, struct parcel *parcel, unsigned prot);
unsigned parcel_pages(const struct parcel *parcel);
/* Gives the pages back, in turns. */
void parcel_free(struct parcel *parcel);

/* --- PAGES_SHARE_READ, PAGES_SHARE_COPY ------------------------------------------------------ */

/* A part of an object, with a hold that is the owner's of this. */
struct share {
    struct memory_object *object; /* NULL: none */
    uint64_t offset;
    uint32_t pages;
    uint8_t copy; /* PAGES_SHARE_COPY */
};

/* Makes the pages at addr, at most MESSAGE_PAGES, pages of an object that others can map, or finds the
 * object they are of. `how`: PAGES_SHARE_READ: the process goes on with them as they are;
 * PAGES_SHARE_COPY: it has them copy-on-write from now on. The range is anonymous memory, or one
 * mapping of an object: shared for PAGES_SHARE_READ, copy-on-write with no page written yet for
 * PAGES_SHARE_COPY; else -E_STATE. -E_NO_ENTRY: not all mapped. 0: *share is the caller's. CALL_LATER:
 * it is so when `done` is called, with -E_GONE too. Other errors as memory_take. */
long memory_share(struct process *p, unsigned vcoreid, uint64_t addr, unsigned pages,
                  enum page_mode how, struct share *share, memory_done *done, void *context);
/* Maps the share at addr, read-only, or copy-on-write; then ends it. Errors, nothing done, as
 * memory_put. */
int memory_put_share(struct process *p, uint64_t addr, struct share *share);
void share_free(struct share *share);

#endif
