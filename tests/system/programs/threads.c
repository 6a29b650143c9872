/* threads many UTHREADS VCORES | threads tree VCORES: uthreads made, joined and giving way, in any
 * order; "ok" at the end. */
#include "tests/system/programs/check.h"

enum { UTHREADS_MAX = 1000, DEPTH = 7 };

static uint64_t done;

static void *work(void *arg)
{
    uint64_t number = (uint64_t)arg, state = number + 1;
    for (uint64_t turn = 0; turn < number % 7; turn++) {
        random_next(&state);
        uthread_yield();
    }
    CHECK(uthread_self() != NULL);
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    return (void *)(number * number + 1);
}

static void shuffle(unsigned *order, unsigned count)
{
    uint64_t state = 2463534242;
    for (unsigned i = 0; i < count; i++)
        order[i] = i;
    for (unsigned i = count - 1; i > 0; i--) {
        unsigned other = random_next(&state) % (i + 1), kept = order[i];
        order[i] = order[other];
        order[other] = kept;
    }
}

static void test_many(unsigned count)
{
    static struct uthread *uthreads[UTHREADS_MAX];
    static unsigned order[UTHREADS_MAX];
    void *result;
    done = 0;
    CHECK(count <= UTHREADS_MAX);
    for (uint64_t i = 0; i < count; i++)
        CHECK_IS(uthread_create(&uthreads[i], work, (void *)i), 0);
    shuffle(order, count);
    for (unsigned i = 0; i < count; i++) {
        uint64_t number = order[i];
        CHECK_IS(uthread_join(uthreads[number], &result), 0);
        CHECK_IS(result, number * number + 1);
    }
    CHECK_IS(done, count);
}

/* Each makes two more, and their sum comes back up. */
static void *branch(void *arg)
{
    uint64_t depth = (uint64_t)arg;
    struct uthread *left, *right;
    void *left_sum, *right_sum;
    if (depth == 0)
        return (void *)1;
    if (uthread_create(&left, branch, (void *)(depth - 1)) ||
        uthread_create(&right, branch, (void *)(depth - 1)))
        return NULL;
    uthread_yield();
    uthread_join(right, &right_sum);
    uthread_join(left, &left_sum);
    return (void *)((uint64_t)left_sum + (uint64_t)right_sum + 1);
}

int main(int argc, char *argv[])
{
    long vcores = number_of(argv[argc - 1]);
    if (vcores)
        CHECK_IS(pando_vcores_request(vcores), vcores);
    CHECK_IS(uthread_join(uthread_self(), NULL), -E_INVALID);
    if (!strcmp(argv[1], "many"))
        for (unsigned round = 0; round < 3; round++)
            test_many(number_of(argv[2]));
    else
        CHECK_IS(branch((void *)DEPTH), (2 << DEPTH) - 1);
    printf("ok\n");
    return 0;
}
