#include "arch/x86_64/boot/bootinfo.h"
#include "abi/layout.h"
#include "lib/string.h"

#define PAGE_MASK ((uint64_t)PAGE_BYTES - 1)

static uint64_t end_of(uint64_t base, uint64_t bytes)
{
    return bytes > UINT64_MAX - base ? UINT64_MAX : base + bytes;
}

static const struct memory_entry *entry_at(const struct memory_map *map, unsigned index)
{
    return (const struct memory_entry *)((const char *)map->entries + index * map->stride);
}

static bool covers(uint64_t base, uint64_t bytes, uint64_t address)
{
    return address >= base && address < end_of(base, bytes);
}

/* Whether the byte at address is RAM, and nothing else claims it. */
static bool is_ram(const struct memory_map *map, uint64_t address)
{
    bool ram = false;

    if (address >= BOOT_RAM_END || covers(map->keep_away.base, map->keep_away.bytes, address))
        return false;
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_entry *entry = entry_at(map, i);
        if (!covers(entry->base, entry->bytes, address))
            continue;
        if (entry->type != MEMORY_RAM)
            return false;
        ram = true;
    }
    return ram;
}

static uint64_t nearer_edge(uint64_t base, uint64_t bytes, uint64_t address, uint64_t edge)
{
    uint64_t end = end_of(base, bytes);

    if (base > address && base < edge)
        edge = base;
    if (end > address && end < edge)
        edge = end;
    return edge;
}

/* The next address above this one where an entry begins or ends: up to there, is_ram is constant.
 */
static uint64_t next_edge(const struct memory_map *map, uint64_t address)
{
    uint64_t edge = BOOT_RAM_END;

    edge = nearer_edge(map->keep_away.base, map->keep_away.bytes, address, edge);
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_entry *entry = entry_at(map, i);
        edge = nearer_edge(entry->base, entry->bytes, address, edge);
    }
    return edge;
}

static void range_remove_smallest(struct boot_info *boot)
{
    unsigned smallest = 0;

    for (unsigned i = 1; i < boot->ranges; i++) {
        if (boot->range[i].bytes < boot->range[smallest].bytes)
            smallest = i;
    }
    boot->ranges--;
    for (unsigned i = smallest; i < boot->ranges; i++)
        boot->range[i] = boot->range[i + 1];
}

/* Ranges come in ascending order. Of too many, the largest stay. */
static void range_add(struct boot_info *boot, uint64_t start, uint64_t end)
{
    start = (start + PAGE_MASK) & ~PAGE_MASK;
    end &= ~PAGE_MASK;
    if (start >= end)
        return;
    if (boot->ranges == BOOT_RANGES_MAX) {
        uint64_t smallest = UINT64_MAX;
        for (unsigned i = 0; i < boot->ranges; i++) {
            if (boot->range[i].bytes < smallest)
                smallest = boot->range[i].bytes;
        }
        if (end - start <= smallest)
            return;
        range_remove_smallest(boot);
    }
    boot->range[boot->ranges++] = (struct boot_range){start, end - start};
}

static void raise_top(struct boot_info *boot, uint64_t end)
{
    if (end > BOOT_TOP_LIMIT)
        return;
    end = (end + PAGE_MASK) & ~PAGE_MASK;
    if (end > boot->top)
        boot->top = end;
}

/* Some firmware calls the place of its ACPI tables merely reserved: then it adjoins RAM. */
static bool follows_ram(const struct memory_map *map, uint64_t base)
{
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_entry *entry = entry_at(map, i);
        if (entry->type == MEMORY_RAM && end_of(entry->base, entry->bytes) == base)
            return true;
    }
    return false;
}

static bool needs_mapping(const struct memory_map *map, const struct memory_entry *entry)
{
    switch (entry->type) {
    case MEMORY_ACPI:
    case MEMORY_ACPI_NVS:
        return true;
    case MEMORY_RESERVED:
        return follows_ram(map, entry->base);
    default:
        return false;
    }
}

static void find_top(struct boot_info *boot, const struct memory_map *map)
{
    const struct boot_range *last = &boot->range[boot->ranges - 1];

    boot->top = last->base + last->bytes;
    for (unsigned i = 0; i < map->count; i++) {
        const struct memory_entry *entry = entry_at(map, i);
        if (needs_mapping(map, entry))
            raise_top(boot, end_of(entry->base, entry->bytes));
    }
}

const char *boot_info_memory(struct boot_info *boot, const struct memory_map *map)
{
    uint64_t start = 0; /* of the run of RAM that is open; 0: none is */

    boot->ranges = 0;
    if (map->count > BOOT_ENTRIES_MAX)
        return "the boot loader's memory map has too many entries";
    for (uint64_t address = BOOT_LOWEST; address < BOOT_RAM_END;
         address = next_edge(map, address)) {
        if (is_ram(map, address)) {
            if (!start)
                start = address;
        } else if (start) {
            range_add(boot, start, address);
            start = 0;
        }
    }
    if (start)
        range_add(boot, start, BOOT_RAM_END);
    if (!boot->ranges)
        return "the boot loader's memory map lists no usable memory";
    find_top(boot, map);
    return NULL;
}

const char *boot_info_archive(struct boot_info *boot, const struct memory_map *map, uint64_t base,
                              uint64_t bytes)
{
    struct memory_map whole = *map;
    uint64_t end = end_of(base, bytes);

    if (!bytes)
        return NULL;
    whole.keep_away.bytes = 0;
    for (uint64_t address = base; address < end; address = next_edge(&whole, address)) {
        if (!is_ram(&whole, address)) {
            boot->ranges = 0;
            return "the boot archive is not in usable memory";
        }
    }
    boot->archive_base = base;
    boot->archive_bytes = bytes;
    raise_top(boot, end);
    return NULL;
}

void boot_info_command(struct boot_info *boot, const char *text, size_t bytes_max)
{
    size_t bytes = 0;

    while (bytes < bytes_max && text[bytes] && bytes < BOOT_COMMAND_BYTES - 1)
        bytes++;
    memcpy(boot->command, text, bytes);
    boot->command[bytes] = 0;
    boot->command_cut = bytes < bytes_max && text[bytes];
}

bool boot_reachable(uint64_t physical, uint64_t bytes)
{
    return bytes <= BOOT_REACH_BYTES && physical <= BOOT_REACH_BYTES - bytes;
}

void boot_info_clear(struct boot_info *boot, const char *loader)
{
    memset(boot, 0, sizeof(*boot));
    boot->loader = loader;
}
