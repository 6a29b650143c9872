/* turmoil TEST [NUMBER]: children that do what they can, and are ended in the middle of it; "ok" at
 * the end. moves, moves-many: between one context and many cores, by a parent with one context, or
 * with a core. crowd: as many at once as can be. askers: processes whose calls another answers, until
 * one of the two ends. rings: rings of events that change while events come. As a child it does what
 * its first word says. */
#include "tests/system/programs/control.h"

#define ARENA 0x200000000000ull

/* --- all moves, at any moment ------------------------------------------------------------------- */

static void *in_uthread(void *unused)
{
    for (;;)
        compute(1000);
    return unused;
}

/* Moves between _S and _M, waits and is woken, all in the order that its seed says. */
static _Noreturn void be_mover(uint64_t seed)
{
    struct uthread *uthread;
    unsigned most = pando_procinfo()->max_vcores;
    uint64_t state = seed * 88172645463325252ull + 1;
    for (;;) {
        uint64_t random = random_next(&state) >> 8;
        switch (random % 8) {
        case 0:
        case 1:
            raw_call(PANDO_vcore_notify, 0, 0, 0);
            raw_call(PANDO_vcore_yield, YIELD_WAIT, 0, 0);
            break;
        case 2:
            raw_call(PANDO_vcore_yield, 0, 0, 0);
            break;
        case 3:
            raw_call(PANDO_event_rings, 0, EVENTS_MIN << random / 8 % 5, 0);
            break;
        case 4:
            uthread_create(&uthread, in_uthread, NULL);
            break;
        case 5:
            pando_vcores_request(1 + (unsigned)(random / 8 % most));
            break;
        case 6:
            raw_call(PANDO_cores_request, 0, 0, 0);
            break;
        default:
            raw_call(PANDO_mem_unmap, ARENA, 64 * PAGE_BYTES, 0);
            raw_call(PANDO_mem_map, ARENA, 64 * PAGE_BYTES, PROT_R | PROT_W);
            for (unsigned i = 0; i < 8; i++)
                *(volatile char *)(ARENA + i * PAGE_BYTES) = 1;
        }
    }
}

static void test_moves(long rounds, int many)
{
    enum { AT_ONCE = 6 };
    long child[AT_ONCE] = {0};
    uint64_t state = (uint64_t)rounds * 7919 + 1;
    char seed[24];
    if (many)
        CHECK_IS(pando_vcores_request(1), 1);
    for (long i = 0; i < rounds * AT_ONCE; i++) {
        long *at = &child[random_next(&state) % AT_ONCE];
        if (*at) {
            CHECK_IS(pando_proc_kill(*at, random_next(&state) % 2), 0);
            long status = child_wait(*at);
            CHECK(status == STATUS_KILLED || status == STATUS_FAULT);
        }
        snprintf(seed, sizeof seed, "%lu", (unsigned long)(random_next(&state) >> 40));
        *at = child_start("turmoil", "mover", seed, NULL);
        compute(random_next(&state) % 400000);
    }
}

/* --- very many at once --------------------------------------------------------------------------- */

enum { CROWD = 600, CROWD_LEAST = 250 };

/* Half of them are ended; the others end with this one. */
static void test_crowd(void)
{
    static long child[CROWD];
    uint64_t state = 12345;
    unsigned count = 0, run = 0;
    char seed[24];
    for (; count < CROWD; count++) {
        snprintf(seed, sizeof seed, "%u", count);
        child[count] = child_try("turmoil", "mover", seed, NULL);
        if (child[count] < 0)
            break;
    }
    CHECK(count > CROWD_LEAST && count < CROWD);
    CHECK(child[count] == -E_LIMIT || child[count] == -E_NO_MEMORY);
    for (unsigned i = 0; i < count; i++) {
        long result = child_run(child[i]);
        CHECK(!result || result == -E_NO_MEMORY);
        run += !result;
    }
    CHECK(run > CROWD_LEAST / 4);
    for (unsigned left = count; left > count / 2; left--) {
        unsigned i = random_next(&state) % left;
        CHECK_IS(pando_proc_kill(child[i], random_next(&state) % 2), 0);
        child[i] = child[left - 1];
    }
}

/* --- askers ---------------------------------------------------------------------------------------- */

static void *ask_on(void *unused)
{
    for (;;)
        raw_call(100, 1, 2, 3);
    return unused;
}

static _Noreturn void be_asking(unsigned vcores)
{
    struct uthread *uthread;
    if (vcores)
        pando_vcores_request(vcores);
    for (unsigned i = 1; i < vcores; i++)
        uthread_create(&uthread, ask_on, NULL);
    ask_on(NULL);
    for (;;)
        ;
}

