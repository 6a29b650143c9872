#include "arch/x86_64/kernel/acpi.h"
#include "arch/x86_64/kernel/acpi_table.h"
#include "lib/string.h"

struct acpi acpi;

/* --- MADT: processors and interrupt controllers ---------------------------------------------- */

enum { MADT_ENTRIES = 44, MADT_CORE_ENABLED = 1 };
enum { MADT_LOCAL_APIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LOCAL_X2APIC = 9 };

struct madt_scan {
    uint32_t apic_id_max;
    bool boot_listed; /* the boot processor is among the enabled ones */
};

static void add_core(uint32_t apic_id, uint32_t flags, struct madt_scan *scan)
{
    if (!(flags & MADT_CORE_ENABLED) || apic_id > scan->apic_id_max)
        return;
    for (unsigned i = 0; i < acpi.cores; i++) {
        if (acpi.apic_id[i] == apic_id) {
            scan->boot_listed |= i == 0;
            return;
        }
    }
    if (acpi.cores == CORES_MAX)
        acpi.cores_cut = true;
    else
        acpi.apic_id[acpi.cores++] = apic_id;
}

static void add_ioapic(uint64_t base, uint32_t gsi_base)
{
    for (unsigned i = 0; i < acpi.ioapics; i++) {
        if (acpi.ioapic[i].base == base)
            return;
    }
    if (acpi.ioapics < ACPI_IOAPICS_MAX)
        acpi.ioapic[acpi.ioapics++] = (struct acpi_ioapic){base, gsi_base};
}

static void add_override(uint8_t source, uint32_t gsi, uint16_t flags)
{
    if (acpi.overrides < ACPI_OVERRIDES_MAX)
        acpi.override[acpi.overrides++] = (struct acpi_override){source, gsi, flags};
}

static unsigned madt_entry_bytes(uint8_t type)
{
    switch (type) {
    case MADT_LOCAL_APIC:
        return 8;
    case MADT_IOAPIC:
        return 12;
    case MADT_OVERRIDE:
        return 10;
    case MADT_LOCAL_X2APIC:
        return 16;
    default:
        return 2;
    }
}

static void madt_entry(const uint8_t *entry, struct madt_scan *scan)
{
    switch (entry[0]) {
    case MADT_LOCAL_APIC:
        if (entry[3] != 0xff) /* the broadcast id */
            add_core(entry[3], acpi_read32(entry + 4), scan);
        break;
    case MADT_LOCAL_X2APIC:
        add_core(acpi_read32(entry + 4), acpi_read32(entry + 8), scan);
        break;
    case MADT_IOAPIC:
        add_ioapic(acpi_read32(entry + 4), acpi_read32(entry + 8));
        break;
    case MADT_OVERRIDE:
        add_override(entry[3], acpi_read32(entry + 4), acpi_read16(entry + 8));
        break;
    default:
        break;
    }
}

/* Whether all entries lie in the table and are as long as their type needs. */
static bool madt_sound(struct acpi_table madt)
{
    uint32_t at = MADT_ENTRIES;

    while (at < madt.bytes) {
        const uint8_t *entry = madt.data + at;
        if (madt.bytes - at < 2 || entry[1] < madt_entry_bytes(entry[0]) ||
            entry[1] > madt.bytes - at)
            return false;
        at += entry[1];
    }
    return at == madt.bytes;
}

static const char *read_madt(struct acpi_table madt, uint32_t apic_id_max)
{
    struct madt_scan scan = {.apic_id_max = apic_id_max};

    if (!madt_sound(madt))
        return "the ACPI table of processors (MADT) is damaged: only one core is used";
    for (uint32_t at = MADT_ENTRIES; at < madt.bytes; at += madt.data[at + 1])
        madt_entry(madt.data + at, &scan);
    if (scan.boot_listed)
        return NULL;
    acpi.cores = 1;
    return "the ACPI table of processors (MADT) does not list the one that runs: only it is used";
}

/* --- FADT and DSDT: power and timer -------------------------------------------------------------
 */

enum { /* offsets in the FADT */
       FADT_DSDT = 40,
       FADT_SMI_COMMAND = 48,
       FADT_ACPI_ENABLE = 52,
       FADT_PM1A_CONTROL = 64,
       FADT_PM1B_CONTROL = 68,
       FADT_TIMER = 76,
       FADT_FLAGS = 112,
       FADT_BYTES_1 = 116, /* of the first revision */
       FADT_X_DSDT = 140,
       FADT_X_PM1A_CONTROL = 172,
       FADT_X_PM1B_CONTROL = 184,
       FADT_X_TIMER = 208,
       FADT_SLEEP_CONTROL = 244
};
enum { FADT_TIMER_32_BITS = 1u << 8, FADT_HARDWARE_REDUCED = 1u << 20 };
enum { GENERIC_ADDRESS_BYTES = 12, GENERIC_ADDRESS_PORT = 1 };

/* A register's port from the FADT's extended field; 0: none, or not a port. */
static uint16_t extended_port(struct acpi_table fadt, unsigned offset)
{
    const uint8_t *field = fadt.data + offset;

    if (offset + GENERIC_ADDRESS_BYTES > fadt.bytes || field[0] != GENERIC_ADDRESS_PORT ||
        acpi_read64(field + 4) > UINT16_MAX)
        return 0;
    return (uint16_t)acpi_read64(field + 4);
}

static uint16_t register_port(struct acpi_table fadt, unsigned offset, unsigned extended_offset)
{
    uint32_t port = acpi_read32(fadt.data + offset);

    return port && port <= UINT16_MAX ? (uint16_t)port : extended_port(fadt, extended_offset);
}

