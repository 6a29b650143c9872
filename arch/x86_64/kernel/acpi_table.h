/* ACPI tables as bytes: finding, checking, reading. Used by acpi.c alone. */
#ifndef X86_ACPI_TABLE_H
#define X86_ACPI_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ACPI_HEADER_BYTES 36

/* A table whose length and checksum are right. bytes >= ACPI_HEADER_BYTES; NULL: none. */
struct acpi_table {
    const uint8_t *data;
    uint32_t bytes;
};

/* Little-endian reads at any alignment. The caller has checked the bounds. */
uint16_t acpi_read16(const uint8_t *at);
uint32_t acpi_read32(const uint8_t *at);
uint64_t acpi_read64(const uint8_t *at);

/* The table at a physical address if it has that signature (4 characters) and is sound; else
 * data is NULL, and *damaged is set if the signature is there but the table is not sound. */
struct acpi_table acpi_table_at(uint64_t physical, const char *signature, bool *damaged);

/* The root table (XSDT, else RSDT) that the root pointer at rsdp or found by search leads to. */
struct acpi_table acpi_root(uint64_t rsdp);

/* The first sound table with that signature in the root table. */
struct acpi_table acpi_find(struct acpi_table root, const char *signature, bool *damaged);

#endif
