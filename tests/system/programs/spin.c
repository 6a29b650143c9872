/* spin [VCORES]: says "spinning" when that many vcores compute, and goes on for ever. */
#include <stdio.h>
#include <stdlib.h>
#include "pando.h"

static unsigned entered;

static void *spin(void *arg)
{
    __atomic_fetch_add(&entered, 1, __ATOMIC_SEQ_CST);
    for (volatile unsigned long turns = 0;; turns++)
        ;
    return arg;
}

int main(int argc, char *argv[])
{
    int vcores = argc > 1 ? atoi(argv[1]) : 1;

    if (pando_vcores_request(vcores) != vcores)
        return 1;
    for (int i = 1; i < vcores; i++) {
        struct uthread *uthread;
        if (uthread_create(&uthread, spin, NULL) != 0)
            return 1;
    }
    while (__atomic_load_n(&entered, __ATOMIC_SEQ_CST) < (unsigned)vcores - 1)
        ;
    printf("spinning\n");
    fflush(stdout);
    spin(NULL);
}
