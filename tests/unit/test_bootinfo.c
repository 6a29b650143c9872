// sources: arch/x86_64/boot/bootinfo.c arch/x86_64/boot/pvh.c arch/x86_64/boot/multiboot2.c
/* What the boot loaders tell, and what becomes of it. Loaders' structures have to be below 1 GiB,
 * so a piece of memory there stands for theirs. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <cmocka.h>
#include "arch/x86_64/boot/bootinfo.h"
#include "arch/x86_64/boot/pvh.h"

enum { LOW_BYTES = 1 << 20, GIB = 1 << 30 };

static struct boot_info boot;
static uint8_t *low; /* memory below 1 GiB */

static const char *normalise(const struct memory_entry *entries, unsigned count)
{
    struct memory_map map = {.entries = entries, .count = count, .stride = sizeof(*entries)};

    boot_info_clear(&boot, "test");
    return boot_info_memory(&boot, &map);
}

static void expect_range(unsigned index, uint64_t base, uint64_t end)
{
    assert_true(index < boot.ranges);
    assert_int_equal(boot.range[index].base, base);
    assert_int_equal(boot.range[index].base + boot.range[index].bytes, end);
}

static void test_sorts_and_merges(void **state)
{
    const struct memory_entry entries[] = {
        {0x300000, 0x100000, MEMORY_RAM, 0},  {0, 0x9fc00, MEMORY_RAM, 0},
        {0x100000, 0x100000, MEMORY_RAM, 0},  {0x180000, 0x180000, MEMORY_RAM, 0},
        {0x9fc00, 0x400, MEMORY_RESERVED, 0}, {0x500000, 0, MEMORY_RAM, 0},
    };

    assert_null(normalise(entries, 6));
    assert_int_equal(boot.ranges, 2);
    expect_range(0, 0x1000, 0x9f000);
    expect_range(1, 0x100000, 0x400000);
    assert_int_equal(boot.top, 0x400000);
}

static void test_unusable_wins(void **state)
{
    const struct memory_entry entries[] = {
        {0x200800, 0x100, 99, 0},
        {0x100000, 0x300000, MEMORY_RAM, 0},
        {0x3ffffe, UINT64_MAX, MEMORY_RESERVED, 0}, /* runs over the end of the address space */
    };

    assert_null(normalise(entries, 3));
    assert_int_equal(boot.ranges, 2);
    expect_range(0, 0x100000, 0x200000);
    expect_range(1, 0x201000, 0x3ff000);
}

static void test_top_covers_acpi(void **state)
{
    const struct memory_entry entries[] = {
        {0x100000, 0xf00000, MEMORY_RAM, 0},
        {0x1000000, 0x20000, MEMORY_RESERVED, 0}, /* adjoins RAM */
        {0x2000000, 0x1001, MEMORY_ACPI, 0},
        {0xb0000000, 0x10000000, MEMORY_RESERVED, 0}, /* device space */
        {0xfd00000000, 0x300000000, MEMORY_RESERVED, 0},
        {BOOT_TOP_LIMIT - 0x1000, 0x2000, MEMORY_ACPI, 0}, /* out of reach */
    };

    assert_null(normalise(entries, 2));
    assert_int_equal(boot.top, 0x1020000);
    assert_null(normalise(entries, 6));
    assert_int_equal(boot.top, 0x2002000);
    expect_range(0, 0x100000, 0x1000000);
    assert_int_equal(boot.ranges, 1);
}

static void test_ram_without_frame_numbers_is_cut(void **state)
{
    const struct memory_entry entry = {BOOT_RAM_END - 0x2000, 0x100000, MEMORY_RAM, 0};

    assert_null(normalise(&entry, 1));
    expect_range(0, BOOT_RAM_END - 0x2000, BOOT_RAM_END);
    assert_int_equal(boot.top, BOOT_RAM_END);
}

static void test_keeps_the_largest_of_many(void **state)
{
    enum { COUNT = 300 };
    struct memory_entry entries[COUNT];

    /* islands of 1 to 300 pages, the sizes shuffled, listed from the top down */
    for (unsigned i = 0; i < COUNT; i++)
        entries[COUNT - 1 - i] = (struct memory_entry){
            (i + 1) * 0x200000ull, (i * 7 % COUNT + 1) * 4096ull, MEMORY_RAM, 0};
    assert_null(normalise(entries, COUNT));
    assert_int_equal(boot.ranges, BOOT_RANGES_MAX);
    for (unsigned i = 0; i < BOOT_RANGES_MAX; i++) {
        assert_true(boot.range[i].bytes > (COUNT - BOOT_RANGES_MAX) * 4096ull);
        if (i)
            assert_true(boot.range[i].base > boot.range[i - 1].base);
    }
}

