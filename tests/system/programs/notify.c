/* notify TEST: notifications without end do no harm, and none that matters is lost; "ok" at the
 * end. self: one vcore to itself, more than any queue takes. one: all vcores to one. */
#include "tests/system/programs/check.h"

enum { FLOOD = 2000, ROUNDS = 300, DELAYS = 3000, TARGET = 0 };

static volatile unsigned flooded, rounds;

static void flood(unsigned target)
{
    for (unsigned i = 0; i < FLOOD; i++)
        CHECK_IS(raw_call(PANDO_vcore_notify, target, 0, 0), 0);
}

static void *flood_on(void *arg)
{
    flood(TARGET);
    __atomic_fetch_add(&flooded, 1, __ATOMIC_SEQ_CST);
    for (;;)
        ;
    return arg;
}

/* One notification for each halt: a lost one is waited for in vain. */
static void *wake_on(void *arg)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        while (rounds <= round)
            ;
        compute(round * 7919 % DELAYS);
        CHECK_IS(raw_call(PANDO_vcore_notify, TARGET, 0, 0), 0);
    }
    for (;;)
        ;
    return arg;
}

static void halt_and_be_woken(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        rounds = round + 1;
        CHECK_IS(raw_call(PANDO_vcore_halt, 0, 0, 0), 0);
    }
}

static void test_self(void)
{
    flood(0);
    CHECK_IS(raw_call(PANDO_vcore_halt, 0, 0, 0), 0); /* pending: returns at once */
    CHECK_IS(vcore_data_of(0)->notif_pending, 0);
}

static void test_one(void)
{
    struct uthread *uthread;
    unsigned vcores = pando_procinfo()->max_vcores;
    CHECK_IS(pando_vcores_request(vcores), vcores);
    CHECK_IS(pando_vcore_id(), TARGET);
    for (unsigned i = 2; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread, flood_on, NULL), 0);
    while (flooded < vcores - 2)
        ;
    CHECK_IS(uthread_create(&uthread, wake_on, NULL), 0);
    halt_and_be_woken();
}

int main(int argc, char *argv[])
{
    if (!strcmp(argv[1], "self"))
        test_self();
    else
        test_one();
    printf("ok\n");
    return 0;
}
