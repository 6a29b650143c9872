/* Descriptors, control registers and the layout that the entry paths use. Assembly includes
 * this. */
#ifndef X86_CPU_H
#define X86_CPU_H

#define KERNEL_CS    0x08
#define KERNEL_SS    0x10
#define SELECTOR_TSS 0x30

#define VECTOR_NMI           2
#define VECTOR_DOUBLE_FAULT  8
#define VECTOR_PAGE_FAULT    14
#define VECTOR_MACHINE_CHECK 18

#define RFLAGS_IF    0x200
#define RFLAGS_FIXED 0x2
/* what a process may have in its flags: CF PF AF ZF SF DF OF AC ID */
#define RFLAGS_USER 0x240cd5

/* Offsets in struct context. */
#define CONTEXT_R11    32
#define CONTEXT_RCX    96
#define CONTEXT_RAX    112
#define CONTEXT_TRAP   120
#define CONTEXT_RIP    128
#define CONTEXT_CS     136
#define CONTEXT_RFLAGS 144
#define CONTEXT_RSP    152
#define CONTEXT_SS     160

#ifndef __ASSEMBLER__
#include <stdint.h>
#include "abi/process.h"

/* Called by the entry paths (entry_paths.S). From user mode they return to go straight back, or
 * leave by kernel_loop. */
void trap_from_user(void);
void trap_from_kernel(struct context *context);
void trap_on_own_stack(struct context *context); /* NMI, #DF, #MC: any moment */
void syscall_from_user(void);

void syscall_entry(void);
extern const uint64_t trap_entries[256]; /* addresses of the vectors' stubs */

#endif
#endif