/* An AML integer constant of at most a byte; moves *at beyond it. Returns -1 for anything else. */
static int aml_small_integer(struct acpi_table table, uint32_t *at)
{
    enum { AML_ZERO = 0x00, AML_ONE = 0x01, AML_BYTE = 0x0a };
    uint32_t start = *at;

    if (start >= table.bytes)
        return -1;
    *at = start + 1;
    switch (table.data[start]) {
    case AML_ZERO:
        return 0;
    case AML_ONE:
        return 1;
    case AML_BYTE:
        *at = start + 2;
        return start + 1 < table.bytes ? table.data[start + 1] : -1;
    default:
        return -1;
    }
}

/* Reads "_S5_, Package(n) {a, b, ...}" with the package at this offset. */
static bool sleep_package(struct acpi_table table, uint32_t at, struct acpi_power *power)
{
    enum { AML_PACKAGE = 0x12 };
    int a, b;

    if (at + 2 > table.bytes || table.data[at] != AML_PACKAGE)
        return false;
    at += 2 + (table.data[at + 1] >> 6); /* the length's first byte says how many follow */
    at += 1;                             /* the number of elements */
    a = aml_small_integer(table, &at);
    b = aml_small_integer(table, &at);
    if (a < 0)
        return false;
    power->sleep_type_a = a & 7;
    power->sleep_type_b = (b < 0 ? a : b) & 7;
    return true;
}

/* Looks for the name S5 without interpreting the rest, so that a method of it is not understood. */
static bool find_sleep_type(struct acpi_table dsdt, struct acpi_power *power)
{
    const uint32_t name = acpi_read32((const uint8_t *)"_S5_");

    for (uint32_t at = ACPI_HEADER_BYTES; at + 4 <= dsdt.bytes; at++) {
        if (acpi_read32(dsdt.data + at) == name && sleep_package(dsdt, at + 4, power))
            return true;
    }
    return false;
}

static void find_control_ports(struct acpi_table fadt, struct acpi_power *power)
{
    if (acpi_read32(fadt.data + FADT_FLAGS) & FADT_HARDWARE_REDUCED) {
        power->sleep_control = extended_port(fadt, FADT_SLEEP_CONTROL);
        return;
    }
    power->pm1a_control = register_port(fadt, FADT_PM1A_CONTROL, FADT_X_PM1A_CONTROL);
    power->pm1b_control = register_port(fadt, FADT_PM1B_CONTROL, FADT_X_PM1B_CONTROL);
    power->smi_command = (uint16_t)acpi_read32(fadt.data + FADT_SMI_COMMAND);
    power->acpi_enable = fadt.data[FADT_ACPI_ENABLE];
}

static struct acpi_table find_dsdt(struct acpi_table fadt, bool *damaged)
{
    uint64_t physical = acpi_read32(fadt.data + FADT_DSDT);

    if (!physical && fadt.bytes >= FADT_X_DSDT + 8)
        physical = acpi_read64(fadt.data + FADT_X_DSDT);
    return physical ? acpi_table_at(physical, "DSDT", damaged) : (struct acpi_table){0};
}

static const char *read_fadt(struct acpi_table fadt)
{
    struct acpi_power power = {0};
    struct acpi_table dsdt;
    bool damaged = false;

    if (fadt.bytes < FADT_BYTES_1)
        return "the ACPI table of fixed hardware (FADT) is damaged";
    if (!(acpi_read32(fadt.data + FADT_FLAGS) & FADT_HARDWARE_REDUCED))
        acpi.timer_port = register_port(fadt, FADT_TIMER, FADT_X_TIMER);
    acpi.timer_mask =
        acpi_read32(fadt.data + FADT_FLAGS) & FADT_TIMER_32_BITS ? UINT32_MAX : 0xffffff;

    dsdt = find_dsdt(fadt, &damaged);
    if (damaged)
        return "the ACPI table DSDT is damaged: the machine cannot be switched off";
    find_control_ports(fadt, &power);
    if (dsdt.data && find_sleep_type(dsdt, &power))
        acpi.power = power;
    return NULL;
}

/* --- all of them ----------------------------------------------------------------------------- */

static const char *read_processors(struct acpi_table root, uint32_t apic_id_max)
{
    bool damaged = false;
    struct acpi_table madt = acpi_find(root, "APIC", &damaged);

    if (madt.data && madt.bytes >= MADT_ENTRIES)
        return read_madt(madt, apic_id_max);
    if (madt.data || damaged)
        return "the ACPI table of processors (MADT) is damaged: only one core is used";
    return "ACPI has no table of processors (MADT): only one core is used";
}

static const char *read_fixed_hardware(struct acpi_table root)
{
    bool damaged = false;
    struct acpi_table fadt = acpi_find(root, "FACP", &damaged);

    if (fadt.data)
        return read_fadt(fadt);
    return damaged ? "the ACPI table of fixed hardware (FADT) is damaged" : NULL;
}

const char *acpi_read(uint64_t rsdp, uint32_t boot_apic_id, uint32_t apic_id_max)
{
    struct acpi_table root = acpi_root(rsdp);
    const char *sentence, *second;

    memset(&acpi, 0, sizeof(acpi));
    acpi.cores = 1;
    acpi.apic_id[0] = boot_apic_id;
    if (!root.data)
        return "no sound ACPI tables were found: only one core is used";
    sentence = read_processors(root, apic_id_max);
    second = read_fixed_hardware(root);
    return sentence ? sentence : second;
}
