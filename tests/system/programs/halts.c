/* halts wait: a vcore that halts is notified by another one, at first long after it halted, then
 * before it halts; "ok" at the end. halts idle VCORES: says "idle on CORE", the core on which it
 * computes for ever while the other vcores have nothing to do. */
#include "tests/system/programs/calls.h"
#include "tests/system/programs/check.h"

enum { ROUNDS = 200 };

static struct vcore_data *halter;
static unsigned long halting, notified, early;

static unsigned long seen(const unsigned long *count)
{
    return __atomic_load_n(count, __ATOMIC_SEQ_CST);
}

static void publish(unsigned long *count, unsigned long value)
{
    __atomic_store_n(count, value, __ATOMIC_SEQ_CST);
}

static void pause_long(void)
{
    for (volatile unsigned turns = 0; turns < 20000; turns++)
        ;
}

/* Masked throughout: so the runtime does not take a notification for its own. Odd rounds halt
 * first, even ones only when the notification is there. */
static void *halt(void *arg)
{
    struct vcore_data *vcore = vcore_data_of(pando_vcore_id());

    vcore->notif_disabled = 1;
    pause_long();
    vcore->notif_pending = 0;
    __atomic_store_n(&halter, vcore, __ATOMIC_SEQ_CST);
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        publish(&halting, round);
        while (round % 2 == 0 && seen(&notified) < round)
            ;
        if (instruction_call(PANDO_vcore_halt, 0, 0, 0, 0) != 0 || seen(&notified) < round)
            early++;
        if (vcore->notif_pending)
            early++;
    }
    vcore->notif_disabled = 0;
    return NULL;
}

/* The number is there before a halt that comes first can end, and after the notification if the
 * notification comes first. */
static void notify(unsigned long round)
{
    if (round % 2)
        publish(&notified, round);
    CHECK_IS(pando_kernel_call(PANDO_vcore_notify, halter->vcoreid, 0, 0, 0), 0);
    publish(&notified, round);
}

static void test_wait(void)
{
    struct uthread *uthread;

    CHECK_IS(pando_vcores_request(2), 2);
    CHECK_IS(uthread_create(&uthread, halt, NULL), 0);
    for (unsigned long round = 1; round <= ROUNDS; round++) {
        while (seen(&halting) < round)
            ;
        if (round % 2)
            pause_long();
        notify(round);
    }
    CHECK_IS(uthread_join(uthread, NULL), 0);
    CHECK_IS(early, 0);
    printf("ok\n");
}

int main(int argc, char *argv[])
{
    if (!strcmp(argv[1], "wait")) {
        test_wait();
        return 0;
    }
    CHECK_IS(pando_vcores_request(number_of(argv[2])), number_of(argv[2]));
    printf("idle on %ld\n", pando_kernel_call(PANDO_vcore_id, 0, 0, 0, 0) >> 16);
    fflush(stdout);
    for (volatile unsigned long turns = 0;; turns++)
        ;
}
