/* hammer VCORES TIMES: every vcore unmaps, over and over, a page of its own that is not mapped;
 * "ok" at the end. */
#include "tests/system/programs/check.h"

enum { VCORES = 256 };
#define FIRST_PLACE 0x200000000000
#define DISTANCE    0x10000000

static unsigned long times, done;

static void *hammer(void *arg)
{
    unsigned long place = FIRST_PLACE + (unsigned long)arg * DISTANCE;
    for (unsigned long i = 0; i < times; i++) {
        if (pando_kernel_call(PANDO_mem_unmap, place, 0x1000, 0, 0) == 0)
            __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

int main(int argc, char *argv[])
{
    static struct uthread *uthreads[VCORES];
    unsigned long vcores = number_of(argv[1]);
    times = number_of(argv[2]);
    CHECK_IS(pando_vcores_request(vcores), vcores);
    for (unsigned long i = 0; i < vcores; i++)
        CHECK_IS(uthread_create(&uthreads[i], hammer, (void *)i), 0);
    for (unsigned long i = 0; i < vcores; i++)
        CHECK_IS(uthread_join(uthreads[i], NULL), 0);
    CHECK_IS(done, vcores * times);
    printf("ok\n");
    return 0;
}
