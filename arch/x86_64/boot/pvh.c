#include "arch/x86_64/boot/pvh.h"
#include "arch/x86_64/boot/bootinfo.h"

static const char *take_command(const struct hvm_start_info *start, struct boot_info *boot)
{
    if (!start->cmdline_paddr)
        return NULL;
    if (!boot_reachable(start->cmdline_paddr, 1))
        return "the PVH command line is above 1 GiB";
    boot_info_command(boot, (const char *)start->cmdline_paddr,
                      BOOT_REACH_BYTES - start->cmdline_paddr);
    return NULL;
}

static const char *find_map(const struct hvm_start_info *start, struct memory_map *map)
{
    if (start->version < 1 || !start->memmap_paddr || !start->memmap_entries)
        return "the PVH start information has no memory map";
    if (start->memmap_entries > BOOT_ENTRIES_MAX)
        return "the PVH memory map has too many entries";
    if (!boot_reachable(start->memmap_paddr, start->memmap_entries * sizeof(struct memory_entry)))
        return "the PVH memory map is above 1 GiB";
    if (start->memmap_paddr % 8)
        return "the PVH memory map is not aligned";
    *map = (struct memory_map){
        .entries = (const void *)start->memmap_paddr,
        .count = start->memmap_entries,
        .stride = sizeof(struct memory_entry),
    };
    return NULL;
}

static const char *take_archive(const struct hvm_start_info *start, const struct memory_map *map,
                                struct boot_info *boot)
{
    const struct hvm_modlist_entry *module = (const void *)start->modlist_paddr;

    if (!start->nr_modules)
        return NULL;
    if (!boot_reachable(start->modlist_paddr, sizeof(*module)))
        return "the PVH module list is above 1 GiB";
    if (!start->modlist_paddr || start->modlist_paddr % 8)
        return "the PVH module list is not aligned";
    return boot_info_archive(boot, map, module->paddr, module->size);
}

const char *boot_info_from_pvh(const struct hvm_start_info *start, struct boot_info *boot)
{
    const uint64_t physical = (uint64_t)start;
    struct memory_map map;
    const char *sentence;

    boot_info_clear(boot, "PVH");
    if (!boot_reachable(physical, sizeof(*start)))
        return "the PVH start information is above 1 GiB";
    if (!physical || physical % 8 || start->magic != HVM_START_MAGIC)
        return "the PVH start information is damaged";
    boot->rsdp = start->rsdp_paddr;
    sentence = take_command(start, boot);
    if (!sentence)
        sentence = find_map(start, &map);
    if (!sentence)
        sentence = boot_info_memory(boot, &map);
    if (!sentence)
        sentence = take_archive(start, &map, boot);
    if (sentence)
        boot->ranges = 0;
    return sentence;
}
