/* guard VCORES: a uthread uses nearly all of its stack, and one a little more than all. */
#include "tests/system/programs/check.h"

enum { LESS = 60000, MORE = 66000, STEP = 512 };

static void touch_down(volatile char *bytes, long count)
{
    for (long i = count - 1; i >= 0; i -= STEP)
        bytes[i] = 1;
    bytes[0] = 1;
}

static void *use_less(void *arg)
{
    volatile char bytes[LESS];
    touch_down(bytes, LESS);
    return arg;
}

static void *use_more(void *arg)
{
    volatile char bytes[MORE];
    touch_down(bytes, MORE);
    return arg;
}

int main(int argc, char *argv[])
{
    struct uthread *uthread;
    CHECK_IS(pando_vcores_request(number_of(argv[1])), number_of(argv[1]));
    CHECK_IS(uthread_create(&uthread, use_less, NULL), 0);
    CHECK_IS(uthread_join(uthread, NULL), 0);
    printf("enough\n");
    fflush(stdout);
    CHECK_IS(uthread_create(&uthread, use_more, NULL), 0);
    CHECK_IS(uthread_join(uthread, NULL), 0);
    printf("nothing below\n");
    return 0;
}
