/* events TEST: events as a process finds them; "ok" at the end. order, overflow, bad, sizes: in _S.
 * granted, driver, wait, absent, resizing, moved, undisturbed: in _M.
 * bells, flooded: with another process. refused: what event_rings and vcore_notify refuse. */
#include "tests/system/programs/check.h"

enum { MANY = 1000, ROUNDS = 300, DELAYS = 3000, GRANTS = 24, MOVED_FROM = 1 };

static struct mailbox *mailbox_of(unsigned vcoreid)
{
    return &vcore_data_of(vcoreid)->mailbox;
}

static void post(unsigned vcoreid, unsigned type, uint64_t value)
{
    CHECK_IS(pando_vcore_notify(vcoreid, type, (long)value), 0);
}

static void post_many(unsigned vcoreid, unsigned count, uint64_t first)
{
    for (unsigned i = 0; i < count; i++)
        post(vcoreid, EVENT_NOTIFY, first + i);
}

static struct event expect(unsigned type)
{
    struct event event;
    CHECK_IS(pando_event_poll(&event), 1);
    CHECK_IS(event.type, type);
    CHECK_IS(event.flags, 0);
    return event;
}

static void expect_values(unsigned count, uint64_t first)
{
    for (unsigned i = 0; i < count; i++)
        CHECK_IS(expect(EVENT_NOTIFY).payload[0], first + i);
}

static void expect_bit(unsigned type)
{
    struct event event;
    CHECK_IS(pando_event_poll(&event), 1);
    CHECK_IS(event.type, type);
    CHECK_IS(event.flags, EVENT_OF_BITMAP);
}

static void expect_nothing(void)
{
    struct event event;
    CHECK_IS(pando_event_poll(&event), 0);
}

/* --- in _S ------------------------------------------------------------------------------------ */

static void test_order(void)
{
    uint64_t last = clock_ticks();
    expect_nothing();
    post_many(0, EVENTS_MIN, 100);
    for (unsigned i = 0; i < EVENTS_MIN; i++) {
        struct event event = expect(EVENT_NOTIFY);
        CHECK_IS(event.payload[0], 100 + i);
        CHECK_IS(event.source, 0);
        CHECK(event.time >= last && event.time <= clock_ticks());
        last = event.time;
    }
    expect_nothing();
    post(0, EVENT_TYPES - 1, 5);
    expect(EVENT_TYPES - 1);
    CHECK_IS(mailbox_of(0)->home.lost, 0);
}

/* In the ring or in the bitmap, never both, never lost. */
static void test_overflow(void)
{
    for (unsigned round = 1; round <= 3; round++) {
        post_many(0, EVENTS_MIN, 0);
        for (unsigned i = EVENTS_MIN; i < MANY; i++)
            post(0, EVENT_STANDARD + i % 100, i);
        CHECK_IS(mailbox_of(0)->home.lost, round * (MANY - EVENTS_MIN));
        expect_values(EVENTS_MIN, 0);
        expect_bit(EVENT_OVERFLOW);
        for (unsigned i = 0; i < 100; i++)
            expect_bit(EVENT_STANDARD + i);
        expect_nothing();
    }
}

/* Whatever a process writes into its mailbox, it alone has the harm. */
static void test_bad(void)
{
    struct mailbox *mailbox = mailbox_of(0);
    struct event_ring good = mailbox->home;
    uint64_t state = 88172645463325252;
    uint32_t posted = 0;
    for (unsigned i = 0; i < MANY; i++, posted++) {
        mailbox->home.taken = (uint32_t)random_next(&state);
        mailbox->driver.taken = (uint32_t)random_next(&state);
        mailbox->home.written = (uint32_t)random_next(&state);
        mailbox->home.events = (uint32_t)random_next(&state);
        mailbox->home.address = random_next(&state);
        post(0, EVENT_NOTIFY, i);
    }
    mailbox->home.address = good.address;
    mailbox->home.events = good.events;
    mailbox->home.taken = posted - mailbox->home.lost; /* what the kernel wrote */
    mailbox->driver.taken = mailbox->driver.written;
    memset(mailbox->bits, 0, sizeof mailbox->bits);
    post_many(0, EVENTS_MIN, 7);
    expect_values(EVENTS_MIN, 7);
    expect_nothing();
}