static void test_nothing_usable(void **state)
{
    const struct memory_entry entries[] = {{0, 0x1000, MEMORY_RAM, 0},
                                           {0x2800, 0x1000, MEMORY_RAM, 0}};

    assert_non_null(normalise(entries, 2));
    assert_int_equal(boot.ranges, 0);
    assert_non_null(normalise(NULL, 0));
    assert_non_null(normalise(entries, BOOT_ENTRIES_MAX + 1));
}

/* Whether a page is usable, told without the code under test. */
static int page_usable(const struct memory_map *map, uint64_t page)
{
    const struct memory_entry *entries = map->entries;

    for (uint64_t at = page; at < page + 4096; at += 0x400) {
        int ram = 0;
        for (unsigned i = 0; i < map->count; i++) {
            if (at < entries[i].base || at >= entries[i].base + entries[i].bytes)
                continue;
            if (entries[i].type != MEMORY_RAM)
                return 0;
            ram = 1;
        }
        if (!ram || (at >= map->keep_away.base && at < map->keep_away.base + map->keep_away.bytes))
            return 0;
    }
    return page >= 0x1000;
}

static int page_listed(uint64_t page)
{
    for (unsigned i = 0; i < boot.ranges; i++) {
        if (page >= boot.range[i].base && page < boot.range[i].base + boot.range[i].bytes)
            return 1;
    }
    return 0;
}

static void test_agrees_with_a_simple_model(void **state)
{
    enum { PAGES = 48, ENTRIES = 12, ROUNDS = 2000 };
    struct memory_entry entries[ENTRIES];
    struct memory_map map = {.entries = entries, .count = ENTRIES, .stride = sizeof(entries[0])};

    srandom(1);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < ENTRIES; i++)
            entries[i] =
                (struct memory_entry){random() % (PAGES * 4) * 0x400, random() % 64 * 0x400,
                                      random() % 4 ? MEMORY_RAM : random() % 6, 0};
        map.keep_away = (struct boot_range){random() % (PAGES * 4) * 0x400, random() % 8 * 0x400};
        boot_info_clear(&boot, "test");
        boot_info_memory(&boot, &map);
        for (uint64_t page = 0; page < PAGES + 20; page++)
            assert_int_equal(page_listed(page * 4096), page_usable(&map, page * 4096));
        for (unsigned i = 1; i < boot.ranges; i++) /* merged: neighbours do not touch */
            assert_true(boot.range[i].base > boot.range[i - 1].base + boot.range[i - 1].bytes);
    }
}

static void test_command_is_cut(void **state)
{
    char text[BOOT_COMMAND_BYTES + 1];

    memset(text, 'x', sizeof(text));
    text[BOOT_COMMAND_BYTES - 1] = 0;
    boot_info_clear(&boot, "test");
    boot_info_command(&boot, text, SIZE_MAX);
    assert_int_equal(strlen(boot.command), BOOT_COMMAND_BYTES - 1);
    assert_int_equal(boot.command_cut, 0);
    text[BOOT_COMMAND_BYTES - 1] = 'x';
    boot_info_command(&boot, text, sizeof(text));
    assert_int_equal(strlen(boot.command), BOOT_COMMAND_BYTES - 1);
    assert_int_equal(boot.command_cut, 1);
    boot_info_command(&boot, text, 3); /* no NUL: ends with its bytes */
    assert_string_equal(boot.command, "xxx");
    assert_int_equal(boot.command_cut, 0);
}

static void test_archive_must_be_ram(void **state)
{
    const struct memory_entry entries[] = {
        {0x100000, 0x100800, MEMORY_RAM, 0},
        {0x200800, 0x100800, MEMORY_RAM, 0},
        {0x280000, 0x100, MEMORY_RESERVED, 0},
        {0x80000000, 0x100000000, MEMORY_RAM, 0},
    };
    struct memory_map map = {.entries = entries, .count = 4, .stride = sizeof(entries[0])};

    boot_info_clear(&boot, "test");
    map.keep_away = (struct boot_range){0x180000, 0x1000};
    assert_null(boot_info_memory(&boot, &map));
    assert_null(boot_info_archive(&boot, &map, 0, 0));
    assert_int_equal(boot.archive_bytes, 0);
    /* over the border of two entries, and up to where the loader's tables begin and beyond */
    assert_null(boot_info_archive(&boot, &map, 0x17fff0, 0x90000));
    assert_int_equal(boot.archive_base, 0x17fff0);
    assert_int_equal(boot.archive_bytes, 0x90000);
    assert_null(boot_info_archive(&boot, &map, 0xfffffff0, 0x20));
    assert_non_null(boot_info_archive(&boot, &map, 0x27ffff, 2));
    assert_non_null(boot_info_archive(&boot, &map, 0x300fff, 2));
    assert_non_null(boot_info_archive(&boot, &map, 0x100000, UINT64_MAX));
    assert_non_null(boot_info_archive(&boot, &map, 0xfffff, 0x10));
    assert_int_equal(boot.ranges, 0);
}

