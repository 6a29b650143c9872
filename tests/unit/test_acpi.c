// sources: arch/x86_64/kernel/acpi.c arch/x86_64/kernel/acpi_table.c
/* ACPI tables, sound and damaged. Each made-up table is an allocation of its own size, so that the
 * address sanitizer sees any access beyond it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "arch/x86_64/kernel/acpi.h"

enum { PIECES_MAX = 16 };
enum {
    RSDP = 0x7f0000,
    XSDT = 0x10000,
    RSDT = 0x20000,
    MADT = 0x30001,
    FADT = 0x40003,
    DSDT = 0x50000
};

/* A piece of physical memory; all else is absent. */
static struct piece {
    uint64_t base;
    uint32_t bytes;
    uint8_t *data;
} pieces[PIECES_MAX];

const void *acpi_map(uint64_t physical, size_t bytes)
{
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        const struct piece *piece = &pieces[i];
        if (piece->data && physical >= piece->base && bytes <= piece->bytes &&
            physical - piece->base <= piece->bytes - bytes)
            return piece->data + (physical - piece->base);
    }
    return NULL;
}

static uint8_t *piece_add(uint64_t base, uint32_t bytes)
{
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        if (!pieces[i].data) {
            pieces[i] = (struct piece){base, bytes, calloc(1, bytes)};
            return pieces[i].data;
        }
    }
    abort();
}

static struct piece *piece_at(uint64_t base)
{
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        if (pieces[i].data && pieces[i].base == base)
            return &pieces[i];
    }
    abort();
}

static int clear(void **state)
{
    for (unsigned i = 0; i < PIECES_MAX; i++) {
        free(pieces[i].data);
        pieces[i] = (struct piece){0};
    }
    return 0;
}

static void put32(uint8_t *at, uint32_t value)
{
    memcpy(at, &value, 4);
}

static void put64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, 8);
}

static void seal(uint8_t *data, uint32_t bytes, unsigned checksum_at)
{
    uint8_t sum = 0;

    data[checksum_at] = 0;
    for (uint32_t i = 0; i < bytes; i++)
        sum += data[i];
    data[checksum_at] = -sum;
}

static uint8_t *table_add(uint64_t base, const char *signature, const void *body, uint32_t bytes)
{
    uint8_t *data = piece_add(base, 36 + bytes);

    memcpy(data, signature, 4);
    put32(data + 4, 36 + bytes);
    if (bytes)
        memcpy(data + 36, body, bytes);
    seal(data, 36 + bytes, 9);
    return data;
}

static void reseal(uint64_t base)
{
    struct piece *piece = piece_at(base);

    seal(piece->data, piece->bytes, 9);
}

static void rsdp_fill(uint8_t *data, unsigned revision)
{
    memcpy(data, "RSD PTR ", 8);
    data[15] = (uint8_t)revision;
    put32(data + 16, RSDT);
    seal(data, 20, 8);
    if (revision >= 2) {
        put32(data + 20, 36);
        put64(data + 24, XSDT);
        seal(data, 36, 32);
    }
}

static void roots_add(unsigned revision)
{
    const uint64_t wide[5] = {0xdead000, MADT, FADT, MADT, MADT}; /* the last is cut in half */
    const uint32_t narrow[3] = {FADT, 0xdead000, MADT};

    rsdp_fill(piece_add(RSDP, 36), revision);
    table_add(XSDT, "XSDT", wide, sizeof(wide) - 4);
    table_add(RSDT, "RSDT", narrow, sizeof(narrow));
}

/* --- MADT ------------------------------------------------------------------------------------ */

static uint8_t madt[8192];
static uint32_t madt_bytes;

static void madt_start(void)
{
    memset(madt, 0, sizeof(madt));
    put32(madt, 0xfee00000);
    madt_bytes = 8;
}

static uint8_t *madt_entry_add(uint8_t type, uint8_t bytes)
{
    uint8_t *entry = madt + madt_bytes;

    entry[0] = type;
    entry[1] = bytes;
    madt_bytes += bytes;
    return entry;
}

