/* The last level of a process's tables, for files of the port. */
#ifndef X86_64_USER_PAGES_H
#define X86_64_USER_PAGES_H

#include <stdint.h>
#include "arch/arch.h"

/* The last-level entry for address, or NULL where no table leads to it. */
uint64_t *user_entry(frame_t root, uint64_t address);
/* The bits of an entry for PROT_*, MAP_COPY. */
uint64_t user_prot_bits(unsigned prot);

#endif