/* --- PVH ------------------------------------------------------------------------------------- */

struct pvh_memory {
    struct hvm_start_info start;
    struct hvm_modlist_entry module[2];
    struct memory_entry entries[3];
    char command[64];
};

static struct pvh_memory *pvh_memory(void)
{
    struct pvh_memory *memory = (struct pvh_memory *)low;

    memset(low, 0, LOW_BYTES);
    memory->entries[0] = (struct memory_entry){0, 0x9fc00, MEMORY_RAM, 0};
    memory->entries[1] = (struct memory_entry){0x100000, 0x1ff00000, MEMORY_RAM, 0};
    memory->entries[2] = (struct memory_entry){0xfeffc000, 0x4000, MEMORY_RESERVED, 0};
    memory->module[0] = (struct hvm_modlist_entry){.paddr = 0x1000000, .size = 12345};
    memory->module[1] = (struct hvm_modlist_entry){.paddr = 0x2000000, .size = 1};
    strcpy(memory->command, "--log all -- program \"a b\"");
    memory->start = (struct hvm_start_info){
        .magic = HVM_START_MAGIC,
        .version = 1,
        .nr_modules = 2,
        .modlist_paddr = (uint64_t)memory->module,
        .cmdline_paddr = (uint64_t)memory->command,
        .rsdp_paddr = 0xf5ad0,
        .memmap_paddr = (uint64_t)memory->entries,
        .memmap_entries = 3,
    };
    return memory;
}

static void test_pvh(void **state)
{
    struct pvh_memory *memory = pvh_memory();

    memset(&boot, 0xee, sizeof(boot));
    assert_null(boot_info_from_pvh(&memory->start, &boot));
    assert_string_equal(boot.loader, "PVH");
    assert_string_equal(boot.command, memory->command);
    assert_int_equal(boot.command_cut, 0);
    assert_int_equal(boot.rsdp, 0xf5ad0);
    assert_int_equal(boot.archive_base, 0x1000000);
    assert_int_equal(boot.archive_bytes, 12345);
    assert_int_equal(boot.ranges, 2);
    assert_int_equal(boot.top, 0x20000000);

    memory->start.nr_modules = 0;
    memory->start.modlist_paddr = 0;
    memory->start.cmdline_paddr = 0;
    assert_null(boot_info_from_pvh(&memory->start, &boot));
    assert_int_equal(boot.archive_bytes, 0);
    assert_string_equal(boot.command, "");
}

static void expect_refused(const struct hvm_start_info *start, const char *word)
{
    const char *sentence = boot_info_from_pvh(start, &boot);

    assert_non_null(sentence);
    assert_non_null(strstr(sentence, word));
    assert_int_equal(boot.ranges, 0);
}

static void test_pvh_refusals(void **state)
{
    expect_refused((void *)(uint64_t)GIB, "1 GiB");
    expect_refused(NULL, "damaged");
    pvh_memory()->start.magic++;
    expect_refused((void *)low, "damaged");
    pvh_memory()->start.version = 0;
    expect_refused((void *)low, "no memory map");
    assert_string_equal(boot.command, pvh_memory()->command);
    pvh_memory()->start.memmap_entries = 0;
    expect_refused((void *)low, "no memory map");
    pvh_memory()->start.memmap_entries = UINT32_MAX;
    expect_refused((void *)low, "too many");
    pvh_memory()->start.memmap_paddr = GIB - 71;
    expect_refused((void *)low, "map is above 1 GiB");
    pvh_memory()->start.cmdline_paddr = GIB;
    expect_refused((void *)low, "command line is above 1 GiB");
    pvh_memory()->start.modlist_paddr = GIB - 31;
    expect_refused((void *)low, "module list is above 1 GiB");
    pvh_memory()->module[0].paddr = 0x20000000;
    expect_refused((void *)low, "archive");
}

/* --- Multiboot2 ------------------------------------------------------------------------------ */

static uint32_t mb_bytes;

static void *mb_tag(uint32_t type, const void *data, uint32_t bytes)
{
    uint8_t *tag = low + mb_bytes;
    const uint32_t head[2] = {type, bytes + 8};

    memcpy(tag, head, 8);
    memcpy(tag + 8, data, bytes);
    mb_bytes += (bytes + 8 + 7) & ~7u;
    memcpy(low, &mb_bytes, 4);
    return tag + 8;
}

static void mb_start(void)
{
    memset(low, 0, LOW_BYTES);
    mb_bytes = 8;
}

