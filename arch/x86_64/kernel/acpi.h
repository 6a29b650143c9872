/* ACPI: the few tables that are read, once, before the snapshot. Damaged tables harm nothing: each
 * access is held against the table's length. */
#ifndef X86_ACPI_H
#define X86_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "kernel/shared/shared.h"

enum { ACPI_IOAPICS_MAX = 16, ACPI_OVERRIDES_MAX = 16 };

struct acpi_ioapic {
    uint64_t base;     /* physical address of its registers */
    uint32_t gsi_base; /* the first global interrupt number it serves */
};

/* An ISA interrupt that is not wired to the global interrupt of the same number. */
struct acpi_override {
    uint8_t source;
    uint32_t gsi;
    uint16_t flags; /* bits 0-1 polarity, 2-3 trigger mode */
};

/* How to switch the machine off. All zero: unknown. */
struct acpi_power {
    uint16_t pm1a_control, pm1b_control; /* ports; b is 0 where there is none */
    uint16_t sleep_control;              /* port, on hardware-reduced machines, else 0 */
    uint16_t smi_command;                /* port, 0: already in ACPI mode */
    uint8_t acpi_enable;                 /* value for smi_command */
    uint8_t sleep_type_a, sleep_type_b;  /* of S5 */
};

/* Constant once acpi_read has filled it. */
struct acpi {
    unsigned cores;              /* at least 1 */
    uint32_t apic_id[CORES_MAX]; /* [0]: the boot processor; then in the MADT's order, each once */
    bool cores_cut;              /* the MADT lists more than CORES_MAX */
    unsigned ioapics;
    struct acpi_ioapic ioapic[ACPI_IOAPICS_MAX];
    unsigned overrides;
    struct acpi_override override[ACPI_OVERRIDES_MAX];
    struct acpi_power power;
    uint16_t timer_port; /* of the power-management timer; 0: none */
    uint32_t timer_mask; /* the bits that count */
};
extern struct acpi acpi;

/* Fills acpi from the tables that the root pointer at rsdp (0, or nothing valid there: it is
 * searched for) leads to. boot_apic_id is the running core's; ids above apic_id_max are left out.
 * Returns NULL, or a sentence for the log; what is damaged or missing then counts as not there:
 * without a sound MADT there is one core and no I/O APIC. */
const char *acpi_read(uint64_t rsdp, uint32_t boot_apic_id, uint32_t apic_id_max);

/* Provided to this unit: a pointer to physical memory, for as long as the unit runs; NULL when not
 * all of the bytes can be reached. */
const void *acpi_map(uint64_t physical, size_t bytes);

#endif
