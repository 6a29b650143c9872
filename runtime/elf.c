#include "runtime/elf.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "lib/string.h"

struct elf_header {
    uint8_t magic[4];
    uint8_t class, order, version, system;
    uint8_t padding[8];
    uint16_t type, machine;
    uint32_t file_version;
    uint64_t entry, program_headers, section_headers;
    uint32_t flags;
    uint16_t header_bytes;
    uint16_t program_header_bytes, program_header_count;
    uint16_t section_header_bytes, section_header_count, section_names;
};

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, addr, physical_addr, file_bytes, memory_bytes, align;
};

_Static_assert(sizeof(struct elf_header) == ELF_HEADER_BYTES, "elf_header");
_Static_assert(sizeof(struct elf_program_header) == ELF_PROGRAM_HEADER_BYTES, "program header");

enum { CLASS_64 = 2, ORDER_LITTLE = 1, MACHINE_X86_64 = 62, TYPE_EXEC = 2, TYPE_DYN = 3 };
enum { SEGMENT_LOAD = 1, SEGMENT_INTERPRETER = 3 };
enum { FLAG_X = 1, FLAG_W = 2, FLAG_R = 4 };

static uint64_t page_down(uint64_t addr)
{
    return addr & ~(uint64_t)(PAGE_BYTES - 1);
}

static uint64_t page_up(uint64_t addr)
{
    return page_down(addr + PAGE_BYTES - 1);
}

static const char *header_check(const struct elf_header *h, size_t file_bytes)
{
    if (memcmp(h->magic, "\177ELF", 4) != 0)
        return "it is not an ELF file";
    if (h->class != CLASS_64 || h->order != ORDER_LITTLE || h->machine != MACHINE_X86_64)
        return "it is for another machine";
    if (h->type != TYPE_EXEC && h->type != TYPE_DYN)
        return "it is not a program";
    if (h->program_header_bytes != ELF_PROGRAM_HEADER_BYTES || h->program_header_count == 0)
        return "it has no program headers";
    uint64_t bytes = (uint64_t)h->program_header_count * ELF_PROGRAM_HEADER_BYTES;
    if (h->program_headers > file_bytes || bytes > file_bytes - h->program_headers)
        return "its program headers lie outside the file";
    return NULL;
}

static const char *segment_check(const struct elf_program_header *p, size_t file_bytes,
                                 const struct elf_image *image)
{
    if (p->offset > file_bytes || p->file_bytes > file_bytes - p->offset)
        return "it is truncated";
    if (p->file_bytes > p->memory_bytes)
        return "a segment is larger in the file than in memory";
    if (p->addr >= ELF_ADDRESS_END || p->memory_bytes > ELF_ADDRESS_END - p->addr)
        return "a segment's address is out of range";
    if (p->addr < PAGE_BYTES && !image->any_place)
        return "a segment's address is out of range";
    if ((p->flags & FLAG_W) && (p->flags & FLAG_X))
        return "a segment is both writable and executable";
    if (image->segment_count > 0 && page_down(p->addr) < image->high)
        return "its segments overlap or are out of order";
    if (image->segment_count == ELF_SEGMENTS_MAX)
        return "it has too many segments";
    return NULL;
}

static void segment_add(struct elf_image *image, const struct elf_program_header *p)
{
    struct elf_segment *s = &image->segment[image->segment_count++];

    s->addr = p->addr;
    s->file_offset = p->offset;
    s->file_bytes = p->file_bytes;
    s->memory_bytes = p->memory_bytes;
    s->prot = PROT_R | (p->flags & FLAG_W ? PROT_W : 0) | (p->flags & FLAG_X ? PROT_X : 0);
    if (image->segment_count == 1)
        image->low = page_down(p->addr);
    image->high = page_up(p->addr + p->memory_bytes);
}

static bool entry_valid(const struct elf_image *image)
{
    for (int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];
        if ((s->prot & PROT_X) && image->entry >= s->addr && image->entry - s->addr < s->file_bytes)
            return true;
    }
    return false;
}

/* The address at which the program will find its program headers. */
static uint64_t headers_address(const struct elf_image *image, const struct elf_header *h)
{
    uint64_t bytes = (uint64_t)h->program_header_count * ELF_PROGRAM_HEADER_BYTES;

    for (int i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segment[i];
        if (h->program_headers >= s->file_offset &&
            h->program_headers + bytes <= s->file_offset + s->file_bytes)
            return s->addr + (h->program_headers - s->file_offset);
    }
    return 0;
}

const char *elf_check(const void *file, size_t file_bytes, struct elf_image *image)
{
    struct elf_header h;
    const char *reason;

    if (file_bytes < sizeof h)
        return "it is not an ELF file";
    memcpy(&h, file, sizeof h);
    reason = header_check(&h, file_bytes);
    if (reason)
        return reason;

    *image = (struct elf_image){
        .any_place = h.type == TYPE_DYN, .entry = h.entry, .header_count = h.program_header_count};
    for (int i = 0; i < h.program_header_count; i++) {
        struct elf_program_header p;
        memcpy(&p, (const uint8_t *)file + h.program_headers + i * sizeof p, sizeof p);
        if (p.type == SEGMENT_INTERPRETER)
            return "it is dynamically linked, and only static programs can be run";
        if (p.type != SEGMENT_LOAD || p.memory_bytes == 0)
            continue;
        reason = segment_check(&p, file_bytes, image);
        if (reason)
            return reason;
        segment_add(image, &p);
    }
    if (!entry_valid(image))
        return "its entry point is not in its code";
    image->headers = headers_address(image, &h);
    return NULL;
}
