/* The instrumented builds; in the ordinary build all of this is nothing.
 *
 * -DPROBE  probes: tests and measurements that run inside the kernel, named by --probe.
 * -DPATHS  as well, path lengths across kernels: word[6] of a message carries how many instructions
 * led to it. */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

#include "kernel/message.h"

#ifdef PATHS

/* A message is about to be sent; is about to be handled. */
void probe_send(struct message *m);
void probe_receive(const struct message *m);

/* The instructions that led here: what the call null answers in this build. */
long probe_path(void);
/* User mode was interrupted: the way from there to the next message counts, if there is one before
 * user mode is entered again. */
void probe_interrupted(void);
void probe_user_entered(void);

/* Answers that join at this kernel, told apart by a key below CORES_MAX: its own part of what
 * joins ends here; an answer is about to be handled, after that part and what came before. */
void probe_part_done(unsigned key);
void probe_join(unsigned key);

/* The paths of starting: docs/figures.md. */
void probe_fork_begins(void); /* on core 0: a core is asked for */
void probe_fork_done(unsigned core);
void probe_cores_start(unsigned cores); /* before the start-up IPIs */
void probe_cores_started(unsigned cores);
void probe_kernel_began(uint64_t began); /* first thing in kernel_enter */
void probe_loop_begins(void);
void probe_core_up(const struct message *m); /* on core 0: joins the paths of all cores */
uint64_t probe_boot_clock(uint64_t boot);    /* what a path that led here would have begun at */

#else

static inline void probe_send(struct message *m)
{
}

static inline void probe_receive(const struct message *m)
{
}

static inline long probe_path(void)
{
    return 0;
}

static inline void probe_interrupted(void)
{
}

static inline void probe_user_entered(void)
{
}

static inline void probe_part_done(unsigned key)
{
}

static inline void probe_join(unsigned key)
{
}

static inline void probe_fork_begins(void)
{
}

static inline void probe_fork_done(unsigned core)
{
}

static inline void probe_cores_start(unsigned cores)
{
}

static inline void probe_cores_started(unsigned cores)
{
}

static inline void probe_kernel_began(uint64_t began)
{
}

static inline void probe_loop_begins(void)
{
}

static inline void probe_core_up(const struct message *m)
{
}

static inline uint64_t probe_boot_clock(uint64_t boot)
{
    return boot;
}

#endif

#ifdef PROBE

/* At kernel_enter, on each kernel. */
void probe_start(void);
/* From the loop, between turns: what a probe does outside of handlers. */
void probe_between_turns(void);
/* When all kernels are up, on core 0: 1 = the probe named by --probe runs instead of a program. */
int probe_take_over(void);

#else

static inline void probe_start(void)
{
}

static inline void probe_between_turns(void)
{
}

/* Only the kernel's command line can name a probe. */
_Noreturn void machine_stop(const char *sentence);
int probe_asked(void);

static inline int probe_take_over(void)
{
    if (probe_asked())
        machine_stop("--probe is for the instrumented build of the kernel");
    return 0;
}

#endif
#endif
