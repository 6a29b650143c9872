/* The program's first stack: what the System V ABI promises a program at its entry point. */
#ifndef RUNTIME_PROGRAM_STACK_H
#define RUNTIME_PROGRAM_STACK_H

#include "runtime/elf.h"

/* Maps the stack, on demand; nothing is mapped below it. 0, or a negative error. Uthread context.
 */
long program_stack_map(void);

/* Puts the arguments of procinfo, an empty environment and the auxiliary vector on the stack.
 * Returns the stack pointer for the entry point, or does not return when they do not fit. Uthread
 * context. */
uint64_t program_stack_fill(const struct elf_image *image, uint64_t base);

#endif
