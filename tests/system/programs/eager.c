/* eager ROUNDS: another vcore writes to a range while MEM_EAGER for it is refused for lack of
 * memory. That is a fault; no write may go through, as the frame behind it is given to others. "ok"
 * at the end. */
#include "tests/system/programs/check.h"

#define RANGE 0x300000000000ull
#define LARGE 0x200000000000ull
#define SMALL 0x280000000000ull
enum { PIECE_PAGES = 64, PIECE = PIECE_PAGES * PAGE_BYTES, LEFT_PAGES = 40, STATUS_WRITTEN = 42 };
enum { STEPS = 7919, LONGEST = 12000 };

static volatile int begun, written;
static long delay;

static long map(uint64_t at, uint64_t bytes)
{
    return pando_kernel_call(PANDO_mem_map, at, bytes, PROT_R | PROT_W, MEM_EAGER);
}

/* Leaves less memory than RANGE needs, but enough to begin with. */
static void use_up_memory(void)
{
    uint64_t pieces = 0, pages = 0;
    CHECK_IS(map(RANGE + PIECE, PAGE_BYTES), 0); /* the tables */
    while (map(LARGE + pieces * PIECE, PIECE) == 0)
        pieces++;
    while (map(SMALL + pages * PAGE_BYTES, PAGE_BYTES) == 0)
        pages++;
    CHECK(pieces > 0);
    CHECK_IS(pando_kernel_call(PANDO_mem_unmap, LARGE, LEFT_PAGES * PAGE_BYTES, 0, 0), 0);
}

static void *write_late(void *arg)
{
    begun = 1;
    while (begun < 2)
        ;
    compute(delay);
    *(volatile char *)RANGE = 1;
    written = 1;
    for (;;)
        ;
    return arg;
}

static int attempt(void)
{
    struct uthread *uthread;
    CHECK_IS(pando_vcores_request(2), 2);
    CHECK_IS(uthread_create(&uthread, write_late, NULL), 0);
    while (!begun)
        ;
    use_up_memory();
    begun = 2;
    CHECK_IS(map(RANGE, PIECE), -E_NO_MEMORY);
    while (!written)
        ;
    return STATUS_WRITTEN;
}

int main(int argc, char *argv[])
{
    char digits[24];
    if (argc > 2) {
        delay = number_of(argv[2]);
        return attempt();
    }
    for (long i = 0, rounds = number_of(argv[1]); i < rounds; i++) {
        snprintf(digits, sizeof digits, "%ld", i * STEPS % LONGEST);
        CHECK_IS(child_wait(child_start("eager", "delay", digits, NULL)), STATUS_FAULT);
    }
    printf("ok\n");
    return 0;
}
