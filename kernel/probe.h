/* The instrumented build (-DPROBE): path lengths across kernels, and tests that run inside the kernel. word[6]
 * of a message carries how many instructions led to it. In the ordinary build all of this is nothing. */
#ifndef KERNEL_PROBE_H
#define KERNEL_PROBE_H

#include "kernel/message.h"

#ifdef PROBE

/* A message is about to be sent; is about to be handled. */
void probe_send(struct message *m);
void probe_receive(const struct message *m);
/* At kernel_enter, on each kernel. */
void probe_start(void);
/* When all kernels are up, on core 0: 1 = the probe named by --probe runs instead of a program. */
int probe_take_over(void);

#else

static inline void probe_send(struct message *m)
{
}

static inline void probe_receive(const struct message *m)
{
}

static inline void probe_start(void)
{
}

static inline int probe_take_over(void)
{
    return 0;
}

#endif
#endif
