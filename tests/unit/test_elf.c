// sources: runtime/elf.c
/* Which ELF files are loaded, what the loader is told of them, and each refusal. */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/layout.h"
#include "abi/syscall.h"
#include "runtime/elf.h"

enum { FILE_BYTES = 0x3000, SEGMENTS = 4 };

struct file {
    uint8_t bytes[FILE_BYTES];
};

static Elf64_Ehdr *header(struct file *file)
{
    return (Elf64_Ehdr *)file->bytes;
}

static Elf64_Phdr *segment(struct file *file, int i)
{
    return (Elf64_Phdr *)(file->bytes + sizeof(Elf64_Ehdr)) + i;
}

/* Headers, code, data with a part that is not in the file, and a note that is not loaded. */
static void file_make(struct file *file)
{
    memset(file, 0, sizeof *file);
    *header(file) = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_entry = 0x401010,
        .e_phoff = sizeof(Elf64_Ehdr),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_phentsize = sizeof(Elf64_Phdr),
        .e_phnum = SEGMENTS,
    };
    *segment(file, 0) = (Elf64_Phdr){PT_LOAD, PF_R, 0, 0x400000, 0x400000, 0x200, 0x200, 0x1000};
    *segment(file, 1) =
        (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0x1000, 0x401000, 0x401000, 0x800, 0x800, 0x1000};
    *segment(file, 2) =
        (Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x2800, 0x403800, 0x403800, 0x800, 0x2001, 0x1000};
    *segment(file, 3) = (Elf64_Phdr){PT_NOTE, PF_R, 0x100, 0x400100, 0x400100, 0x20, 0x20, 4};
}

/* In a block of just the right size, where the sanitizer sees each step outside. */
static const char *check_bytes(const struct file *file, size_t bytes, struct elf_image *image)
{
    uint8_t *copy = malloc(bytes ? bytes : 1);

    memcpy(copy, file->bytes, bytes);
    const char *reason = elf_check(copy, bytes, image);
    free(copy);
    return reason;
}

static const char *check(const struct file *file, struct elf_image *image)
{
    return check_bytes(file, FILE_BYTES, image);
}

static void test_program(void **state)
{
    struct file file;
    struct elf_image image;

    file_make(&file);
    assert_null(check(&file, &image));
    assert_false(image.any_place);
    assert_int_equal(image.entry, 0x401010);
    assert_int_equal(image.low, 0x400000);
    assert_int_equal(image.high, 0x406000);
    assert_int_equal(image.headers, 0x400040);
    assert_int_equal(image.header_count, SEGMENTS);
    assert_int_equal(image.segment_count, 3);
    assert_int_equal(image.segment[0].prot, PROT_R);
    assert_int_equal(image.segment[1].prot, PROT_R | PROT_X);
    assert_int_equal(image.segment[2].prot, PROT_R | PROT_W);
    assert_int_equal(image.segment[2].addr, 0x403800);
    assert_int_equal(image.segment[2].file_offset, 0x2800);
    assert_int_equal(image.segment[2].file_bytes, 0x800);
    assert_int_equal(image.segment[2].memory_bytes, 0x2001);
}

static void test_any_place(void **state)
{
    struct file file;
    struct elf_image image;

    file_make(&file);
    header(&file)->e_type = ET_DYN;
    header(&file)->e_entry = 0x1010;
    for (int i = 0; i < 3; i++)
        segment(&file, i)->p_vaddr -= 0x400000;
    assert_null(check(&file, &image));
    assert_true(image.any_place);
    assert_int_equal(image.low, 0);
    assert_int_equal(image.headers, 0x40);

    header(&file)->e_type = ET_EXEC;
    assert_string_equal(check(&file, &image), "a segment's address is out of range");
}

static void test_empty_segment(void **state)
{
    struct file file;
    struct elf_image image;

    file_make(&file);
    segment(&file, 0)->p_filesz = segment(&file, 0)->p_memsz = 0;
    assert_null(check(&file, &image));
    assert_int_equal(image.segment_count, 2);
    assert_int_equal(image.headers, 0);
}

#define assert_refused(change, reason)          \
    do {                                        \
        struct file file;                       \
        struct elf_image image;                 \
        file_make(&file);                       \
        change;                                 \
        const char *got = check(&file, &image); \
        assert_non_null(got);                   \
        assert_string_equal(got, reason);       \
    } while (0)

