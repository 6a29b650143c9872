/* The time-stamp counter: arch_clock, arch_clock_hz and arch_clock_calibrate of arch/arch.h.
 *
 * arch_clock_calibrate comes after arch_discover_cores (it uses the local APIC, which it enables,
 * and the power-management timer that ACPI names). */
#ifndef X86_TSC_H
#define X86_TSC_H

/* For the log: "CPUID", "ACPI timer", "PIT", or "assumed" when the machine has nothing to measure
 * by. */
const char *tsc_source(void);

#endif
