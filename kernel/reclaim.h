/* What is given back in turns: objects that nothing holds any more, pages of messages that nobody
 * will receive. docs/object.md.
 *
 * First come, first served; a turn frees at most RECLAIM_FRAMES frames and looks at at most
 * RECLAIM_RECORDS records. Private to a kernel; handlers. */
#ifndef KERNEL_RECLAIM_H
#define KERNEL_RECLAIM_H

#include <stdint.h>

struct process;

enum { RECLAIM_FRAMES = 64, RECLAIM_RECORDS = 4096 };

/* What a turn may still do. */
struct reclaim_budget {
    unsigned frames, records;
};

/* Embedded in what is to be given back. turn: gives back a piece within the budget; 1 when all of it
 * is gone, the memory of `self` included. It may add more, which comes right behind. */
struct reclaim {
    struct reclaim *next;
    uint8_t counts; /* reclaim.c's */
    int (*turn)(struct reclaim *self, struct reclaim_budget *budget);
};

/* To be called before anything is made that may have to be given back. 0, -E_LIMIT: refuse. */
int reclaim_ready(void);
/* Takes over what is to be given back. Never refused. */
void reclaim_add(struct reclaim *what);
/* A turn for a process that ends: 1 when all that was added before its first turn is gone. */
int reclaim_for(struct process *p);

#endif
