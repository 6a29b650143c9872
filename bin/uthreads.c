/* uthreads [VCORES [UTHREADS]]: asks for that many vcores (default: all) and lets uthreads
 * (default: two a vcore) count, giving way to one another; then says which vcore each ended on, and
 * the sum. */
#include <stdio.h>
#include <stdlib.h>
#include "pando.h"

enum { UTHREADS_MAX = 1000, STEPS = 1000, STEPS_A_TURN = 100 };

static unsigned long total;

struct counter {
    struct uthread *uthread;
    int vcoreid;
};

static void *count(void *arg)
{
    struct counter *counter = arg;

    for (int step = 1; step <= STEPS; step++) {
        __atomic_fetch_add(&total, 1, __ATOMIC_RELAXED);
        if (step % STEPS_A_TURN == 0)
            uthread_yield();
    }
    counter->vcoreid = pando_vcore_id();
    return counter;
}

static int number_of(const char *text, int least, int most)
{
    char *end;
    long number = strtol(text, &end, 10);

    if (*end || end == text || number < least || number > most) {
        fprintf(stderr, "uthreads: %s: a number from %d to %d is wanted\n", text, least, most);
        exit(2);
    }
    return number;
}

int main(int argc, char *argv[])
{
    static struct counter counters[UTHREADS_MAX];
    int most = pando_procinfo()->max_vcores;
    int granted = pando_vcores_request(argc > 1 ? number_of(argv[1], 1, most) : most);

    if (granted < 0) {
        fprintf(stderr, "uthreads: no vcores: error %d\n", -granted);
        return 1;
    }
    int uthreads = argc > 2 ? number_of(argv[2], 1, UTHREADS_MAX) : 2 * granted;
    printf("%d vcores\n", granted);
    for (int i = 0; i < uthreads; i++) {
        if (uthread_create(&counters[i].uthread, count, &counters[i]) != 0) {
            fprintf(stderr, "uthreads: out of memory after %d uthreads\n", i);
            return 1;
        }
    }
    for (int i = 0; i < uthreads; i++) {
        void *result;
        uthread_join(counters[i].uthread, &result);
        if (result != &counters[i]) {
            fprintf(stderr, "uthreads: uthread %d returned another's result\n", i);
            return 1;
        }
        printf("uthread %d ended on vcore %d\n", i, counters[i].vcoreid);
    }
    printf("total %lu\n", total);
    return total == (unsigned long)uthreads * STEPS ? 0 : 1;
}
