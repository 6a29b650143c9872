/* The parts of the instrumented build: counting path lengths, and the probes, tests that run in the
 * kernel itself instead of a program. Each kernel has a probe actor; core 0's conducts. */
#ifndef KERNEL_PROBE_PROBE_H
#define KERNEL_PROBE_PROBE_H

#include <stdint.h>
#include "kernel/message.h"

/* A probe by name: `conduct` runs on core 0 when all kernels are up; it ends with probe_done. */
struct probe {
    const char *name;
    void (*conduct)(void);
    /* What the kernel on a core does when told by probe_tell; its result goes to `told`. */
    uint64_t (*perform)(uint64_t step);
    /* On core 0: the kernel on `core` has performed the step. NULL: wait for all, then
     * probe_done. */
    void (*told)(unsigned core, uint64_t step, uint64_t result);
};

extern const struct probe *const probe_list[];

void probe_tell(unsigned core, uint64_t step); /* core 0: have the kernel on core perform a step */
void probe_tell_all(uint64_t step);
unsigned probe_cores(void);
_Noreturn void probe_done(void);

/* Has the loop call function once, outside of any handler: it may take turns of the loop itself. */
void probe_run_between_turns(void (*function)(void));

/* The address of this kernel's probe actor's peer on another core. */
uint64_t probe_actor_of(unsigned core);

#endif
