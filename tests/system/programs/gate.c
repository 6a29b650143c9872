/* gate call|forbidden [VCORES]: puts a call gate to ring 0 where a processor would find it whose
 * local descriptor table is the one that reset leaves, and calls through it; `forbidden`: in a page
 * without access. gate hold: says "held" once it has pages without access, and computes for ever.
 */
#include "tests/system/programs/check.h"

#define TABLE_AT 0x1000ull /* byte 0x1000 of a table at 0 */
#define HELD_AT  0x200000000000ull
enum { KERNEL_CS = 8, SELECTOR_LOCAL = 4, SELECTOR_USER = 3, HELD_PAGES = 8 };

static void map(uint64_t at, uint64_t pages)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_map, at, pages * PAGE_BYTES, PROT_R | PROT_W, MEM_EAGER),
             0);
}

static void forbid(uint64_t at, uint64_t pages)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_protect, at, pages * PAGE_BYTES, 0, 0), 0);
}

static void in_ring_0(void)
{
    __asm__ volatile("cli\n\thlt");
}

static void call_through_gate(int forbidden)
{
    uint64_t target = (uint64_t)in_ring_0;
    volatile uint64_t *gate = (volatile uint64_t *)TABLE_AT;
    map(TABLE_AT, 1);
    gate[0] = (target & 0xffff) | KERNEL_CS << 16 | 0xecull << 40 | (target >> 16 & 0xffff) << 48;
    gate[1] = target >> 32;
    if (forbidden)
        forbid(TABLE_AT, 1);
    struct {
        uint32_t offset;
        uint16_t selector;
    } __attribute__((packed)) far = {0, TABLE_AT | SELECTOR_LOCAL | SELECTOR_USER};
    __asm__ volatile("lcall *%0" : : "m"(far) : "memory");
}

static void hold(void)
{
    map(HELD_AT, HELD_PAGES);
    forbid(HELD_AT, HELD_PAGES - 1);
    printf("held\n");
    fflush(stdout);
    for (;;)
        ;
}

int main(int argc, char *argv[])
{
    if (argc > 2)
        CHECK_IS(pando_vcores_request(number_of(argv[2])), number_of(argv[2]));
    if (!strcmp(argv[1], "hold"))
        hold();
    call_through_gate(!strcmp(argv[1], "forbidden"));
    return 0;
}
