/* What a started core looks up before it has a kernel: see boot/trampoline.S. Assembly includes
 * this. */
#ifndef X86_CORE_START_H
#define X86_CORE_START_H

#define CORE_STARTS       255
#define CORE_START_APIC   0
#define CORE_START_TABLES 8
#define CORE_START_BYTES  16

#ifndef __ASSEMBLER__
#include <stdint.h>

struct core_start {
    uint32_t apic_id;
    uint32_t unused;
    uint64_t tables; /* physical address of the core's top-level table; 0: not forked */
};
extern struct core_start core_starts[CORE_STARTS];
#endif

#endif