/* Creates one whose calls it answers; sends the handle on by handle 1. */
static void be_asker(const char *vcores, uint64_t seed)
{
    struct channel_message message = {.rights = RIGHTS_ALL};
    char *words[] = {"turmoil", "asking", (char *)vcores};
    long child = pando_proc_create_with(3, words, NULL, 0, seed & 1 ? PROC_DETACHED : 0);
    static uint64_t argument[PAGE_BYTES / 8];
    uint64_t state = seed * 7919 + 1;
    CHECK(child > 0);
    CHECK_IS(pando_proc_sandbox(child, ~(1ul << FILTER_OTHERS), FILTER_ASK), 0);
    message.handle[0] = (uint32_t)pando_handle_duplicate(child, RIGHTS_ALL);
    CHECK_IS(pando_channel_send(1, CHANNEL_WAIT, &message), 0);
    CHECK_IS(child_run(child), 0);
    for (unsigned i = 0; i < 2000 + random_next(&state) % 4000; i++) {
        unsigned vcore = (unsigned)random_next(&state) % 4;
        long flags = random_next(&state) % 2 ? CALL_MESSAGE : 0;
        if (pando_proc_call(child, vcore, flags, argument) < 0)
            continue;
        if (flags)
            pando_proc_call(child, vcore, 0, argument);
        long first = pando_proc_reply(child, vcore, (long)0x8000000000000000,
                                      flags ? REPLY_MESSAGE : 0, argument);
        CHECK(first == 0 || first == -E_EMPTY);
    }
    if (seed & 2)
        CHECK_IS(pando_handle_close(child), 0);
    if (seed & 4)
        exit(STATUS_CHILD);
    for (;;)
        raw_call(PANDO_vcore_yield, YIELD_WAIT, 0, 0);
}

static void test_askers(long rounds)
{
    uint64_t state = 99;
    for (long i = 0; i < rounds; i++) {
        char seed[24], *vcores = i % 2 && pando_procinfo()->max_vcores > 2 ? "3" : "0";
        struct channel_message message;
        long ends = pando_channel_create(2);
        snprintf(seed, sizeof seed, "%ld", i);
        long asker = child_try("turmoil", "asker", vcores, seed, NULL);
        CHECK_IS(pando_proc_give(asker, ends >> 32, RIGHTS_ALL), 1);
        CHECK_IS(child_run(asker), 0);
        CHECK_IS(pando_channel_receive(ends & 0xffffffff, 0, 0, CHANNEL_WAIT, &message), 0);
        compute(random_next(&state) % 4000000);
        long asking = message.handle[0], first = random_next(&state) % 2;
        pando_proc_reply(asking, 0, 0, 0, NULL);
        CHECK_IS(child_kill(first ? asking : asker), 0);
        compute(random_next(&state) % 100000);
        CHECK_IS(child_kill(first ? asker : asking), 0);
        CHECK(child_wait(asking) >= 0);
        CHECK(child_wait(asker) >= 0);
        pando_handle_close(ends & 0xffffffff);
        pando_handle_close(ends >> 32);
    }
}

/* --- rings that change while others post ---------------------------------------------------------- */

static void *turn_rings(void *seed)
{
    uint64_t state = (uint64_t)seed * 7919 + 3;
    unsigned vcores = pando_procinfo()->max_vcores > 1 ? 2 : 1;
    for (;;) {
        uint64_t random = random_next(&state) >> 8;
        raw_call(PANDO_event_rings, random % 5, EVENTS_MIN << random / 8 % 5, 0);
        raw_call(PANDO_vcore_notify, random / 64 % 5, EVENT_STANDARD + random / 512 % 50, 0);
        if (random % 3 == 0)
            vcore_data_of(random / 1024 % vcores)->mailbox.home.taken = (uint32_t)(random >> 20);
        if (random % 3 == 1)
            vcore_data_of(random / 1024 % vcores)->mailbox.home.taken =
                vcore_data_of(random / 1024 % vcores)->mailbox.home.written;
    }
    return NULL;
}

static _Noreturn void be_ringer(void)
{
    struct uthread *uthread;
    pando_channel_watch(1, CHANNEL_ON_READABLE | CHANNEL_ON_WRITABLE | CHANNEL_ON_CLOSED);
    unsigned vcores = pando_procinfo()->max_vcores;
    pando_vcores_request(vcores);
    for (unsigned long i = 1; i < vcores; i++)
        uthread_create(&uthread, turn_rings, (void *)i);
    turn_rings(NULL);
    for (;;)
        ;
}

static void test_rings(long rounds)
{
    struct channel_message message = {0};
    for (long i = 0; i < rounds; i++) {
        long ends = pando_channel_create(2), child = child_try("turmoil", "ringer", NULL);
        CHECK_IS(pando_proc_give(child, ends >> 32, RIGHTS_ALL), 1);
        CHECK_IS(child_run(child), 0);
        for (unsigned posts = 0; posts < 3000; posts++) {
            CHECK_IS(pando_channel_ring(ends & 0xffffffff), 0);
            if (posts == 1500)
                pando_channel_send(ends & 0xffffffff, 0, &message);
        }
        end(child);
        pando_handle_close(ends & 0xffffffff);
        pando_handle_close(ends >> 32);
    }
}

/* --- what it does --------------------------------------------------------------------------------- */

static int be_child(int argc, char *argv[])
{
    const char *what = argv[1];
    if (!strcmp(what, "mover"))
        be_mover((uint64_t)number_of(argv[2]));
    if (!strcmp(what, "ringer"))
        be_ringer();
    if (!strcmp(what, "asking"))
        be_asking((unsigned)number_of(argv[2]));
    if (!strcmp(what, "asker"))
        be_asker(argv[2], (uint64_t)number_of(argv[3]));
    return STATUS_CHILD;
}

static int test(const char *what, long number)
{
    if (!strcmp(what, "moves"))
        test_moves(number, 0);
    else if (!strcmp(what, "moves-many"))
        test_moves(number, 1);
    else if (!strcmp(what, "crowd"))
        test_crowd();
    else if (!strcmp(what, "askers"))
        test_askers(number);
    else if (!strcmp(what, "rings"))
        test_rings(number);
    else
        return 0;
    printf("ok\n");
    return 1;
}

int main(int argc, char *argv[])
{
    return test(argv[1], argc > 2 ? number_of(argv[2]) : 0) ? 0 : be_child(argc, argv);
}
