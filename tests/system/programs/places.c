/* places COUNT: so many children at once, each of which says on which core it is; "ok" at the end.
 * places migrate: of two children that share a core with their parent or not, one finds a core of
 * its own when the other has gone. places granted COUNT: says which cores are granted. */
#include "tests/system/programs/check.h"

enum { BELL = 1, CHILDREN_MAX = 40 };

static int be_child(void)
{
    printf("core %ld\n", pando_kernel_call(PANDO_vcore_id, 0, 0, 0, 0) >> 16);
    fflush(stdout);
    CHECK_IS(pando_kernel_call(PANDO_channel_ring, BELL, 0, 0, 0), 0);
    for (;;)
        raw_call(PANDO_vcore_halt, 0, 0, 0);
}

/* With an end of a channel of its own, on which it rings. */
static long start_child(void)
{
    long ends = pando_kernel_call(PANDO_channel_create, 1, 0, 0, 0);
    long child = child_try("places", "child", NULL);
    CHECK(child > 0 && ends > 0);
    CHECK_IS(pando_kernel_call(PANDO_proc_give, child, ends >> 32, RIGHTS_ALL, 0), BELL);
    CHECK_IS(pando_kernel_call(PANDO_handle_close, ends >> 32, 0, 0, 0), 0);
    CHECK(pando_kernel_call(PANDO_channel_watch, ends & 0xffffffff, CHANNEL_ON_READABLE, 0, 0) >=
          0);
    CHECK_IS(child_run(child), 0);
    return child;
}

static void await_ring(void)
{
    struct event event;
    do
        pando_event_wait(&event);
    while (event.type != EVENT_CHANNEL_READABLE);
}

static void test_spread(long count)
{
    long child[CHILDREN_MAX];
    CHECK(count <= CHILDREN_MAX);
    for (long i = 0; i < count; i++) {
        child[i] = start_child();
        await_ring(); /* so that their lines come whole */
    }
    for (long i = 0; i < count; i++) {
        CHECK_IS(child_kill(child[i]), 0);
        CHECK_IS(child_wait(child[i]), STATUS_KILLED);
    }
}

/* The parent is on the first core, the first child on the second, the other on the first again. */
static void test_migration(void)
{
    long first = start_child();
    await_ring();
    long other = child_start("fp", "migrate", NULL);
    CHECK_IS(child_kill(first), 0);
    CHECK_IS(child_wait(first), STATUS_KILLED);
    CHECK_IS(child_wait(other), 0);
}

/* Which cores a process gets that asks for all. */
static void test_granted(long count)
{
    const volatile struct procinfo *info = pando_procinfo();
    CHECK_IS(info->max_vcores, count);
    CHECK_IS(pando_vcores_request(count), count);
    for (long i = 0; i < count; i++)
        printf("core %u\n", info->vcoremap[i].core);
    CHECK_IS(pando_kernel_call(PANDO_cores_request, count + 1, 0, 0, 0), -E_INVALID);
}

int main(int argc, char *argv[])
{
    if (argc < 2)
        return 2;
    if (!strcmp(argv[1], "child"))
        return be_child();
    if (!strcmp(argv[1], "migrate"))
        test_migration();
    else if (!strcmp(argv[1], "granted"))
        test_granted(number_of(argv[2]));
    else
        test_spread(number_of(argv[1]));
    printf("ok\n");
    return 0;
}
