#include "arch/arch.h"
#include "arch/x86_64/kernel/acpi.h"
#include "arch/x86_64/kernel/io.h"

enum {
    PM1_ACPI_MODE = 1,
    PM1_SLEEP_TYPE_SHIFT = 10,
    PM1_SLEEP_TYPE = 7 << PM1_SLEEP_TYPE_SHIFT,
    PM1_SLEEP = 1 << 13,
    REDUCED_SLEEP_TYPE_SHIFT = 2,
    REDUCED_SLEEP = 1 << 5,
    MODE_POLLS = 1000000 /* about a second */
};

static unsigned exit_port; /* 0: none */

void arch_exit_port_set(unsigned port)
{
    exit_port = port;
}

static void enter_acpi_mode(const struct acpi_power *power)
{
    if (!power->smi_command || !power->acpi_enable || inw(power->pm1a_control) & PM1_ACPI_MODE)
        return;
    outb(power->smi_command, power->acpi_enable);
    for (unsigned i = 0; i < MODE_POLLS && !(inw(power->pm1a_control) & PM1_ACPI_MODE); i++)
        arch_pause();
}

static void sleep_by(uint16_t port, unsigned type)
{
    unsigned value = inw(port) & ~(PM1_SLEEP_TYPE | PM1_SLEEP);

    value |= type << PM1_SLEEP_TYPE_SHIFT;
    outw(port, (uint16_t)value);
    outw(port, (uint16_t)(value | PM1_SLEEP));
}

static void acpi_soft_off(const struct acpi_power *power)
{
    if (power->sleep_control) {
        outb(power->sleep_control,
             (uint8_t)(power->sleep_type_a << REDUCED_SLEEP_TYPE_SHIFT | REDUCED_SLEEP));
    } else if (power->pm1a_control) {
        enter_acpi_mode(power);
        if (power->pm1b_control)
            sleep_by(power->pm1b_control, power->sleep_type_b);
        sleep_by(power->pm1a_control, power->sleep_type_a);
    }
}

void arch_power_off(unsigned status)
{
    if (exit_port)
        outl((uint16_t)exit_port, status);
    acpi_soft_off(&acpi.power);
    for (;;)
        __asm__ volatile("cli; hlt");
}
