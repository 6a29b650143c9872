#include "arch/x86_64/boot/bootinfo.h"

/* The information is a sequence of tags, each at a multiple of 8 bytes. */
struct information {
    uint32_t total_bytes;
    uint32_t reserved;
};

struct tag {
    uint32_t type;
    uint32_t bytes; /* with this header, without the padding to the next */
};

enum tag_type {
    TAG_END = 0,
    TAG_COMMAND = 1,
    TAG_MODULE = 3,
    TAG_MEMORY_MAP = 6,
    TAG_RSDP_OLD = 14,
    TAG_RSDP_NEW = 15
};

struct tag_module {
    struct tag tag;
    uint32_t start, end;
};

struct tag_memory_map {
    struct tag tag;
    uint32_t entry_bytes;
    uint32_t entry_version;
};

enum { INFORMATION_BYTES_MAX = 1 << 24 };

/* The tags that matter; NULL: absent. Each is at least as long as its fixed part. */
struct tags {
    const struct tag *command;
    const struct tag_module *module; /* the first one */
    const struct tag_memory_map *memory_map;
    const struct tag *rsdp;
};

static bool tag_keep(const struct tag *tag, struct tags *tags)
{
    switch (tag->type) {
    case TAG_COMMAND:
        tags->command = tag;
        return true;
    case TAG_MODULE:
        if (!tags->module)
            tags->module = (const struct tag_module *)tag;
        return tag->bytes >= sizeof(struct tag_module);
    case TAG_MEMORY_MAP:
        tags->memory_map = (const struct tag_memory_map *)tag;
        return tag->bytes >= sizeof(struct tag_memory_map);
    case TAG_RSDP_NEW:
        tags->rsdp = tag;
        return true;
    case TAG_RSDP_OLD:
        if (!tags->rsdp)
            tags->rsdp = tag;
        return true;
    default:
        return true;
    }
}

static const char *find_tags(const struct information *information, struct tags *tags)
{
    const char *base = (const char *)information;
    uint64_t at = sizeof(*information);

    *tags = (struct tags){0};
    while (at + sizeof(struct tag) <= information->total_bytes) {
        const struct tag *tag = (const struct tag *)(base + at);
        if (tag->type == TAG_END)
            return NULL;
        if (tag->bytes < sizeof(*tag) || tag->bytes > information->total_bytes - at)
            break;
        if (!tag_keep(tag, tags))
            break;
        at += ((uint64_t)tag->bytes + 7) & ~7ull;
    }
    return "the Multiboot2 information is damaged";
}

static const char *find_map(const struct tags *tags, struct memory_map *map)
{
    const struct tag_memory_map *tag = tags->memory_map;

    if (!tag)
        return "the Multiboot2 information has no memory map";
    if (tag->entry_bytes < sizeof(struct memory_entry) || tag->entry_bytes % 8)
        return "the Multiboot2 memory map is damaged";
    map->entries = tag + 1;
    map->count = (tag->tag.bytes - sizeof(*tag)) / tag->entry_bytes;
    map->stride = tag->entry_bytes;
    return NULL;
}

static const char *take_archive(const struct tags *tags, const struct memory_map *map,
                                struct boot_info *boot)
{
    const struct tag_module *module = tags->module;

    if (!module)
        return NULL;
    if (module->end < module->start)
        return "the Multiboot2 module ends before it starts";
    return boot_info_archive(boot, map, module->start, module->end - module->start);
}

static const char *take_tags(const struct information *information, struct boot_info *boot)
{
    struct memory_map map = {.keep_away = {(uint64_t)information, information->total_bytes}};
    struct tags tags;
    const char *sentence = find_tags(information, &tags);

    if (sentence)
        return sentence;
    if (tags.command)
        boot_info_command(boot, (const char *)(tags.command + 1),
                          tags.command->bytes - sizeof(struct tag));
    if (tags.rsdp) /* the tag holds a copy of the root pointer, in memory that is kept away */
        boot->rsdp = (uint64_t)(tags.rsdp + 1);
    sentence = find_map(&tags, &map);
    if (!sentence)
        sentence = boot_info_memory(boot, &map);
    if (!sentence)
        sentence = take_archive(&tags, &map, boot);
    return sentence;
}

const char *boot_info_from_multiboot2(const void *address, struct boot_info *boot)
{
    const struct information *information = address;
    const uint64_t physical = (uint64_t)address;
    const char *sentence;

    boot_info_clear(boot, "Multiboot2");
    if (!boot_reachable(physical, sizeof(*information)))
        return "the Multiboot2 information is above 1 GiB";
    if (!physical || physical % 8 || information->total_bytes > INFORMATION_BYTES_MAX)
        return "the Multiboot2 information is damaged";
    if (!boot_reachable(physical, information->total_bytes))
        return "the Multiboot2 information is above 1 GiB";
    sentence = take_tags(information, boot);
    if (sentence)
        boot->ranges = 0;
    return sentence;
}
