/* leave one VCORES STATUS: a uthread ends the process with this status (256: 0) while all other
 * vcores compute. leave all VCORES: every vcore ends it at once, each with a status of its own from
 * FIRST_STATUS on. */
#include "tests/system/programs/calls.h"
#include "tests/system/programs/check.h"

enum { FIRST_STATUS = 10 };

static unsigned entered, vcores;
static long status; /* 0: each its own */

/* Returns the caller's place in the order, when all have come. */
static unsigned gather(void)
{
    unsigned place = __atomic_fetch_add(&entered, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&entered, __ATOMIC_SEQ_CST) < vcores)
        ;
    return place;
}

static void *leave(void *arg)
{
    unsigned place = gather();
    if (!status)
        instruction_call(CALL_EXIT_GROUP, FIRST_STATUS + place, 0, 0, 0);
    if (place == vcores - 1)
        exit((int)status);
    for (volatile unsigned long turns = 0;; turns++)
        ;
    return arg;
}

int main(int argc, char *argv[])
{
    struct uthread *uthread;
    vcores = (unsigned)number_of(argv[2]);
    if (argc > 3)
        status = number_of(argv[3]);
    CHECK_IS(pando_vcores_request(vcores), vcores);
    for (unsigned i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread, leave, NULL), 0);
    leave(NULL);
    return 0;
}
