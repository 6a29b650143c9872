/* slots: a process can have only so many top-level slots; "ok" at the end. */
#include "tests/system/programs/check.h"

#define SLOT_BYTES (1ull << SLOT_SHIFT)
enum { FIRST = 64, WIDE = 100 };

static long map(uint64_t at, uint64_t bytes, long flags)
{
    return pando_kernel_call(PANDO_mem_map, at, bytes, PROT_R | PROT_W, flags);
}

int main(void)
{
    unsigned slot = FIRST + 1;
    CHECK_IS(map(FIRST * SLOT_BYTES, WIDE * SLOT_BYTES, 0), -E_LIMIT);
    CHECK_IS(map(FIRST * SLOT_BYTES, PAGE_BYTES, MEM_EAGER), 0); /* nothing of it was mapped */
    while (map(slot * SLOT_BYTES, PAGE_BYTES, 0) == 0) {
        *(volatile char *)(slot * SLOT_BYTES) = 1; /* what was given can be used */
        slot++;
    }
    CHECK(slot > FIRST + 8);
    for (long flags = 0; flags <= MEM_EAGER; flags++)
        CHECK_IS(map(slot * SLOT_BYTES, PAGE_BYTES, flags), -E_LIMIT);
    CHECK_IS(map(FIRST * SLOT_BYTES + PAGE_BYTES, PAGE_BYTES, MEM_EAGER), 0);
    printf("ok\n");
    return 0;
}
