/* crowd TEST: more children at once than any queue of the kernel takes; "ok" at the end.
 * run, kill [many]: all are run, or killed, one after another without waiting; many: from a core of
 * the parent's own. together: all that a home takes run at once. starts: a child starts although its parent computes. orphans: ends while
 * children of every state, with children of their own, are left. regions: a process that had all
 * regions it can have leaves room for as many children as before. records: vcores are granted for
 * which the home has no memory; ends with status 137. */
#include "tests/system/programs/check.h"

#define REGION_AT 0x200000000000ull
#define OBJECT_AT 0x210000000000ull
enum {
    CROWD = 499, /* all that a home takes, beside the parent */
    CHILDREN_MAX = 4000,
    STATUS_CHILD = 6,
    HEAD_START = 5000000,
    FEW = 20,
    ROUNDS = 20, /* whose regions are more than there is memory for */
};

static int children[CHILDREN_MAX];

static int create_all(int most)
{
    int count = 0, child;
    while (count < most && (child = child_try("crowd", "end", NULL)) > 0)
        children[count++] = child;
    return count;
}

/* From a core of its own, all that can be. */
static int create_some(int many)
{
    if (many)
        CHECK_IS(pando_vcores_request(1), 1);
    int count = create_all(CHILDREN_MAX);
    CHECK_IS(count, CROWD);
    return count;
}

static void kill_all(int count)
{
    for (int i = 0; i < count; i++)
        CHECK_IS(raw_call(PANDO_proc_kill, children[i], 0, 0), 0);
}

static void wait_for_all(int count, int may_have_ended)
{
    for (int i = 0; i < count; i++) {
        long status = child_wait(children[i]);
        CHECK(status == STATUS_KILLED || (may_have_ended && status == STATUS_CHILD));
    }
}

static void run_all(int count)
{
    for (int i = 0; i < count; i++)
        CHECK_IS(raw_call(PANDO_proc_run, children[i], 0, 0), 0);
}

static void test_run(int count)
{
    run_all(count);
    kill_all(count);
    wait_for_all(count, 1);
}

/* What a crowd shares. */
struct together {
    unsigned here, go;
    long error; /* of the last that mapped regions */
};

static struct together *together(void)
{
    return (struct together *)OBJECT_AT;
}

static void map_together(long object, long process)
{
    struct map_request request = {OBJECT_AT, 0, PAGE_BYTES, PROT_R | PROT_W, OBJECT_SHARED};
    CHECK_IS(pando_object_map(object, process, &request), 0);
}

static void yield_once(void)
{
    CHECK_IS(pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0), 0);
}

static unsigned count_here(void)
{
    return __atomic_load_n(&together()->here, __ATOMIC_SEQ_CST);
}

/* Is here, and ends when it may. */
static void come_together(void)
{
    __atomic_add_fetch(&together()->here, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&together()->go, __ATOMIC_SEQ_CST))
        yield_once();
}

/* All are there before the first goes. */
static void test_together(void)
{
    long object = pando_object_create(PAGE_BYTES);
    CHECK(object > 0);
    map_together(object, 0);
    int count = 0;
    while (count < CROWD && (children[count] = child_try("crowd", "come", NULL)) > 0)
        map_together(object, children[count++]);
    CHECK_IS(count, CROWD);
    run_all(count);
    while (count_here() < CROWD)
        yield_once();
    __atomic_store_n(&together()->go, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < count; i++)
        CHECK_IS(child_wait(children[i]), STATUS_CHILD);
}

static void test_kill(int count)
{
    kill_all(count);
    wait_for_all(count, 0);
}

static void test_starts(void)
{
    int child = child_start("crowd", "end", NULL);
    compute(HEAD_START);
    CHECK_IS(child_kill(child), 0);
    CHECK_IS(child_wait(child), STATUS_CHILD);
}

static void leave_orphans(const char *generations)
{
    char fewer[] = {generations[0] - 1, 0};
    CHECK(child_try("crowd", "end", NULL) > 0);
    child_start("crowd", "compute", NULL);
    child_start("crowd", "compute", "1", NULL);
    child_start("crowd", "end", NULL);
    if (fewer[0] > '0')
        child_start("crowd", "leave", fewer, NULL);
    compute(HEAD_START / 4);
}

