/* What is below the kernels on the host, and one for all of them: frames, doorbells, incarnations,
 * and what is SHARED. A test sets world.running to the kernel that it calls into; one at a time. */
#ifndef HOST_WORLD_H
#define HOST_WORLD_H

#include <stdint.h>
#include "arch/arch.h"
#include "tests/unit/host_kernel.h"

enum { WORLD_KERNELS = 140, WORLD_FRAMES = 4096 };

struct world {
    struct host_kernel *kernel[WORLD_KERNELS];
    unsigned running;
    unsigned bells[WORLD_KERNELS]; /* rung, ever */
    int ringing[WORLD_KERNELS];    /* an interrupt is pending */
    uint16_t incarnation[WORLD_KERNELS];
    unsigned frames_left; /* until frame_alloc finds none */
    unsigned frames_owned[WORLD_KERNELS];
};
extern struct world world;

/* Loads fresh kernels, each from a copy of the file. Core i has incarnation i + 1. */
void world_make(const char *shared_object, unsigned kernels);
void world_end(void); /* unloads them, frees all frames */

/* The kernel, now running. */
struct host_kernel *on(unsigned core);

/* Calls function, which must panic; returns what was said, up to the next call. */
const char *world_panics(void (*function)(void));

#endif
