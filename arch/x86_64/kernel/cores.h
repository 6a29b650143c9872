/* The table of cores: arch_discover_cores and arch_core_count of arch/arch.h. */
#ifndef X86_CORES_H
#define X86_CORES_H

#include <stdint.h>
#include "kernel/shared/shared.h"

/* Core number to local-APIC id, for cores below arch_core_count(). Core 0 is the boot processor,
 * the others stand in the firmware's order. Set before the snapshot, constant afterwards. */
extern uint32_t core_apic_id[CORES_MAX];

#endif