static void madt_core(uint8_t id, uint32_t flags)
{
    uint8_t *entry = madt_entry_add(0, 8);

    entry[3] = id;
    put32(entry + 4, flags);
}

static void madt_x2core(uint32_t id, uint32_t flags)
{
    uint8_t *entry = madt_entry_add(9, 16);

    put32(entry + 4, id);
    put32(entry + 8, flags);
}

static void madt_ioapic(uint32_t base, uint32_t gsi)
{
    uint8_t *entry = madt_entry_add(1, 12);

    put32(entry + 4, base);
    put32(entry + 8, gsi);
}

static void madt_override(uint8_t source, uint32_t gsi, uint8_t flags)
{
    uint8_t *entry = madt_entry_add(2, 10);

    entry[3] = source;
    put32(entry + 4, gsi);
    entry[8] = flags;
}

static void madt_end(void)
{
    table_add(MADT, "APIC", madt, madt_bytes);
}

static void madt_usual(void)
{
    madt_start();
    madt_core(2, 1);
    madt_core(0, 1);
    madt_core(4, 0); /* not enabled */
    madt_core(5, 2); /* could be brought online */
    madt_core(0xff, 1);
    madt_core(2, 1);
    madt_ioapic(0xfec00000, 0);
    madt_override(0, 2, 5);
    madt_entry_add(4, 6); /* NMI input: of no interest */
    madt_x2core(300, 1);
    madt_x2core(0, 1);
    madt_ioapic(0xfec01000, 24);
    madt_ioapic(0xfec00000, 0);
    madt_end();
}

/* --- FADT and DSDT -------------------------------------------------------------------------------
 */

static void fadt_usual(uint32_t bytes)
{
    uint8_t body[276] = {0};

    put32(body + 40 - 36, DSDT);
    put32(body + 48 - 36, 0xb2);
    body[52 - 36] = 2;
    put32(body + 64 - 36, 0x604);
    put32(body + 76 - 36, 0x608);
    put32(body + 112 - 36, 1u << 8);
    table_add(FADT, "FACP", body, bytes - 36);
}

static void dsdt_usual(void)
{
    static const uint8_t aml[] = "_S5_ \x08_S5_\x12\x07\x04\x0a\x05\x01\x00\x00";

    table_add(DSDT, "DSDT", aml, sizeof(aml) - 1);
}

static void all_usual(unsigned revision)
{
    roots_add(revision);
    madt_usual();
    fadt_usual(276);
    dsdt_usual();
}

static const char *read_tables(void)
{
    return acpi_read(RSDP, 0, 0xfffffffe);
}

/* --- tests ----------------------------------------------------------------------------------- */

static void expect_usual_madt(void)
{
    assert_int_equal(acpi.cores, 3);
    assert_int_equal(acpi.apic_id[0], 0);
    assert_int_equal(acpi.apic_id[1], 2);
    assert_int_equal(acpi.apic_id[2], 300);
    assert_false(acpi.cores_cut);
    assert_int_equal(acpi.ioapics, 2);
    assert_int_equal(acpi.ioapic[1].base, 0xfec01000);
    assert_int_equal(acpi.ioapic[1].gsi_base, 24);
    assert_int_equal(acpi.overrides, 1);
    assert_int_equal(acpi.override[0].gsi, 2);
    assert_int_equal(acpi.override[0].flags, 5);
}

static void test_all(void **state)
{
    all_usual(2);
    assert_null(read_tables());
    expect_usual_madt();
    assert_int_equal(acpi.timer_port, 0x608);
    assert_int_equal(acpi.timer_mask, UINT32_MAX);
    assert_int_equal(acpi.power.pm1a_control, 0x604);
    assert_int_equal(acpi.power.pm1b_control, 0);
    assert_int_equal(acpi.power.smi_command, 0xb2);
    assert_int_equal(acpi.power.acpi_enable, 2);
    assert_int_equal(acpi.power.sleep_type_a, 5);
    assert_int_equal(acpi.power.sleep_type_b, 1);
}