static void test_sizes(void)
{
    unsigned lost = 0;
    for (unsigned events = EVENTS_MIN; events <= EVENTS_MAX; events *= 2) {
        CHECK_IS(pando_event_resize(0, events), 0);
        CHECK_IS(mailbox_of(0)->home.events, events);
        CHECK_IS(mailbox_of(0)->driver.events, events);
        post_many(0, events + 5, events);
        CHECK_IS(mailbox_of(0)->home.lost, lost += 5);
        expect_values(events, events);
        expect_bit(EVENT_NOTIFY);
        expect_bit(EVENT_OVERFLOW);
        expect_nothing();
    }
    post_many(0, EVENTS_MAX, 0);
    CHECK_IS(pando_event_resize(0, 64), 0); /* the oldest 64 go along */
    CHECK_IS(mailbox_of(0)->home.lost, lost + EVENTS_MAX - 64);
    expect_values(10, 0);
    CHECK_IS(pando_event_resize(0, EVENTS_MIN), 0);
    expect_values(EVENTS_MIN, 10);
    expect_bit(EVENT_NOTIFY);
    expect_bit(EVENT_OVERFLOW);
    post_many(0, 3, 1);
    CHECK_IS(pando_event_resize(0, EVENTS_MAX), 0);
    expect_values(3, 1);
    expect_nothing();
}

static void test_refused(void)
{
    static const long bad[] = {0, 1, 8, 15, 24, 257, 512, -1, 1l << 32 | 16};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_IS(pando_event_rings(0, bad[i]), -E_INVALID);
    CHECK_IS(pando_event_rings(1, 16), -E_NO_ENTRY);
    CHECK_IS(pando_event_rings(VCORES_MAX, 16), -E_NO_ENTRY);
    CHECK_IS(pando_event_rings(-1, 16), -E_NO_ENTRY);
    CHECK_IS(pando_event_rings(0, EVENTS_MIN), 0);
    for (unsigned type = 1; type < EVENT_STANDARD; type++)
        if (type != EVENT_NOTIFY)
            CHECK_IS(pando_vcore_notify(0, type, 0), -E_INVALID);
    CHECK_IS(pando_vcore_notify(0, EVENT_TYPES, 0), -E_INVALID);
    CHECK_IS(pando_vcore_notify(0, -1, 0), -E_INVALID);
    expect_nothing();
}

/* --- in _M ------------------------------------------------------------------------------------ */

static void *spin(void *arg)
{
    for (volatile unsigned long turns = 0;; turns++)
        ;
    return arg;
}

static unsigned all_cores(void)
{
    unsigned vcores = pando_procinfo()->max_vcores;
    CHECK_IS(pando_vcores_request(vcores), vcores);
    return vcores;
}

/* Each vcore is told of its core. */
static void test_granted(void)
{
    uint64_t told[4] = {0};
    unsigned vcores = all_cores();
    for (unsigned i = 0; i < vcores; i++) {
        struct event event = expect(EVENT_CORE_GRANTED);
        CHECK(event.source < vcores);
        CHECK_IS(event.payload[0], pando_procinfo()->vcoremap[event.source].core);
        CHECK(!(told[event.source / 64] >> event.source % 64 & 1));
        told[event.source / 64] |= 1ull << event.source % 64;
    }
    expect_nothing();
}

static void *give_back(void *arg)
{
    CHECK_IS(pando_vcore_id(), 0);
    CHECK_IS(pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0), 0);
    return arg;
}

/* Of two vcores, gives back vcore 0: the caller's, or else that on which a new uthread runs. */
static void yield_first(void)
{
    struct uthread *uthread = NULL;
    if (pando_vcore_id() == 0)
        give_back(NULL);
    else
        CHECK_IS(uthread_create(&uthread, give_back, NULL), 0);
    while (pando_procinfo()->vcoremap[0].state != VCORE_NONE)
        ;
    if (uthread)
        CHECK_IS(uthread_join(uthread, NULL), 0);
}

