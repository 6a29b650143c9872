/* I/O APICs: as many as the MADT lists. For now they are only made quiet. */
#ifndef X86_IOAPIC_H
#define X86_IOAPIC_H

/* Maps every I/O APIC and masks its entries, but those that the firmware uses for system
 * management. Once, before the snapshot, after arch_discover_cores. */
void ioapic_mask_all(void);

#endif
