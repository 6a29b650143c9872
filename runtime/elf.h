/* ELF programs: what the loader needs to know of a file, and whether it may be loaded.
 *
 * Plain logic on a file in memory: no kernel calls, also built on the host. */
#ifndef RUNTIME_ELF_H
#define RUNTIME_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ELF_SEGMENTS_MAX = 16, ELF_HEADER_BYTES = 64, ELF_PROGRAM_HEADER_BYTES = 56 };

/* Addresses in a file must end below this; a program in any place is loaded at a base above it. */
#define ELF_ADDRESS_END 0x0000010000000000

/* To be loaded at `addr` (+ base): file_bytes from file_offset on, then zeroes up to memory_bytes.
 */
struct elf_segment {
    uint64_t addr;
    uint64_t file_offset;
    uint64_t file_bytes;
    uint64_t memory_bytes; /* at least file_bytes, not 0 */
    int prot;              /* PROT_R, PROT_W, PROT_X of abi/syscall.h; never W with X */
};

/* Segments ascend and no two share a page. All lie in [low, high), which are page-aligned. */
struct elf_image {
    bool any_place; /* position-independent: addresses count from a base that the loader chooses */
    uint64_t entry;
    uint64_t low, high;
    uint64_t headers; /* address of the program headers, 0 if no segment holds them */
    uint16_t header_count;
    uint16_t segment_count;
    struct elf_segment segment[ELF_SEGMENTS_MAX];
};

/* Checks everything in the file that the loader relies on and fills *image. Returns NULL, or the
 * reason why the file cannot be loaded, as the end of a sentence; *image then means nothing. */
const char *elf_check(const void *file, size_t file_bytes, struct elf_image *image);

#endif