/* The driver's ring is written by one driver after the other, and by the home in between. */
static void test_driver(void)
{
    struct event event;
    unsigned taken = 0;
    CHECK_IS(pando_vcores_request(2), 2);
    for (unsigned grant = 1; grant < GRANTS; grant++) {
        if (grant == 4)
            CHECK_IS(pando_event_rings(0, 32), 0);
        yield_first();
        if (grant == 8)
            CHECK_IS(pando_event_rings(0, EVENTS_MIN), 0); /* nobody drives it */
        CHECK_IS(pando_vcores_request(2), 2);
    }
    CHECK_IS(mailbox_of(0)->driver.written, EVENTS_MIN);
    CHECK_IS(mailbox_of(0)->driver.lost, GRANTS - EVENTS_MIN);
    for (uint64_t last[2] = {0}; pando_event_poll(&event); taken++) {
        if (event.flags & EVENT_OF_BITMAP)
            break;
        CHECK_IS(event.type, EVENT_CORE_GRANTED);
        CHECK(event.source < 2 && event.time > last[event.source]);
        last[event.source] = event.time;
    }
    CHECK_IS(taken, EVENTS_MIN + 1); /* and vcore 1's */
    CHECK_IS(event.type, EVENT_CORE_GRANTED);
    expect_bit(EVENT_OVERFLOW);
    expect_nothing();
}

static void *wait_for(void *arg)
{
    pando_event_wait(arg);
    return arg;
}

/* What is posted to a vcore without a core is there, and others are told. */
static void test_absent(void)
{
    static struct event event;
    struct uthread *uthread;
    CHECK_IS(pando_vcores_request(2), 2);
    for (unsigned i = 0; i < 2; i++)
        expect(EVENT_CORE_GRANTED);
    yield_first();
    post_many(0, 3, 10);
    expect_values(3, 10);
    CHECK_IS(uthread_create(&uthread, wait_for, &event), 0);
    uthread_yield();
    post(0, EVENT_NOTIFY, 77);
    CHECK_IS(uthread_join(uthread, NULL), 0);
    CHECK_IS(event.payload[0], 77);
    CHECK_IS(pando_event_rings(0, 64), 0);
    post_many(0, 64, 5);
    CHECK_IS(pando_vcores_request(2), 2);
    expect_values(64, 5);
    CHECK_IS(expect(EVENT_CORE_GRANTED).source, 0);
    expect_nothing();
}

static volatile unsigned awaited;

/* Posts when the other uthread waits, or is about to, to its own vcore, which is never idle, and to
 * the others in turn. */
static void *post_on(void *arg)
{
    unsigned vcores = pando_procinfo()->amt_granted;
    for (unsigned round = 0; round < ROUNDS; round++) {
        while (awaited <= round)
            uthread_yield();
        compute(round * 7919 % DELAYS);
        CHECK_IS(raw_call(PANDO_vcore_notify, round % vcores, EVENT_NOTIFY, round), 0);
    }
    return arg;
}

/* A wake-up that is lost is waited for without end. */
static void test_wait(void)
{
    struct uthread *uthread;
    struct event event;
    unsigned vcores = all_cores();
    for (unsigned i = 0; i < vcores; i++)
        expect(EVENT_CORE_GRANTED);
    CHECK_IS(uthread_create(&uthread, post_on, NULL), 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        awaited = round + 1;
        pando_event_wait(&event);
        CHECK_IS(event.type, EVENT_NOTIFY);
        CHECK_IS(event.payload[0], round);
    }
    CHECK_IS(uthread_join(uthread, NULL), 0);
    expect_nothing();
}

static void *post_values(void *arg)
{
    for (unsigned i = 1; i <= MANY; i++)
        CHECK_IS(raw_call(PANDO_vcore_notify, 0, EVENT_NOTIFY, i), 0);
    return arg;
}

