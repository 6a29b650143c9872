/* Page tables of the x86_64 port: the kernel's own half. Architecture: "Memory of a kernel",
 * "Fork". */
#ifndef X86_PAGING_H
#define X86_PAGING_H

#include <stdint.h>
#include "arch/arch.h"

#define PTE_P     0x001ull
#define PTE_W     0x002ull
#define PTE_U     0x004ull
#define PTE_PWT   0x008ull
#define PTE_PCD   0x010ull
#define PTE_A     0x020ull
#define PTE_D     0x040ull
#define PTE_LARGE 0x080ull
#define PTE_G     0x100ull
#define PTE_COW   0x200ull /* ours: a snapshot page, copied when first written to */
#define PTE_KEPT  0x400ull /* ours: a process's page without access; not present */
#define PTE_COPY  0x800ull /* ours: a process's page that is copied when first written to */
#define PTE_NX    (1ull << 63)
#define PTE_ADDR  0x000ffffffffff000ull

#ifndef DIRECT_BASE /* tests on the host have it elsewhere */
#define DIRECT_BASE 0xffff800000000000ull
#endif
#define KERNEL_OFFSET 0xffffffff80000000ull
#define IMAGE_BASE    0x200000ull /* physical: what all kernels share */
#define PRIVATE_BASE  0x400000ull /* physical: the first kernel's private pages */
#define IMAGE_END     0x600000ull
#define HEAP_BASE     0xffffffff80600000ull
#define HEAP_TABLES   (PRIVATE_HEAP_BYTES / LARGE_BYTES)
#define DEVICE_BASE   0xffffffffa0000000ull

#define TABLE_ENTRIES 512u

/* Physical memory as the kernels see it; not for the private pool and the kernel's image. */
static inline void *direct(uint64_t physical)
{
    return (void *)(DIRECT_BASE + physical);
}

static inline void flush_page(const void *address)
{
    __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

static inline void load_tables(uint64_t physical)
{
    __asm__ volatile("mov %0, %%cr3" : : "r"(physical) : "memory");
}

static inline uint64_t loaded_tables(void)
{
    uint64_t value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value));
    return value;
}

/* Called by the page-fault entry for a fault in kernel mode: copies a snapshot page that is written
 * to for the first time. Returns 0 when done, -1 when the fault is of another kind. */
int paging_copy_on_write(uint64_t address, uint64_t error);

/* The physical address of a page of this kernel's private memory (image data, stacks or heap). */
uint64_t paging_private_physical(const void *address);

/* Physical address of this kernel's own top-level table, for when no process is entered. */
uint64_t paging_kernel_tables(void);

/* Fills entries 256 to 511 of a process's top-level table with this kernel's half. */
void paging_share_kernel_half(uint64_t *top_level);

/* Physical address of the page where started cores begin, below 1 MiB; 0: there is none. */
uint64_t paging_start_page(void);

#endif
