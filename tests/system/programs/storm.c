/* storm TEST ROUNDS: children end, or are killed, at any moment of what they do; afterwards all
 * cores can be had again; "ok" at the end. exit: a vcore ends the process while others change its
 * memory. change: killed while its single core changes memory. move: killed on the way from one
 * core to many. compete: several at once ask for cores, give them back and notify each other. */
#include "tests/system/programs/check.h"

#define ARENA       0x200000000000ull
#define TABLE_BYTES (2ull << 20) /* mapped by one page table */
#define RANGE_BYTES (TABLES * TABLE_BYTES)
enum { TABLES = 64, RIVALS = 4, STEPS = 7919, BUSY = 3, LONGEST_MOVE = 1000000, STATUS_CHILD = 7 };

static volatile unsigned changing;

/* --- the children
 * ---------------------------------------------------------------------------------- */

static void unmap(uint64_t at)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_unmap, at, RANGE_BYTES, 0, 0), 0);
}

/* Makes tables that lead nowhere, so that to unmap takes some turns. */
static void make_tables(uint64_t at)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_map, at, RANGE_BYTES, PROT_R | PROT_W, 0), 0);
    for (uint64_t i = 0; i < TABLES; i++)
        *(volatile char *)(at + i * TABLE_BYTES) = 1;
    unmap(at);
}

static void change_memory(uint64_t at)
{
    CHECK_IS(pando_kernel_call(PANDO_mem_map, at, 4 * PAGE_BYTES, PROT_R | PROT_W, 0), 0);
    *(volatile char *)at = *(volatile char *)(at + 2 * PAGE_BYTES) = 1;
    unmap(at);
}

static void *change_on(void *arg)
{
    uint64_t at = ARENA + (uint64_t)arg * RANGE_BYTES;
    make_tables(at);
    __atomic_fetch_add(&changing, 1, __ATOMIC_SEQ_CST);
    for (;;)
        change_memory(at);
    return arg;
}

static void exit_amid_changes(long turns)
{
    struct uthread *uthread;
    unsigned vcores = pando_vcores_request(pando_procinfo()->max_vcores);
    for (unsigned long i = 1; i < vcores; i++)
        CHECK_IS(uthread_create(&uthread, change_on, (void *)i), 0);
    while (changing < vcores - 1)
        ;
    compute(turns);
    raw_call(PANDO_exit, STATUS_CHILD, 0, 0);
}

static void *compete_on(void *arg)
{
    uint64_t state = (uint64_t)arg;
    unsigned most = pando_procinfo()->max_vcores;
    for (;;)
        switch (random_next(&state) % 5) {
        case 0:
            pando_kernel_call(PANDO_cores_request, 1 + random_next(&state) % most, 0, 0, 0);
            break;
        case 1:
            pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0);
            break;
        case 2:
            pando_kernel_call(PANDO_vcore_notify, random_next(&state) % most, 0, 0, 0);
            break;
        case 3:
            pando_kernel_call(PANDO_vcore_notify, pando_vcore_id(), 0, 0, 0);
            break;
        default:
            uthread_yield();
        }
    return arg;
}

static void compete(long number)
{
    struct uthread *uthread;
    CHECK(pando_vcores_request(1 + number % pando_procinfo()->max_vcores) > 0);
    for (unsigned long i = 1; i < 6; i++)
        CHECK_IS(uthread_create(&uthread, compete_on, (void *)(number * 8 + i)), 0);
    for (long i = number * STEPS % 50; i > 0; i--)
        uthread_yield();
    raw_call(PANDO_exit, STATUS_CHILD, 0, 0);
}

static int be_child(const char *what, long number)
{
    if (!strcmp(what, "exits"))
        exit_amid_changes(number * STEPS % 5000);
    if (!strcmp(what, "changes"))
        change_on(0);
    if (!strcmp(what, "moves"))
        pando_vcores_request(pando_procinfo()->max_vcores);
    if (!strcmp(what, "competes"))
        compete(number);
    compute(~0ul);
    return 1;
}

/* --- the parent
 * ------------------------------------------------------------------------------------- */

static int start(const char *what, long number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%ld", number);
    return child_start("storm", "child", what, digits, NULL);
}

static void test_exit(long rounds)
{
    for (long i = 1; i <= rounds; i++)
        CHECK_IS(child_wait(start("exits", i)), STATUS_CHILD);
}

/* A parent on a core of its own kills children at moments spread over their first `longest` turns.
 */
static void kill_each(const char *what, long rounds, long longest)
{
    CHECK_IS(pando_vcores_request(1), 1);
    for (long i = 1; i <= rounds; i++) {
        int child = start(what, i);
        compute(i * STEPS % rounds * longest / rounds);
        CHECK_IS(child_kill(child), 0);
        CHECK_IS(child_wait(child), STATUS_KILLED);
    }
}

/* Others keep the home busy meanwhile, so that each step of what is killed takes a while. */
static void test_move(long rounds)
{
    int busy[BUSY];
    for (long i = 0; i < BUSY; i++)
        busy[i] = start("changes", i);
    kill_each("moves", rounds, LONGEST_MOVE);
    for (long i = 0; i < BUSY; i++) {
        CHECK_IS(child_kill(busy[i]), 0);
        CHECK_IS(child_wait(busy[i]), STATUS_KILLED);
    }
}

static void test_compete(long rounds)
{
    int child[RIVALS];
    for (long round = 1; round <= rounds; round++) {
        for (long i = 0; i < RIVALS; i++)
            child[i] = start("competes", round * RIVALS + i);
        compute(round * STEPS % 1000 * 1000);
        for (long i = 0; i < RIVALS; i += 2)
            CHECK_IS(child_kill(child[i]), 0);
        for (long i = 0; i < RIVALS; i++) {
            long status = child_wait(child[i]);
            CHECK(status == STATUS_CHILD || (i % 2 == 0 && status == STATUS_KILLED));
        }
    }
}

int main(int argc, char *argv[])
{
    const char *test = argv[1];
    long rounds = number_of(argv[2]);
    unsigned most = pando_procinfo()->max_vcores;
    if (argc > 3)
        return be_child(argv[2], number_of(argv[3]));
    if (!strcmp(test, "exit"))
        test_exit(rounds);
    else if (!strcmp(test, "change"))
        kill_each("changes", rounds, 4000000);
    else if (!strcmp(test, "move"))
        test_move(rounds);
    else if (!strcmp(test, "compete"))
        test_compete(rounds);
    CHECK_IS(pando_vcores_request(most), most);
    printf("ok\n");
    return 0;
}
