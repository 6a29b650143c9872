#include "arch/x86_64/kernel/features.h"
#include "arch/x86_64/kernel/cpuid.h"

#include <stddef.h>

enum {
    XSAVE_X87_SSE = 0x3,
    XSAVE_AVX = 0x4,
    XSAVE_AVX512 = 0xe0,
    XSAVE_HEADER_END = 576, /* legacy region and header */
    XSAVE_COMPONENTS = 63
};

struct features features;

static bool bit(uint32_t word, unsigned index)
{
    return word >> index & 1;
}

/* Bytes of an XSAVE area in standard form with the components of mask. */
static uint32_t xsave_area_bytes(uint64_t mask)
{
    uint32_t bytes = XSAVE_HEADER_END;

    for (unsigned i = 2; i < XSAVE_COMPONENTS; i++) {
        if (!(mask >> i & 1))
            continue;
        struct cpuid component = cpuid_checked(0xd, i);
        if (component.ebx + component.eax > bytes)
            bytes = component.ebx + component.eax;
    }
    return bytes;
}

static void choose_xsave_components(void)
{
    struct cpuid supported = cpuid_checked(0xd, 0);
    uint64_t mask = supported.eax & (XSAVE_X87_SSE | XSAVE_AVX);
    uint64_t wide = mask | XSAVE_AVX512;

    if ((supported.eax & wide) == wide && (mask & XSAVE_AVX) &&
        xsave_area_bytes(wide) <= XSAVE_BYTES_MAX)
        mask = wide;
    features.xsave_mask = mask;
    features.xsave_bytes = xsave_area_bytes(mask);
    features.xsaveopt = bit(cpuid_checked(0xd, 1).eax, 0);
}

const char *cpu_missing_feature(void)
{
    struct cpuid basic = cpuid_checked(1, 0);
    struct cpuid more = cpuid_checked(7, 0);
    struct cpuid extended = cpuid_checked(CPUID_EXTENDED + 1, 0);

    if (!bit(basic.edx, 4))
        return "this processor lacks a time-stamp counter, which Pando requires";
    if (!bit(basic.edx, 9))
        return "this processor lacks a local APIC, which Pando requires";
    if (!bit(basic.ecx, 26))
        return "this processor lacks XSAVE, which Pando requires";
    if (!bit(more.ebx, 0))
        return "this processor lacks FSGSBASE, which Pando requires";
    if (!bit(extended.edx, 11))
        return "this processor lacks SYSCALL, which Pando requires";
    if (!bit(extended.edx, 20))
        return "this processor lacks NX, which Pando requires";

    features.smep = bit(more.ebx, 7);
    features.smap = bit(more.ebx, 20);
    features.umip = bit(more.ecx, 2);
    features.pge = bit(basic.edx, 13);
    features.gib_pages = bit(extended.edx, 26);
    features.x2apic = bit(basic.ecx, 21);
    features.hypervisor = bit(basic.ecx, 31);
    features.tsc_invariant = bit(cpuid_checked(CPUID_EXTENDED + 7, 0).edx, 8);
    choose_xsave_components();
    return NULL;
}
