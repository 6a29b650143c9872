/* CPUID. */
#ifndef X86_CPUID_H
#define X86_CPUID_H

#include <stdint.h>

#define CPUID_EXTENDED   0x80000000u
#define CPUID_HYPERVISOR 0x40000000u

struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
                     : "a"(leaf), "c"(subleaf));
    return r;
}

/* The leaf, or zeros where the processor has no such leaf in the leaf's range. */
static inline struct cpuid cpuid_checked(uint32_t leaf, uint32_t subleaf)
{
    if (cpuid(leaf & 0xf0000000u, 0).eax < leaf)
        return (struct cpuid){0};
    return cpuid(leaf, subleaf);
}

#endif