static void test_old_root(void **state)
{
    all_usual(0);
    piece_at(XSDT)->data[0] = 'Y'; /* is not looked at */
    assert_null(read_tables());
    expect_usual_madt();
}

static void test_damaged_xsdt_falls_back(void **state)
{
    all_usual(2);
    piece_at(XSDT)->data[40]++;
    assert_null(read_tables());
    expect_usual_madt();
}

static void test_root_pointer_is_searched(void **state)
{
    uint8_t *segment = piece_add(0x40e, 2);
    uint8_t *ebda = piece_add(0x9fc00, 1024);

    all_usual(2);
    segment[0] = 0xc0;
    segment[1] = 0x9f;
    assert_non_null(acpi_read(0, 0, 254));
    rsdp_fill(ebda + 1024 - 48, 2);
    assert_null(acpi_read(0, 0, 254));
    assert_int_equal(acpi.cores, 2);
    memset(ebda, 0, 1024);
    rsdp_fill(piece_add(0xe0000, 0x20000) + 0x20000 - 48, 2);
    assert_null(acpi_read(RSDT, 0, 254)); /* what was given is none */
    assert_int_equal(acpi.cores, 2);
}

static void test_ids_out_of_reach(void **state)
{
    all_usual(2);
    assert_null(acpi_read(RSDP, 0, 254));
    assert_int_equal(acpi.cores, 2);
}

static void test_too_many_cores(void **state)
{
    roots_add(2);
    madt_start();
    for (unsigned i = 0; i < 300; i++)
        madt_x2core(i, 1);
    madt_end();
    fadt_usual(116);
    assert_null(acpi_read(RSDP, 299, 0xfffffffe));
    assert_int_equal(acpi.cores, CORES_MAX);
    assert_int_equal(acpi.apic_id[0], 299);
    assert_int_equal(acpi.apic_id[CORES_MAX - 1], CORES_MAX - 2);
    assert_true(acpi.cores_cut);
}

static void expect_one_core(uint32_t boot_id, const char *word)
{
    const char *sentence = acpi_read(RSDP, boot_id, 0xfffffffe);

    assert_non_null(sentence);
    assert_non_null(strstr(sentence, word));
    assert_int_equal(acpi.cores, 1);
    assert_int_equal(acpi.apic_id[0], boot_id);
}

static void test_missing_tables(void **state)
{
    assert_non_null(acpi_read(0, 7, 254));
    assert_int_equal(acpi.cores, 1);
    assert_int_equal(acpi.apic_id[0], 7);
    roots_add(2);
    expect_one_core(0, "no table of processors");
}

static void test_damaged_madt(void **state)
{
    all_usual(2);
    expect_one_core(77, "does not list");
    expect_one_core(5, "does not list"); /* listed, but not enabled */
    piece_at(MADT)->data[50] ^= 1;
    expect_one_core(0, "damaged");
    assert_int_equal(acpi.ioapics, 0);
    assert_int_equal(acpi.timer_port, 0x608); /* the others are read all the same */
    piece_at(MADT)->data[50] ^= 1;
    put32(piece_at(MADT)->data + 4, 35);
    expect_one_core(0, "damaged");
    put32(piece_at(MADT)->data + 4, 0xffffffff);
    expect_one_core(0, "damaged");
}

static void test_damaged_entries(void **state)
{
    static const uint8_t lengths[] = {0, 1, 7, 200};

    for (unsigned i = 0; i < sizeof(lengths); i++) {
        all_usual(2);
        piece_at(MADT)->data[44 + 8 + 1] = lengths[i];
        reseal(MADT);
        expect_one_core(0, "damaged");
        assert_int_equal(acpi.ioapics, 0);
        clear(state);
    }
}

