#include "arch/x86_64/kernel/ioapic.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/acpi.h"
#include "arch/x86_64/kernel/pic.h"

enum {
    IOAPIC_SELECT = 0x00, /* byte offsets of the two registers */
    IOAPIC_WINDOW = 0x10,
    IOAPIC_BYTES = 0x20,
    INDEX_VERSION = 1,
    INDEX_ENTRIES = 0x10, /* two registers an entry */
    ENTRIES_MAX = 120,
    ENTRY_MASKED = 0x10000,
    ENTRY_DELIVERY = 0x700,
    ENTRY_DELIVERY_SMI = 0x200
};

static uint32_t ioapic_read(volatile uint32_t *registers, unsigned index)
{
    registers[IOAPIC_SELECT / 4] = index;
    return registers[IOAPIC_WINDOW / 4];
}

static void ioapic_write(volatile uint32_t *registers, unsigned index, uint32_t value)
{
    registers[IOAPIC_SELECT / 4] = index;
    registers[IOAPIC_WINDOW / 4] = value;
}

static void mask_entries(volatile uint32_t *registers)
{
    unsigned entries = (ioapic_read(registers, INDEX_VERSION) >> 16 & 0xff) + 1;

    for (unsigned i = 0; i < entries && i < ENTRIES_MAX; i++) {
        unsigned index = INDEX_ENTRIES + 2 * i;
        uint32_t entry = ioapic_read(registers, index);
        if ((entry & ENTRY_DELIVERY) != ENTRY_DELIVERY_SMI)
            ioapic_write(registers, index, entry | ENTRY_MASKED);
    }
}

void ioapic_mask_all(void)
{
    for (unsigned i = 0; i < acpi.ioapics; i++)
        mask_entries(arch_device_map(acpi.ioapic[i].base, IOAPIC_BYTES));
}

void arch_interrupts_quiet(void)
{
    pic_mask_all();
    ioapic_mask_all();
}