/* The rings change while another vcore posts: nothing is lost but to the bitmap, and in order. */
static void test_resizing(void)
{
    struct uthread *uthread;
    struct event event;
    uint64_t state = 42, last = 0;
    uint32_t taken = 0;
    CHECK_IS(pando_vcores_request(2), 2);
    for (unsigned i = 0; i < 2; i++)
        expect(EVENT_CORE_GRANTED);
    CHECK_IS(uthread_create(&uthread, post_values, NULL), 0);
    while (taken + mailbox_of(0)->home.lost < MANY) {
        if (random_next(&state) % 4 == 0)
            CHECK_IS(pando_event_resize(0, EVENTS_MIN << random_next(&state) % 5), 0);
        for (unsigned i = random_next(&state) % 32; i && pando_event_poll(&event); i--) {
            if (event.flags & EVENT_OF_BITMAP)
                continue;
            CHECK_IS(event.type, EVENT_NOTIFY);
            CHECK(event.payload[0] > last);
            last = event.payload[0];
            taken++;
        }
    }
    CHECK_IS(uthread_join(uthread, NULL), 0);
    CHECK(taken > EVENTS_MIN);
}

/* Between processor and kernel an interrupt leaves one trace: the way back to user mode clears a
 * segment register that holds a null selector, whatever its low bits were. */
static inline unsigned selector(void)
{
    unsigned value;
    __asm__ volatile("movl %%es, %0" : "=r"(value));
    return value;
}

static volatile unsigned told, quiet, disturbed, stop;

static void *compute_undisturbed(void *arg)
{
    __asm__ volatile("movl %0, %%es" : : "r"(3));
    quiet = 1;
    while (told < MANY)
        ;
    disturbed = selector() != 3;
    quiet = 2;
    while (!stop)
        ;
    stop = selector() == 3 ? 2 : 3;
    return arg;
}

/* Events do not disturb a vcore that computes; a page that is taken away does. */
static void test_undisturbed(void)
{
    struct uthread *uthread;
    static uint8_t *const page = (uint8_t *)0x200000000000;
    CHECK_IS(pando_vcores_request(2), 2);
    CHECK_IS(pando_mem_map((long)page, PAGE_BYTES, PROT_R | PROT_W, MEM_EAGER), 0);
    CHECK_IS(uthread_create(&uthread, compute_undisturbed, NULL), 0);
    unsigned other = !pando_vcore_id();
    while (!quiet)
        ;
    for (; told < MANY; told++)
        CHECK_IS(raw_call(PANDO_vcore_notify, other, EVENT_NOTIFY, told), 0);
    while (quiet < 2)
        ;
    CHECK_IS(disturbed, 0);
    CHECK_IS(raw_call(PANDO_mem_unmap, (long)page, PAGE_BYTES, 0), 0);
    stop = 1;
    CHECK_IS(uthread_join(uthread, NULL), 0);
    CHECK_IS(stop, 3);
    CHECK_IS(mailbox_of(other)->home.written + mailbox_of(other)->home.lost, MANY);
}

/* --- other processes -------------------------------------------------------------------------- */

static int bell_make(unsigned *end)
{
    long pair = pando_channel_create(1);
    CHECK(pair > 0);
    *end = (unsigned)pair;
    CHECK(pando_channel_watch(*end, 0) >= 0); /* whatever it watches, the bell is heard */
    return (int)(pair >> 32);
}

static int start_with(const char *test, unsigned end)
{
    int child = child_try("events", test, NULL);
    CHECK(child > 0);
    CHECK_IS(pando_proc_give(child, end, RIGHTS_ALL), 1);
    CHECK_IS(child_run(child), 0);
    return child;
}

static void await_bell(unsigned end)
{
    struct event event;
    pando_event_wait(&event);
    CHECK_IS(event.type, EVENT_CHANNEL_READABLE);
    CHECK_IS(event.source, end);
}

static void test_echo(void)
{
    CHECK(pando_channel_watch(1, 0) >= 0);
    for (unsigned round = 0; round < ROUNDS; round++) {
        await_bell(1);
        compute(round * 3571 % DELAYS);
        CHECK_IS(pando_channel_ring(1), 0);
    }
    exit(0);
}