static void mb_map_tag(unsigned stride)
{
    const struct memory_entry entries[] = {
        {0, 0xa0000, MEMORY_RAM, 0},
        {(uint64_t)low - 0x100000, 0x10000000, MEMORY_RAM, 0},
    };
    uint8_t data[8 + 2 * 64] = {(uint8_t)stride};

    memcpy(data + 8, &entries[0], sizeof(entries[0]));
    memcpy(data + 8 + stride, &entries[1], sizeof(entries[1]));
    mb_tag(6, data, 8 + 2 * stride);
}

static void test_multiboot2(void **state)
{
    const uint32_t module[2] = {(uint32_t)(uint64_t)low + 0x1001, (uint32_t)(uint64_t)low + 0x3000};
    const uint32_t other[2] = {0x1000, 0x2000};
    const uint8_t pointer[36] = {0};
    uint64_t start = (uint64_t)low;
    void *rsdp;

    mb_start();
    mb_tag(1, "--cores-up all", 15);
    mb_tag(3, module, 8);
    mb_tag(3, other, 8);
    mb_tag(77, "unknown", 5);
    rsdp = mb_tag(15, pointer, 36);
    mb_tag(14, pointer, 20);
    mb_map_tag(40);
    mb_tag(0, "", 0);
    assert_null(boot_info_from_multiboot2(low, &boot));
    assert_string_equal(boot.loader, "Multiboot2");
    assert_string_equal(boot.command, "--cores-up all");
    assert_int_equal(boot.archive_base, module[0]);
    assert_int_equal(boot.archive_bytes, 0x1fff);
    assert_int_equal(boot.rsdp, rsdp);
    /* RAM, but for the page of the information itself, which holds the root pointer */
    assert_int_equal(boot.ranges, 3);
    expect_range(0, 0x1000, 0xa0000);
    expect_range(1, start - 0x100000, start);
    expect_range(2, start + 0x1000, start - 0x100000 + 0x10000000);
}

static void test_multiboot2_old_root_pointer(void **state)
{
    const uint8_t pointer[20] = {0};
    void *old;

    mb_start();
    mb_map_tag(24);
    old = mb_tag(14, pointer, 20);
    mb_tag(0, "", 0);
    assert_null(boot_info_from_multiboot2(low, &boot));
    assert_int_equal(boot.rsdp, old);
    assert_int_equal(boot.archive_bytes, 0);
}

static void expect_damaged(const char *word)
{
    const char *sentence = boot_info_from_multiboot2(low, &boot);

    assert_non_null(sentence);
    assert_non_null(strstr(sentence, word));
    assert_int_equal(boot.ranges, 0);
}

static void test_multiboot2_refusals(void **state)
{
    const uint32_t module[2] = {0x3000, 0x2000};
    const uint32_t huge = 1 << 30;

    assert_non_null(boot_info_from_multiboot2((void *)(uint64_t)GIB, &boot));
    mb_start();
    mb_tag(1, "a", 2);
    mb_tag(0, "", 0);
    expect_damaged("no memory map");
    mb_start();
    mb_map_tag(24);
    expect_damaged("damaged"); /* no end */
    mb_start();
    mb_map_tag(20);
    mb_tag(0, "", 0);
    expect_damaged("damaged");
    mb_start();
    mb_map_tag(24);
    mb_tag(3, module, 4); /* too short for a module */
    mb_tag(0, "", 0);
    expect_damaged("damaged");
    mb_start();
    mb_map_tag(24);
    mb_tag(3, module, 8);
    mb_tag(0, "", 0);
    expect_damaged("ends before");
    mb_start();
    mb_map_tag(24);
    memcpy(low + 12, &huge, 4); /* a tag that is longer than all */
    expect_damaged("damaged");
    memset(low + 12, 0, 4); /* a tag of no length */
    expect_damaged("damaged");
}

static int set_up(void **state)
{
    low = mmap((void *)0x20000000, LOW_BYTES, PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    return low == MAP_FAILED;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorts_and_merges),
        cmocka_unit_test(test_unusable_wins),
        cmocka_unit_test(test_top_covers_acpi),
        cmocka_unit_test(test_ram_without_frame_numbers_is_cut),
        cmocka_unit_test(test_keeps_the_largest_of_many),
        cmocka_unit_test(test_nothing_usable),
        cmocka_unit_test(test_agrees_with_a_simple_model),
        cmocka_unit_test(test_command_is_cut),
        cmocka_unit_test(test_archive_must_be_ram),
        cmocka_unit_test(test_pvh),
        cmocka_unit_test(test_pvh_refusals),
        cmocka_unit_test(test_multiboot2),
        cmocka_unit_test(test_multiboot2_old_root_pointer),
        cmocka_unit_test(test_multiboot2_refusals),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
