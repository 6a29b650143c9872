#include "user/user.h"

enum { CPUID_RDRAND = 1 << 30, RANDOM_TRIES = 10 };

static void cpuid_1(uint32_t *ecx, uint32_t *edx)
{
    uint32_t eax = 1, ebx;

    *ecx = 0;
    __asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(*ecx), "=d"(*edx));
}

uint32_t cpu_features(void)
{
    uint32_t ecx, edx;

    cpuid_1(&ecx, &edx);
    return edx;
}

bool cpu_random(uint64_t *word)
{
    uint32_t ecx, edx;
    bool valid = false;

    cpuid_1(&ecx, &edx);
    if (!(ecx & CPUID_RDRAND))
        return false;
    for (int i = 0; i < RANDOM_TRIES && !valid; i++)
        __asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(valid));
    return valid;
}
