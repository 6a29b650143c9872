#include "arch/x86_64/kernel/acpi_table.h"
#include "arch/x86_64/kernel/acpi.h"
#include "lib/string.h"

enum {
    RSDP_BYTES = 20, /* of revision 0 */
    RSDP_BYTES_2 = 36,
    RSDP_REVISION = 15,
    RSDP_RSDT = 16,
    RSDP_LENGTH = 20,
    RSDP_XSDT = 24,
    RSDP_STEP = 16,
    RSDP_LENGTH_MAX = 4096,
    TABLE_LENGTH = 4,
    TABLE_BYTES_MAX = 1 << 24,
    BIOS_EBDA_SEGMENT = 0x40e,
    EBDA_SEARCH_BYTES = 1024,
    BIOS_START = 0xe0000,
    BIOS_BYTES = 0x20000
};

uint16_t acpi_read16(const uint8_t *at)
{
    uint16_t value;
    __builtin_memcpy(&value, at, sizeof(value));
    return value;
}

uint32_t acpi_read32(const uint8_t *at)
{
    uint32_t value;
    __builtin_memcpy(&value, at, sizeof(value));
    return value;
}

uint64_t acpi_read64(const uint8_t *at)
{
    uint64_t value;
    __builtin_memcpy(&value, at, sizeof(value));
    return value;
}

static bool sums_to_zero(const uint8_t *data, size_t bytes)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < bytes; i++)
        sum += data[i];
    return sum == 0;
}

static bool signed_as(const uint8_t *data, const char *signature)
{
    return acpi_read32(data) == acpi_read32((const uint8_t *)signature);
}

struct acpi_table acpi_table_at(uint64_t physical, const char *signature, bool *damaged)
{
    const struct acpi_table none = {0};
    const uint8_t *data = acpi_map(physical, ACPI_HEADER_BYTES);
    uint32_t bytes;

    if (!data || !signed_as(data, signature))
        return none;
    bytes = acpi_read32(data + TABLE_LENGTH);
    if (bytes >= ACPI_HEADER_BYTES && bytes <= TABLE_BYTES_MAX) {
        data = acpi_map(physical, bytes);
        if (data && sums_to_zero(data, bytes))
            return (struct acpi_table){data, bytes};
    }
    *damaged = true;
    return none;
}

static bool is_root_pointer(const uint8_t *at)
{
    return memcmp(at, "RSD PTR ", 8) == 0 && sums_to_zero(at, RSDP_BYTES);
}

static uint64_t search_area(uint64_t physical, size_t bytes)
{
    const uint8_t *area = acpi_map(physical, bytes);

    if (!area)
        return 0;
    for (size_t at = 0; at + RSDP_BYTES <= bytes; at += RSDP_STEP) {
        if (area[at] == 'R' && is_root_pointer(area + at))
            return physical + at;
    }
    return 0;
}

static uint64_t search_root_pointer(void)
{
    const uint8_t *segment = acpi_map(BIOS_EBDA_SEGMENT, 2);
    uint64_t ebda = segment ? (uint64_t)acpi_read16(segment) << 4 : 0;
    uint64_t found = ebda ? search_area(ebda, EBDA_SEARCH_BYTES) : 0;

    return found ? found : search_area(BIOS_START, BIOS_BYTES);
}

/* The XSDT of a root pointer of revision 2 or later. */
static struct acpi_table extended_root(uint64_t rsdp)
{
    const struct acpi_table none = {0};
    const uint8_t *pointer = acpi_map(rsdp, RSDP_BYTES_2);
    bool damaged;
    uint32_t bytes;

    if (!pointer || pointer[RSDP_REVISION] < 2)
        return none;
    bytes = acpi_read32(pointer + RSDP_LENGTH);
    if (bytes < RSDP_BYTES_2 || bytes > RSDP_LENGTH_MAX)
        return none;
    pointer = acpi_map(rsdp, bytes);
    if (!pointer || !sums_to_zero(pointer, bytes))
        return none;
    return acpi_table_at(acpi_read64(pointer + RSDP_XSDT), "XSDT", &damaged);
}

struct acpi_table acpi_root(uint64_t rsdp)
{
    const uint8_t *pointer = rsdp ? acpi_map(rsdp, RSDP_BYTES) : NULL;
    struct acpi_table root;
    bool damaged;

    if (!pointer || !is_root_pointer(pointer)) {
        rsdp = search_root_pointer();
        pointer = rsdp ? acpi_map(rsdp, RSDP_BYTES) : NULL;
    }
    if (!pointer)
        return (struct acpi_table){0};
    root = extended_root(rsdp);
    return root.data ? root : acpi_table_at(acpi_read32(pointer + RSDP_RSDT), "RSDT", &damaged);
}

struct acpi_table acpi_find(struct acpi_table root, const char *signature, bool *damaged)
{
    unsigned width = signed_as(root.data, "XSDT") ? 8 : 4;

    for (uint64_t at = ACPI_HEADER_BYTES; at + width <= root.bytes; at += width) {
        const uint8_t *entry = root.data + at;
        uint64_t physical = width == 8 ? acpi_read64(entry) : acpi_read32(entry);
        struct acpi_table table = acpi_table_at(physical, signature, damaged);
        if (table.data)
            return table;
    }
    return (struct acpi_table){0};
}
