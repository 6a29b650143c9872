/* Frames: who owns each 4 KiB of physical memory. Architecture: "Frames"; docs/frame.md.
 *
 * The shared frame table holds a word a frame: kind, order, owner. It alone is the truth, and is
 * changed by single-word stores; free lists are derived from it. Each kernel keeps a cache of free
 * frames. */
#ifndef KERNEL_SHARED_FRAME_H
#define KERNEL_SHARED_FRAME_H

#include <stdint.h>
#include "arch/arch.h"

enum frame_kind {
    FRAME_ABSENT,     /* no usable memory, the firmware's, or inside a free block */
    FRAME_FREE,       /* first frame of a block in the shared allocator */
    FRAME_CACHED,     /* free, in a kernel's cache or reserve */
    FRAME_KERNEL,     /* text, read-only data, .shared, common tables: nobody's, for ever */
    FRAME_SNAPSHOT,   /* the first kernel's private pages as frozen */
    FRAME_PRIVATE,    /* a kernel's private page */
    FRAME_TABLE,      /* a kernel's own page table */
    FRAME_RING,       /* a channel's ring or inbox, owned by the sending (or the inbox's) kernel */
    FRAME_USER,       /* a process's memory */
    FRAME_USER_TABLE, /* a process's page table */
    FRAME_OBJECT,     /* a memory object's page, or array of pages; its home's kernel's */
    FRAME_ARCHIVE,    /* the boot archive */
    FRAME_KINDS
};

enum frame_zone { ZONE_GENERAL, ZONE_PRIVATE }; /* private: absent from the direct map */

#define FRAME_NONE 0u /* frame 0 is never handed out */

/* Who owns a frame: a kernel (process = 0), or a process through its home. */
struct frame_owner {
    uint8_t core;
    uint32_t process;
};

/* Before the snapshot, with the boot tables: lays the table over the usable memory of boot and
 * reserves the private pool. Everything in the ranges is FREE afterwards but the first MiB, the
 * image, the archive and the table. Returns NULL, or a sentence why this memory does not do. */
const char *frame_table_make(const struct boot_info *boot, unsigned cores);

/* The private pool: frames [frame_pool_base, +frame_pool_frames), 2 MiB-aligned. */
extern frame_t frame_pool_base, frame_pool_frames;

/* A free 4 KiB frame with unspecified contents, from this kernel's cache, which is refilled from
 * the shared allocator when empty. FRAME_NONE: out of memory. Any context but the copying fault
 * path. */
frame_t frame_alloc(enum frame_zone zone, enum frame_kind kind, struct frame_owner owner);

/* Gives a frame back to this kernel's cache, and a full cache's surplus to the shared allocator.
 * Only by its owner. */
void frame_free(frame_t frame);

/* Of these frames, frees those that are a process's own, pages and page tables, and returns how many
 * that were; others stay as they are. A table must have no entry left: some are kept, for */
unsigned frame_free_user(const frame_t *frame, unsigned count);
/* a general frame that is all zeros already; FRAME_NONE when none is kept. */
frame_t frame_alloc_cleared(enum frame_kind kind, struct frame_owner owner);

/* A block of 2^order frames, aligned to its size, straight from the shared allocator; order <=
 * 9. */
frame_t frame_alloc_block(enum frame_zone zone, unsigned order, enum frame_kind kind,
                          struct frame_owner owner);

/* Gives a block back to the shared allocator: of 2^order frames, aligned to its size, all of one
 * owner, who calls this. */
void frame_free_block(frame_t frame, unsigned order);

/* Frames of the general zone: free in the shared allocator, so without those in caches, and in all. */
frame_t frame_free_count(void);
frame_t frame_usable_count(void);
/* Whether few are free: less than 1/32 of all, until there are half as many more again. A kernel looks
 * whenever it takes from the shared allocator, or gives back; when it finds that this has changed, it
 * calls what frame_on_short has set, which must neither take nor free frames. */
int frame_short(void);
void frame_on_short(void (*changed)(int is_short));

/* A number that the owner of an allocated frame keeps with it, in the table; not initialized. The
 * owner alone reads and writes it. */
uint32_t frame_note(frame_t frame);
void frame_note_set(frame_t frame, uint32_t note);

/* The copying fault path's own reserve of private frames: frame_reserve_take never touches the
 * shared allocator (panics when empty); the event loop tops the reserve up. */
frame_t frame_reserve_take(void);
void frame_reserve_fill(void);

/* A forked kernel's first act on frames: what its caches were inherited with is not its own. */
void frame_cache_forget(void);

/* Gives all cached frames back to the shared allocator. Before the snapshot and
 * kernel_enter, or in the event loop. */
void frame_cache_drain(void);

enum frame_kind frame_kind(frame_t frame);
struct frame_owner frame_owner(frame_t frame);
/* Changes what a frame is for, and whose; the caller owns it. One single-word store. */
void frame_set(frame_t frame, enum frame_kind kind, struct frame_owner owner);

/* Counts frames by kind and owner over the whole table: counts[kind], of owner.core == core, or of
 * all cores for core < 0. Long: for tests and the closing census only. */
void frame_census(int core, uint64_t counts[FRAME_KINDS]);

/* The frame's contents, through the direct map: not for frames of ZONE_PRIVATE. */
void *frame_pointer(frame_t frame);
frame_t frame_of_pointer(const void *direct);

static inline struct frame_owner owned_by_kernel(unsigned core)
{
    return (struct frame_owner){.core = (uint8_t)core};
}

#endif