/* Two processes that wait for one another's bell, with nothing else to do. */
static void test_bells(void)
{
    unsigned mine;
    int child = start_with("echo", bell_make(&mine));
    for (unsigned round = 0; round < ROUNDS; round++) {
        compute(round * 7919 % DELAYS);
        CHECK_IS(pando_channel_ring(mine), 0);
        await_bell(mine);
    }
    CHECK_IS(child_wait(child), 0);
}

/* On a core of its own it halts there. */
static void test_bells_many(void)
{
    CHECK_IS(pando_vcores_request(1), 1);
    expect(EVENT_CORE_GRANTED);
    test_bells();
}

static void test_ring_on(void)
{
    for (unsigned i = 0; i < MANY; i++)
        CHECK_IS(pando_channel_ring(1), 0);
    exit(0);
}

/* Another process posts without end: what it posts is in this one's ring, or counted. */
static void test_flooded(void)
{
    unsigned mine;
    int child = start_with("ring", bell_make(&mine));
    CHECK_IS(child_wait(child), 0);
    CHECK_IS(mailbox_of(0)->home.lost, MANY - EVENTS_MIN);
    for (unsigned i = 0; i < EVENTS_MIN; i++)
        CHECK_IS(expect(EVENT_CHANNEL_READABLE).source, mine);
    expect_bit(EVENT_CHANNEL_READABLE);
    expect_bit(EVENT_OVERFLOW);
    expect_nothing();
}

/* --- another core ----------------------------------------------------------------------------- */

/* Of two vcores, keeps the one that runs on core MOVED_FROM and gives back the other. */
static void *keep(void *arg)
{
    if (pando_kernel_call(PANDO_vcore_id, 0, 0, 0, 0) >> 16 != MOVED_FROM)
        pando_kernel_call(PANDO_vcore_yield, 0, 0, 0, 0);
    return spin(arg);
}

static void test_hold(void)
{
    struct uthread *uthread;
    pando_vcores_request(2);
    while (pando_procinfo()->amt_granted < 2)
        ;
    CHECK_IS(uthread_create(&uthread, keep, NULL), 0);
    keep(NULL);
}

/* Another process takes vcore 0's core when that is given back: it comes back on another. */
static void test_moved(void)
{
    struct event event;
    unsigned grants = 1, taken = 0, core;
    CHECK_IS(pando_vcores_request(2), 2);
    CHECK_IS(pando_procinfo()->vcoremap[0].core, MOVED_FROM);
    CHECK_IS(pando_event_resize(0, EVENTS_MAX), 0);
    int child = child_start("events", "hold", NULL);
    for (; (core = pando_procinfo()->vcoremap[0].core) == MOVED_FROM; grants++) {
        compute(100000); /* the child gets on */
        yield_first();
        while (pando_procinfo()->amt_granted < 2)
            pando_vcores_request(2);
    }
    CHECK_IS(mailbox_of(0)->driver.written + mailbox_of(0)->driver.lost, grants);
    while (pando_event_poll(&event) && !(event.flags & EVENT_OF_BITMAP))
        if (event.source == 0)
            CHECK_IS(event.payload[0], ++taken < grants ? MOVED_FROM : core);
    CHECK_IS(taken + mailbox_of(0)->driver.lost, grants);
    CHECK_IS(child_kill(child), 0);
    child_wait(child);
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*test)(void);
    } tests[] = {
        {"order", test_order},
        {"overflow", test_overflow},
        {"bad", test_bad},
        {"sizes", test_sizes},
        {"refused", test_refused},
        {"granted", test_granted},
        {"driver", test_driver},
        {"wait", test_wait},
        {"absent", test_absent},
        {"resizing", test_resizing},
        {"moved", test_moved},
        {"hold", test_hold},
        {"undisturbed", test_undisturbed},
        {"bells", test_bells},
        {"bells-many", test_bells_many},
        {"echo", test_echo},
        {"flooded", test_flooded},
        {"ring", test_ring_on},
    };
    for (unsigned i = 0; i < sizeof tests / sizeof *tests; i++)
        if (!strcmp(argv[1], tests[i].name)) {
            tests[i].test();
            printf("ok\n");
            return 0;
        }
    return 2;
}
