/* The log actor, on core 0: it owns COM1. log_line (kernel.h) is how everyone writes to it. */
#ifndef KERNEL_LOG_H
#define KERNEL_LOG_H

/* Makes the actor on this core; on core 0's kernel only. */
void log_start(void);

#endif