static void test_refused_header(void **state)
{
    assert_refused(header(&file)->e_ident[0] = 0, "it is not an ELF file");
    assert_refused(header(&file)->e_ident[EI_CLASS] = ELFCLASS32, "it is for another machine");
    assert_refused(header(&file)->e_ident[EI_DATA] = ELFDATA2MSB, "it is for another machine");
    assert_refused(header(&file)->e_machine = EM_AARCH64, "it is for another machine");
    assert_refused(header(&file)->e_type = ET_REL, "it is not a program");
    assert_refused(header(&file)->e_type = ET_CORE, "it is not a program");
    assert_refused(header(&file)->e_phnum = 0, "it has no program headers");
    assert_refused(header(&file)->e_phentsize = 32, "it has no program headers");
    assert_refused(header(&file)->e_phnum = 0xffff, "its program headers lie outside the file");
    assert_refused(header(&file)->e_phoff = FILE_BYTES, "its program headers lie outside the file");
    assert_refused(header(&file)->e_phoff = ~0ull - 8, "its program headers lie outside the file");
    assert_refused(header(&file)->e_entry = 0, "its entry point is not in its code");
    assert_refused(header(&file)->e_entry = 0x401800, "its entry point is not in its code");
    assert_refused(header(&file)->e_entry = 0x403800, "its entry point is not in its code");
}

static void test_refused_segment(void **state)
{
    assert_refused(segment(&file, 3)->p_type = PT_INTERP,
                   "it is dynamically linked, and only static programs can be run");
    assert_refused(segment(&file, 2)->p_offset = FILE_BYTES + 1, "it is truncated");
    assert_refused(segment(&file, 2)->p_offset = ~0ull, "it is truncated");
    assert_refused(segment(&file, 2)->p_filesz = 0x801, "it is truncated");
    assert_refused(segment(&file, 2)->p_memsz = 0x7ff,
                   "a segment is larger in the file than in memory");
    assert_refused(segment(&file, 2)->p_vaddr = 0xffffffff80000000,
                   "a segment's address is out of range");
    assert_refused(segment(&file, 2)->p_memsz = ~0ull - 0x1000,
                   "a segment's address is out of range");
    assert_refused(segment(&file, 0)->p_vaddr = 0xfff, "a segment's address is out of range");
    assert_refused(segment(&file, 2)->p_flags = PF_R | PF_W | PF_X,
                   "a segment is both writable and executable");
    assert_refused(segment(&file, 2)->p_vaddr = 0x401800,
                   "its segments overlap or are out of order");
    assert_refused(segment(&file, 2)->p_vaddr = 0x300000,
                   "its segments overlap or are out of order");
    assert_refused(segment(&file, 1)->p_flags = PF_R, "its entry point is not in its code");
}

static void test_too_many(void **state)
{
    struct file file;
    struct elf_image image;

    file_make(&file);
    header(&file)->e_phnum = ELF_SEGMENTS_MAX + 1;
    for (int i = 3; i <= ELF_SEGMENTS_MAX; i++)
        *segment(&file, i) =
            (Elf64_Phdr){PT_LOAD, PF_R, 0, 0x500000 + i * 0x1000, 0, 0x10, 0x10, 0x1000};
    assert_string_equal(check(&file, &image), "it has too many segments");
    header(&file)->e_phnum--;
    assert_null(check(&file, &image));
}

/* Cut anywhere before its last byte that is loaded, it is refused. */
static void test_truncated(void **state)
{
    struct file file;
    struct elf_image image;

    file_make(&file);
    for (size_t bytes = 0; bytes < FILE_BYTES; bytes++)
        assert_non_null(check_bytes(&file, bytes, &image));
}

static void image_holds(const struct elf_image *image)
{
    uint64_t end = image->low;

    assert_int_equal(image->low % PAGE_BYTES, 0);
    for (int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];
        assert_true(s->addr / PAGE_BYTES * PAGE_BYTES >= end);
        assert_true(s->file_bytes <= s->memory_bytes);
        assert_true(s->file_offset <= FILE_BYTES && s->file_bytes <= FILE_BYTES - s->file_offset);
        assert_true((s->prot & (PROT_W | PROT_X)) != (PROT_W | PROT_X));
        end = (s->addr + s->memory_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        assert_true(end <= ELF_ADDRESS_END);
    }
    assert_int_equal(end, image->high);
}

static void test_random_damage(void **state)
{
    unsigned accepted = 0;

    srand(1);
    for (int round = 0; round < 50000; round++) {
        struct file file;
        struct elf_image image;
        file_make(&file);
        for (int i = rand() % 3; i < 3; i++)
            file.bytes[rand() % (sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Phdr))] = rand();
        if (elf_check(file.bytes, FILE_BYTES, &image))
            continue;
        accepted++;
        image_holds(&image);
    }
    assert_true(accepted > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_program),         cmocka_unit_test(test_any_place),
        cmocka_unit_test(test_empty_segment),   cmocka_unit_test(test_refused_header),
        cmocka_unit_test(test_refused_segment), cmocka_unit_test(test_too_many),
        cmocka_unit_test(test_truncated),       cmocka_unit_test(test_random_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
