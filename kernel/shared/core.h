/* What kernels know of one another's cores. docs/kernel.md. */
#ifndef KERNEL_SHARED_CORE_H
#define KERNEL_SHARED_CORE_H

#include <stdint.h>

/* How often a kernel was forked on the core: raised before each fork, so that an address made under
 * an earlier one is never honoured. */
uint16_t core_incarnation(unsigned core);
void core_incarnation_raise(unsigned core);

/* The first kernel to panic takes the console: returns 1 to it, 0 to all later ones. */
int core_panic_claim(void);
/* The machine is being stopped: a core that gets an NMI parks. */
void core_stop_all(void);
int core_stopping(void);

#endif