/* Their cores are back too. */
static void test_orphans(void)
{
    unsigned most = pando_procinfo()->max_vcores;
    for (unsigned round = 0; round < 3; round++)
        CHECK_IS(child_wait(child_start("crowd", "leave", "2", NULL)), STATUS_CHILD);
    CHECK(pando_vcores_request(most) >= 1);
    while (pando_procinfo()->amt_granted < most)
        ;
    leave_orphans("2");
}

/* The highest first, which is soonest found. */
static long map_regions(void)
{
    long error = 0;
    for (uint64_t at = REGION_AT; !error; at -= 2 * PAGE_BYTES)
        error = pando_kernel_call(PANDO_mem_map, at, PAGE_BYTES, PROT_R, 0);
    return error;
}

static int room(void)
{
    int count = create_all(CHILDREN_MAX);
    CHECK(count > FEW && count < CHILDREN_MAX);
    kill_all(count);
    wait_for_all(count, 0);
    return count;
}

static void test_regions(void)
{
    int before = room();
    for (unsigned round = 0; round < ROUNDS; round++)
        CHECK_IS(child_wait(child_start("crowd", "map", NULL)), E_LIMIT);
    CHECK_IS(room(), before);
}

static int has_ended(int child)
{
    struct proc_info info;
    CHECK_IS(pando_proc_info(child, &info), 0);
    return info.reason != 0;
}

/* A child that has all regions it can have; or its end, for lack of memory. */
static int add_holder(long object)
{
    unsigned here = count_here();
    int child = child_try("crowd", "hold", NULL);
    if (child < 0)
        return child;
    map_together(object, child);
    long error = raw_call(PANDO_proc_run, child, 0, 0);
    if (error)
        return (int)error;
    while (count_here() == here && !has_ended(child))
        ;
    return count_here() == here ? -E_NO_MEMORY : (int)together()->error;
}

/* Children's regions take the private memory that the home can have, its own what is left. */
static void test_records(void)
{
    unsigned most = pando_procinfo()->max_vcores;
    long object = pando_object_create(PAGE_BYTES), error;
    CHECK(object > 0);
    map_together(object, 0);
    CHECK_IS(pando_vcores_request(1), 1);
    do
        error = add_holder(object);
    while (error == -E_LIMIT);
    CHECK_IS(error, -E_NO_MEMORY);
    CHECK_IS(map_regions(), -E_NO_MEMORY);
    CHECK_IS(pando_vcores_request(most), most);
}

int main(int argc, char *argv[])
{
    const char *test = argv[1];
    if (!strcmp(test, "end"))
        return STATUS_CHILD;
    if (!strcmp(test, "come")) {
        come_together();
        return STATUS_CHILD;
    }
    if (!strcmp(test, "hold")) {
        together()->error = map_regions();
        come_together();
        return STATUS_CHILD;
    }
    if (!strcmp(test, "map"))
        return (int)-map_regions();
    if (!strcmp(test, "compute")) {
        if (argc > 2)
            pando_vcores_request(number_of(argv[2]));
        compute(~0ul);
    }
    if (!strcmp(test, "leave")) {
        leave_orphans(argv[2]);
        return STATUS_CHILD;
    }
    if (!strcmp(test, "run"))
        test_run(create_some(argc > 2));
    else if (!strcmp(test, "kill"))
        test_kill(create_some(argc > 2));
    else if (!strcmp(test, "together"))
        test_together();
    else if (!strcmp(test, "starts"))
        test_starts();
    else if (!strcmp(test, "orphans"))
        test_orphans();
    else if (!strcmp(test, "leave-all"))
        CHECK_IS(create_all(CHILDREN_MAX), CROWD);
    else if (!strcmp(test, "regions"))
        test_regions();
    else if (!strcmp(test, "records"))
        test_records();
    printf("ok\n");
    return 0;
}
