/* shootdown VCORES ROUNDS: vcore by vcore reads a page, which is then unmapped; another frame is
 * mapped there. Once mem_unmap has returned, no vcore may see what was there before. "ok" at the
 * end. */
#include "tests/system/programs/check.h"

#define PAGE  0x100000000 /* is replaced, again and again */
#define TAKEN 0x100100000 /* takes up what was freed, so that it does not come back at PAGE */
enum { TAKEN_PAGES = 8, POISON = 0xdead };

static volatile unsigned step; /* what all do: each counts itself in `did` when it has */
static unsigned did;
static volatile uint64_t awaited;

static void map(uint64_t at, uint64_t pages, uint64_t value)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_map, at, pages * PAGE_BYTES, PROT_R | PROT_W, MEM_EAGER),
             0);
    for (uint64_t i = 0; i < pages; i++)
        *(volatile uint64_t *)(at + i * PAGE_BYTES) = value;
}

static void unmap(uint64_t at, uint64_t pages)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_unmap, at, pages * PAGE_BYTES, 0, 0), 0);
}

static void *reader(void *readers_end)
{
    for (unsigned now = 1; now <= (uintptr_t)readers_end; now++) {
        while (step != now)
            __builtin_ia32_pause();
        CHECK_IS(*(volatile uint64_t *)PAGE, awaited);
        __atomic_fetch_add(&did, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

/* Has all readers read PAGE. Each has a vcore, on which nothing else runs. */
static void have_read(unsigned readers, uint64_t value)
{
    awaited = value;
    did = 0;
    step++;
    while (__atomic_load_n(&did, __ATOMIC_SEQ_CST) < readers)
        __builtin_ia32_pause();
}

int main(int argc, char *argv[])
{
    CHECK(argc == 3);
    unsigned vcores = (unsigned)number_of(argv[1]), rounds = (unsigned)number_of(argv[2]);
    struct uthread *readers[VCORES_MAX];
    CHECK_IS(pando_vcores_request(vcores), vcores);
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&readers[i], reader, (void *)(uintptr_t)(2 * rounds)), 0);
    map(PAGE, 1, 0);
    for (uint64_t round = 1; round <= rounds; round++) {
        *(volatile uint64_t *)PAGE = 2 * round;
        have_read(vcores - 1, 2 * round);
        unmap(PAGE, 1);
        map(TAKEN, TAKEN_PAGES, POISON);
        map(PAGE, 1, 2 * round + 1);
        have_read(vcores - 1, 2 * round + 1);
        unmap(TAKEN, TAKEN_PAGES);
    }
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_join(readers[i], NULL), 0);
    printf("ok\n");
    return 0;
}
