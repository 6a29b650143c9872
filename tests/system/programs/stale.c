/* stale protect|unmap VCORES: all other vcores write to a page again and again; once the call that
 * forbids it has returned, none may succeed. Ends by the fault of one of them; with status 42 if a
 * write went through. */
#include "tests/system/programs/check.h"

#define PAGE_AT 0x200000000000ull
enum { PAGES = 80, ROUNDS = 1000 };

static volatile int forbidden;
static unsigned writing;
static int vcores;

static void *write_on(void *arg)
{
    int counted = 0;
    for (unsigned turn = 0;; turn++) {
        int late = forbidden;
        *(volatile unsigned *)(PAGE_AT + turn % PAGES * PAGE_BYTES) = turn;
        if (late)
            exit(42);
        if (turn >= ROUNDS && !counted++)
            __atomic_fetch_add(&writing, 1, __ATOMIC_SEQ_CST);
    }
    return arg;
}

static void *churn(void *arg)
{
    uint64_t at = PAGE_AT + (uint64_t)arg * PAGES * PAGE_BYTES;
    for (;;) {
        CHECK_IS(pando_kernel_call(PANDO_mem_map, at, PAGES * PAGE_BYTES, PROT_R | PROT_W, 0), 0);
        for (unsigned i = 0; i < 4; i++)
            *(volatile uint64_t *)(at + i * PAGE_BYTES) = 1;
        CHECK_IS(pando_kernel_call(PANDO_mem_unmap, at, PAGES * PAGE_BYTES, 0, 0), 0);
        __atomic_fetch_add(&writing, 1, __ATOMIC_SEQ_CST);
    }
    return arg;
}

static void start_others(void *(*start)(void *))
{
    CHECK_IS(pando_vcores_request(vcores), vcores);
    for (long i = 1; i < vcores; i++) {
        struct uthread *uthread;
        CHECK_IS(uthread_create(&uthread, start, (void *)i), 0);
    }
}

static void fault_amid_changes(long turns)
{
    start_others(churn);
    while (__atomic_load_n(&writing, __ATOMIC_SEQ_CST) < (unsigned)turns)
        ;
    *(volatile char *)PAGE_BYTES = 1;
}

int main(int argc, char *argv[])
{
    vcores = number_of(argv[2]);
    if (argc > 3)
        fault_amid_changes(number_of(argv[3]));
    CHECK_IS(pando_kernel_call(PANDO_mem_map, PAGE_AT, PAGES * PAGE_BYTES, PROT_R | PROT_W, 0), 0);
    start_others(write_on);
    while (__atomic_load_n(&writing, __ATOMIC_SEQ_CST) < (unsigned)vcores - 1)
        ;
    long number = strcmp(argv[1], "unmap") ? PANDO_mem_protect : PANDO_mem_unmap;
    if (pando_kernel_call(number, PAGE_AT, PAGES * PAGE_BYTES, PROT_R, 0) == 0)
        forbidden = 1;
    for (;;)
        ;
}
