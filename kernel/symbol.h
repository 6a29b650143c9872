/* Names of the kernel's functions, for backtraces: a table linked in after everything else. */
#ifndef KERNEL_SYMBOL_H
#define KERNEL_SYMBOL_H

#include <stdint.h>

/* The function that an address lies in, and how far in; NULL if there is none. */
const char *symbol_find(uint64_t address, uint64_t *offset);

#endif