static void test_damaged_fadt(void **state)
{
    all_usual(2);
    piece_at(FADT)->data[60]++;
    assert_non_null(read_tables());
    expect_usual_madt();
    assert_int_equal(acpi.timer_port, 0);
    clear(state);
    roots_add(2);
    madt_usual();
    fadt_usual(115);
    assert_non_null(read_tables());
    expect_usual_madt();
    clear(state);
    all_usual(2);
    piece_at(DSDT)->data[36]++;
    assert_non_null(read_tables());
    expect_usual_madt();
    assert_int_equal(acpi.timer_port, 0x608);
    assert_int_equal(acpi.power.pm1a_control, 0);
}

static void test_extended_fields(void **state)
{
    uint8_t *fadt;

    all_usual(2);
    fadt = piece_at(FADT)->data;
    put32(fadt + 40, 0);
    put64(fadt + 140, DSDT);
    put32(fadt + 64, 0);
    fadt[172] = 1;
    put64(fadt + 176, 0xb004);
    put32(fadt + 76, 0);
    fadt[208] = 0; /* in memory: of no use */
    put64(fadt + 212, 0xb008);
    put32(fadt + 112, 0);
    reseal(FADT);
    assert_null(read_tables());
    assert_int_equal(acpi.power.pm1a_control, 0xb004);
    assert_int_equal(acpi.power.sleep_type_a, 5);
    assert_int_equal(acpi.timer_port, 0);
    assert_int_equal(acpi.timer_mask, 0xffffff);
}

static void test_hardware_reduced(void **state)
{
    uint8_t *fadt;

    all_usual(2);
    fadt = piece_at(FADT)->data;
    put32(fadt + 112, 1u << 20);
    fadt[244] = 1;
    put64(fadt + 248, 0x1800);
    reseal(FADT);
    assert_null(read_tables());
    assert_int_equal(acpi.power.sleep_control, 0x1800);
    assert_int_equal(acpi.power.pm1a_control, 0);
    assert_int_equal(acpi.timer_port, 0);
}

static void test_sleep_type_at_the_end(void **state)
{
    static const uint8_t aml[] = "\x08_S5_\x12\x07\x04\x0a\x05\x0a\x06";

    for (uint32_t bytes = 1; bytes < sizeof(aml); bytes++) {
        roots_add(2);
        madt_usual();
        fadt_usual(276);
        table_add(DSDT, "DSDT", aml, bytes);
        assert_null(read_tables());
        assert_int_equal(acpi.power.pm1a_control, bytes >= 10 ? 0x604 : 0);
        assert_int_equal(acpi.power.sleep_type_b, bytes < 10 ? 0 : bytes < 12 ? 5 : 6);
        clear(state);
    }
}

/* Any byte of any table changed, checksums put right: whatever comes out has to keep its promises.
 */
static void test_random_damage(void **state)
{
    static const uint64_t tables[] = {XSDT, RSDT, MADT, FADT, DSDT};

    srandom(1);
    for (unsigned round = 0; round < 20000; round++) {
        all_usual(round & 2);
        for (unsigned i = 0; i < 3; i++) {
            struct piece *piece = piece_at(tables[random() % 5]);
            piece->data[random() % piece->bytes] = (uint8_t)random();
            seal(piece->data, piece->bytes, 9);
        }
        read_tables();
        assert_in_range(acpi.cores, 1, CORES_MAX);
        assert_in_range(acpi.ioapics, 0, ACPI_IOAPICS_MAX);
        assert_in_range(acpi.overrides, 0, ACPI_OVERRIDES_MAX);
        assert_int_equal(acpi.apic_id[0], 0);
        clear(state);
    }
}

#define TEST(name) cmocka_unit_test_teardown(name, clear)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_all),
        TEST(test_old_root),
        TEST(test_damaged_xsdt_falls_back),
        TEST(test_root_pointer_is_searched),
        TEST(test_ids_out_of_reach),
        TEST(test_too_many_cores),
        TEST(test_missing_tables),
        TEST(test_damaged_madt),
        TEST(test_damaged_entries),
        TEST(test_damaged_fadt),
        TEST(test_extended_fields),
        TEST(test_hardware_reduced),
        TEST(test_sleep_type_at_the_end),
        TEST(test_random_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
