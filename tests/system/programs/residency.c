/* Large pages, resident, pinned and evictable pages; limits: residency TEST. Prints "ok". */
#include "check.h"
#include "pando_calls.h"

enum { PAGE = PAGE_BYTES, PAGES = 512 };
#define LARGE ((long)LARGE_BYTES)
#define AT    0x200000000l
#define RW    (PROT_R | PROT_W)
#define HUGE  (64l << 30) /* more than the machine has */

static unsigned char bits[RESIDENT_MAX_PAGES / 8];

static long resident(long at, long bytes)
{
    return pando_mem_resident((uint64_t)at, (uint64_t)bytes, bits);
}

static int bit(long page)
{
    return bits[page / 8] >> page % 8 & 1;
}

static void map(long at, long bytes, int flags)
{
    CHECK_IS(pando_mem_map((uint64_t)at, (uint64_t)bytes, RW, flags), 0);
}

static void unmap(long at, long bytes)
{
    CHECK_IS(pando_mem_unmap((uint64_t)at, (uint64_t)bytes), 0);
}

static volatile long *word(long at)
{
    return (volatile long *)at;
}

static void touch(long at, long pages)
{
    for (long i = 0; i < pages; i++)
        *word(at + i * PAGE) = i + 1;
}

/* --- large pages ------------------------------------------------------------------------------ */

static void large_is_zero_and_there(void)
{
    map(AT, 2 * LARGE, MEM_LARGE);
    CHECK_IS(resident(AT, 2 * LARGE), 2 * PAGES);
    for (long at = AT; at < AT + 2 * LARGE; at += 64)
        CHECK_IS(*word(at), 0);
    touch(AT, 2 * PAGES);
}

/* A part changes: what is around it stays. */
static void large_is_cut(void)
{
    unmap(AT + 7 * PAGE, PAGE);
    CHECK_IS(resident(AT, 2 * LARGE), 2 * PAGES - 1);
    CHECK(!bit(7) && bit(6) && bit(8));
    CHECK_IS(pando_mem_protect((uint64_t)(AT + LARGE + 5 * PAGE), 3 * PAGE, PROT_R), 0);
    for (long i = 0; i < 2 * PAGES; i++)
        if (i != 7)
            CHECK_IS(*word(AT + i * PAGE), i + 1);
    map(AT + 7 * PAGE, PAGE, 0);
    CHECK_IS(*word(AT + 7 * PAGE), 0);
    *word(AT + LARGE + 4 * PAGE) = 9;
    *word(AT + LARGE + 8 * PAGE) = 9;
}

static void test_large(void)
{
    for (int round = 0; round < 3; round++) {
        large_is_zero_and_there();
        large_is_cut();
        unmap(AT + LARGE - 3 * PAGE, 6 * PAGE);
        unmap(AT, 2 * LARGE);
        CHECK_IS(resident(AT, 2 * LARGE), 0);
    }
    map(AT, LARGE, MEM_LARGE); /* without access it keeps what it holds */
    *word(AT + 100) = 5;
    CHECK_IS(pando_mem_protect(AT, LARGE, 0), 0);
    CHECK_IS(resident(AT, LARGE), PAGES);
    CHECK_IS(pando_mem_protect(AT, LARGE, RW), 0);
    CHECK_IS(*word(AT + 100), 5);
}

/* More than there is: refused whole, and all of it can be had afterwards. */
static void test_too_much(void)
{
    CHECK_IS(pando_mem_map(AT, HUGE, RW, MEM_LARGE), -E_NO_MEMORY);
    CHECK_IS(resident(AT, 128l << 20), 0);
    map(AT, HUGE, 0);
    touch(AT, 3);
    CHECK_IS(pando_mem_map(AT, LARGE, RW, MEM_LARGE), -E_EXISTS);
    unmap(AT, HUGE);
    map(AT, 4 * LARGE, MEM_LARGE);
    CHECK_IS(pando_mem_map(AT + PAGE, LARGE, RW, MEM_LARGE), -E_EXISTS);
    CHECK_IS(pando_mem_map(AT + 8 * LARGE + PAGE, LARGE, RW, MEM_LARGE), -E_ALIGN);
    CHECK_IS(pando_mem_map(AT + 8 * LARGE, PAGE, RW, MEM_LARGE), -E_ALIGN);
}

/* --- residency -------------------------------------------------------------------------------- */

static void test_resident(void)
{
    CHECK_IS(resident(AT, 100 * PAGE), 0);
    map(AT, 100 * PAGE, 0);
    for (long i = 0; i < 100; i += 3)
        *word(AT + i * PAGE) = 1;
    CHECK_IS(resident(AT, 100 * PAGE), 34);
    for (long i = 0; i < 100; i++)
        CHECK_IS(bit(i), i % 3 == 0);
    CHECK_IS(resident(AT + PAGE, 2 * PAGE), 0);
    CHECK_IS(resident(AT, (RESIDENT_MAX_PAGES + 1l) * PAGE), -E_INVALID);
    CHECK_IS(resident(AT + 1, PAGE), -E_ALIGN);
    CHECK_IS(resident(AT, 0), -E_RANGE);
    map(AT + LARGE, 16 * LARGE, MEM_LARGE);
    CHECK_IS(resident(AT, RESIDENT_MAX_PAGES * (long)PAGE), 34 + 16 * PAGES);
}

static void test_pin(void)
{
    CHECK_IS(pando_mem_pin(AT, PAGE), -E_NO_ENTRY);
    map(AT, 200 * PAGE, 0);
    *word(AT + 5 * PAGE) = 77;
    CHECK_IS(pando_mem_pin(AT, 65 * PAGE), -E_INVALID);
    CHECK_IS(pando_mem_pin(AT, 64 * PAGE), 0);
    CHECK_IS(pando_mem_pin(AT, 64 * PAGE), 0);
    CHECK_IS(resident(AT, 200 * PAGE), 64);
    CHECK_IS(*word(AT + 5 * PAGE), 77);
    CHECK_IS(*word(AT + 6 * PAGE), 0);
    CHECK_IS(pando_mem_evict(AT, 200 * PAGE), -E_PERMISSION);
    CHECK_IS(pando_mem_evict(AT + 64 * PAGE, PAGE), 0);
    CHECK_IS(pando_mem_unpin(AT, 32 * PAGE), 0);
    CHECK_IS(pando_mem_evict(AT, 32 * PAGE), 0);
    CHECK_IS(pando_mem_evict(AT + 31 * PAGE, 2 * PAGE), -E_PERMISSION);
    CHECK_IS(pando_mem_evict(AT, 201 * PAGE), -E_NO_ENTRY);
    CHECK_IS(pando_mem_unpin(AT, 201 * PAGE), -E_NO_ENTRY);
    CHECK_IS(pando_mem_protect(AT + 100 * PAGE, PAGE, 0), 0);
    CHECK_IS(pando_mem_pin(AT + 99 * PAGE, 3 * PAGE), -E_PERMISSION);
    unmap(AT, 200 * PAGE);
    CHECK_IS(resident(AT, 200 * PAGE), 0);
}

/* --- limits ----------------------------------------------------------------------------------- */

enum { MORE = 600 }; /* frames that a limited child may have beyond those it is made of */

static long frames_left; /* of a child's, before its limit */

/* A page that was not there; whether the process was told that it is near its limit. */
static int told_by_touch(long at)
{
    struct event event;
    *word(at) = 1;
    while (pando_event_poll(&event))
        if (event.type == EVENT_MEMORY_PRESSURE) {
            CHECK(event.payload[0] > event.payload[1] - event.payload[1] / 8);
            frames_left = (long)(event.payload[1] - event.payload[0]);
            return 1;
        }
    return 0;
}

/* Touches pages in a row until told: how many. */
static long touch_until_told(long at)
{
    for (long i = 0; i < MORE; i++)
        if (told_by_touch(at + i * PAGE))
            return i + 1;
    CHECK(!"a warning before the limit");
    return 0;
}

static void child_fill(void)
{
    map(AT, 2 * MORE * PAGE, 0);
    touch(AT, 2 * MORE);
}

static void child_warned(void)
{
    map(AT, 2 * MORE * PAGE, 0);
    long first = touch_until_told(AT);
    CHECK(frames_left > 20);
    for (long i = 0; i < 10; i++)
        CHECK(!told_by_touch(AT + (first + i) * PAGE)); /* once */
    unmap(AT, (first + 10) * PAGE);
    map(AT, (first + 10) * PAGE, 0);
    long again = touch_until_told(AT); /* it had fallen below */
    CHECK(again >= first - 5 && again <= first + 5);
}

/* What is named first goes first, what is named no more stays, and then the limit is reached. */
static void child_evict(void)
{
    enum { A = 40, B = 50, C = 60 };
    const long a = AT, b = a + LARGE, c = b + LARGE, rest = c + LARGE;
    map(a, A * PAGE, 0);
    map(b, B * PAGE, 0);
    map(c, C * PAGE, 0);
    touch(a, A);
    touch(b, B);
    touch(c, C);
    map(rest, 2 * MORE * PAGE, 0);
    *word(rest) = 1;
    long next = 1 + touch_until_told(rest + PAGE);
    CHECK_IS(pando_mem_evict((uint64_t)b, B * PAGE), 0);
    CHECK_IS(pando_mem_evict((uint64_t)c, C * PAGE), 0);
    CHECK_IS(pando_mem_evict((uint64_t)a, A * PAGE), 0);
    CHECK_IS(pando_mem_protect((uint64_t)c, C * PAGE, RW), 0);
    for (long end = next + frames_left + 5; next < end; next++)
        *word(rest + next * PAGE) = 1;
    CHECK_IS(resident(b, B * PAGE), 0);
    CHECK_IS(resident(a, A * PAGE), A);
    for (long end = next + B; next < end; next++)
        *word(rest + next * PAGE) = 1;
    CHECK_IS(resident(a, A * PAGE), 0);
    CHECK_IS(*word(a), 0);
    for (long i = 0; i < C; i++)
        CHECK_IS(*word(c + i * PAGE), i + 1);
    puts("evicted");
    fflush(stdout);
    for (;; next++)
        *word(rest + next * PAGE) = 1;
}

static void child_refused(void)
{
    CHECK_IS(pando_mem_map(AT, 2 * LARGE, RW, MEM_LARGE), -E_LIMIT);
    CHECK_IS(pando_mem_map(AT, LARGE, RW, MEM_LARGE), 0);
    map(AT + LARGE, 2 * MORE * PAGE, 0);
    long next = touch_until_told(AT + LARGE);
    for (; frames_left > 20; frames_left--)
        *word(AT + LARGE + next++ * PAGE) = 1;
    CHECK_IS(pando_mem_map(AT + 8 * LARGE, 64 * PAGE, RW, MEM_EAGER), -E_LIMIT);
    CHECK_IS(resident(AT + 8 * LARGE, 64 * PAGE), 0);
    map(AT + 8 * LARGE, 4 * PAGE, MEM_EAGER);
    unmap(AT, LARGE);
    map(AT + 16 * LARGE, 64 * PAGE, MEM_EAGER);
}

static void child_quota(void)
{
    map(AT, 64 * PAGE, 0);
    CHECK_IS(pando_mem_pin(AT, 11 * PAGE), -E_QUOTA);
    CHECK_IS(resident(AT, 64 * PAGE), 0);
    CHECK_IS(pando_mem_pin(AT, 6 * PAGE), 0);
    CHECK_IS(pando_mem_pin(AT + 2 * PAGE, 8 * PAGE), 0); /* four of them again */
    CHECK_IS(pando_mem_pin(AT + 20 * PAGE, PAGE), -E_QUOTA);
    CHECK_IS(pando_mem_unpin(AT, PAGE), 0);
    CHECK_IS(pando_mem_pin(AT + 20 * PAGE, PAGE), 0);
    unmap(AT + PAGE, PAGE);
    CHECK_IS(pando_mem_pin(AT + 21 * PAGE, PAGE), 0);
    CHECK_IS(pando_mem_pin(AT + 22 * PAGE, PAGE), -E_QUOTA);
}

/* At the limit no page is to be had, but what is pinned can be written, whether it was read before or not. */
static void pin_copies(unsigned vcores)
{
    enum { COPIES = 40 };
    const long copy = AT + LARGE, rest = copy + LARGE;
    long object = pando_object_create(COPIES * PAGE);
    struct map_request request = {AT, 0, COPIES * PAGE, RW, OBJECT_SHARED};
    CHECK_IS(pando_object_map(object, 0, &request), 0);
    for (long i = 0; i < COPIES; i += 2)
        *word(AT + i * PAGE) = i + 1;
    request.addr = copy;
    request.mode = OBJECT_COPY;
    CHECK_IS(pando_object_map(object, 0, &request), 0);
    if (vcores)
        CHECK_IS(pando_vcores_request(vcores), vcores);
    for (long i = 0; i < COPIES; i += 4)
        CHECK_IS(*word(copy + i * PAGE), i + 1);
    CHECK_IS(pando_mem_protect((uint64_t)(copy + 10 * PAGE), 2 * PAGE, PROT_R), 0);
    CHECK_IS(pando_mem_pin((uint64_t)copy, COPIES * PAGE), 0);
    for (long next = rest; !pando_mem_map((uint64_t)next, PAGE, RW, MEM_EAGER); next += PAGE)
        ;
    for (long i = 0; i < COPIES; i++) {
        CHECK_IS(*word(copy + i * PAGE), i % 2 ? 0 : i + 1);
        if (i != 10 && i != 11)
            *word(copy + i * PAGE) = 1000 + i;
    }
    for (long i = 0; i < COPIES; i += 2)
        CHECK_IS(*word(AT + i * PAGE), i + 1);
}

static void child_pin_copy(void)
{
    pin_copies(0);
}

static void child_pin_copy_cores(void)
{
    pin_copies(2);
}

/* More copies than the limit leaves: refused, and nothing is lost. */
static void child_pin_refused(void)
{
    long object = pando_object_create(64 * PAGE);
    struct map_request request = {AT, 0, 64 * PAGE, RW, OBJECT_COPY};
    CHECK_IS(pando_object_map(object, 0, &request), 0);
    CHECK_IS(pando_vcores_request(2), 2);
    for (long i = 0; i < 64; i++)
        CHECK_IS(*word(AT + i * PAGE), 0);
    long next = AT + LARGE;
    for (; !pando_mem_map((uint64_t)next, PAGE, RW, MEM_EAGER); next += PAGE)
        ;
    CHECK_IS(pando_mem_unmap((uint64_t)(next - 20 * PAGE), 20 * PAGE), 0);
    CHECK_IS(pando_mem_pin(AT, 64 * PAGE), -E_LIMIT);
    CHECK_IS(pando_mem_unmap((uint64_t)(next - 80 * PAGE), 60 * PAGE), 0);
    CHECK_IS(pando_mem_pin(AT, 64 * PAGE), 0);
    touch(AT, 64);
}

static void *touch_rounds(void *number)
{
    long at = AT + (long)number * LARGE;
    for (long round = 0; round < 4; round++)
        for (long i = 0; i < MORE / 2; i++)
            *word(at + i * PAGE) += 1;
    return NULL;
}

/* All that vcores touch at once is evictable, and more than the limit. */
static void child_rivals(void)
{
    enum { RIVALS = 3 };
    struct uthread *rival[RIVALS];
    map(AT, RIVALS * LARGE, 0);
    CHECK_IS(pando_mem_evict(AT, RIVALS * LARGE), 0);
    CHECK(pando_vcores_request(RIVALS) > 0);
    for (long i = 0; i < RIVALS; i++)
        CHECK_IS(uthread_create(&rival[i], touch_rounds, (void *)i), 0);
    for (long i = 0; i < RIVALS; i++)
        CHECK_IS(uthread_join(rival[i], NULL), 0);
}

/* --- frames that outlive who made them --------------------------------------------------------- */

enum { LEFT = 150 }; /* pages of an object that its maker leaves behind */

static void send_handle(long handle, uint64_t word)
{
    struct channel_message message = {
        .word = {word}, .handle = {(uint32_t)handle}, .rights = RIGHTS_ALL};
    CHECK_IS(pando_channel_send(1, 0, &message), 0);
}

enum { THE_OBJECT, THE_MAKER };

/* Makes the object, sends it to the grandparent's channel end, and ends. */
static void child_maker(void)
{
    long object = pando_object_create(LEFT * PAGE);
    struct map_request request = {AT, 0, LEFT * PAGE, RW, OBJECT_SHARED};
    CHECK_IS(pando_object_map(object, 0, &request), 0);
    touch(AT, LEFT);
    send_handle(object, THE_OBJECT);
}

static long create(const char *what, long flags)
{
    char strings[40];
    int bytes = snprintf(strings, sizeof strings, "residency%c%s", 0, what) + 1;
    long child = pando_proc_create_of((uint64_t)bytes, 0, flags, 0, strings);
    return child;
}

static long begin(const char *what, long flags, long end)
{
    long child = create(what, flags);
    CHECK(child > 0);
    CHECK_IS(pando_proc_give(child, end, RIGHTS_ALL), 1);
    CHECK_IS(child_run(child), 0);
    return child;
}

static void child_middle(void)
{
    CHECK_IS(child_wait(begin("child-maker", 0, 1)), 0);
}

/* Ends before the maker does. */
static void child_leaver(void)
{
    send_handle(begin("child-maker", PROC_DETACHED, 1), THE_MAKER);
}

/* Takes what was sent, in any order; a maker's end is awaited. The object. */
static long receive_object(long end, int detached)
{
    long handle[] = {0, 0};
    for (int i = 0; i <= detached; i++) {
        struct channel_message message;
        CHECK_IS(pando_channel_receive(end, 0, 0, CHANNEL_WAIT, &message), 0);
        handle[message.word[0] == THE_MAKER] = message.handle[0];
    }
    if (detached)
        CHECK_IS(child_wait(handle[THE_MAKER]), 0);
    CHECK(handle[THE_OBJECT] > 0);
    return handle[THE_OBJECT];
}

/* Its grandchildren make objects and end, and it keeps them until it is above its limit. */
static void keep_objects(const char *middle, int detached)
{
    long ends = pando_channel_create(4), end = ends & 0xffffffff, object[MORE / LEFT + 2], kept = 0;
    long child;
    while ((child = create(middle, 0)) > 0) {
        CHECK(kept * LEFT <= MORE);
        CHECK_IS(pando_proc_give(child, ends >> 32, RIGHTS_ALL), 1);
        CHECK_IS(child_run(child), 0);
        CHECK_IS(child_wait(child), 0);
        object[kept++] = receive_object(end, detached);
    }
    CHECK_IS(child, -E_LIMIT);
    CHECK(kept * LEFT > MORE / 2);
    CHECK_IS(pando_mem_map(AT, PAGE, RW, MEM_EAGER), -E_LIMIT);
    CHECK_IS(pando_mem_map(AT, LARGE, RW, MEM_LARGE), -E_LIMIT);
    CHECK_IS(pando_handle_close(object[--kept]), 0);
    while (pando_mem_map(AT, PAGE, RW, MEM_EAGER)) /* it is given back in turns */
        ;
    CHECK(create(middle, 0) > 0);
}

static void child_keeper(void)
{
    keep_objects("child-middle", 0);
}

static void child_detached_keeper(void)
{
    keep_objects("child-leaver", 1);
}

/* --- the machine's shortage ------------------------------------------------------------------- */

enum {
    GIVEN = 3000,
    TAKEN = 1200,
    CACHED = 256 + 64
}; /* pages; what a kernel has beside what is free */

static void say(long end)
{
    CHECK_IS(pando_channel_send(end, 0, &(struct channel_message){.word = {1}}), 0);
}

static void hear(long end)
{
    struct channel_message message;
    CHECK_IS(pando_channel_receive(end, 0, 0, CHANNEL_WAIT, &message), 0);
}

/* Whether the process was told that the machine is short of frames; how many were free. */
static int told_short(long *left)
{
    struct event event;
    while (pando_event_poll(&event))
        if (event.type == EVENT_MEMORY_PRESSURE && event.source == PRESSURE_MACHINE) {
            CHECK(event.payload[0] < event.payload[1] / 16);
            *left = (long)event.payload[0];
            return 1;
        }
    return 0;
}

/* Names pages as evictable, which others then take; those beside them stay. */
static void give(long at)
{
    long left, kept = at + 16 * LARGE;
    map(at, GIVEN * PAGE, 0);
    map(kept, 100 * PAGE, 0);
    touch(at, GIVEN);
    CHECK_IS(pando_mem_evict((uint64_t)at, GIVEN * PAGE), 0);
    touch(kept, 100);
    say(1);
    hear(1);
    CHECK(told_short(&left));
    long some = resident(at, GIVEN * PAGE);
    CHECK(some > 0 && some <= GIVEN - TAKEN / 2);
    say(1);
    hear(1);
    CHECK_IS(resident(at, GIVEN * PAGE), 0);
    for (long i = 0; i < 100; i++)
        CHECK_IS(*word(kept + i * PAGE), i + 1);
    CHECK_IS(*word(at), 0);
}

static void child_giver(void)
{
    give(AT);
}

/* The same in the slot of a vcore on another core, whose tables its driver writes. */
static void child_slot_giver(void)
{
    CHECK_IS(pando_vcores_request(1), 1);
    give((long)OWN_SLOT_BASE(0));
}

/* Has more than is free, by faults and by calls; then all that there is, which ends it. */
static void child_taker(void)
{
    long left = 0, next = AT, pages;
    map(AT, HUGE, 0);
    for (pages = 0; !told_short(&left); pages++)
        *word(next + pages * PAGE) = 1;
    for (long end = pages + left + CACHED; pages < end; pages++)
        *word(next + pages * PAGE) = 1;
    for (long i = 0; i < TAKEN / 2; i++)
        *word(next + pages++ * PAGE) = 1;
    for (long i = 0; i < TAKEN / 2; i += 60)
        map(AT + HUGE + i * PAGE, 60 * PAGE, MEM_EAGER);
    say(1);
    hear(1);
    for (;; pages++)
        *word(next + pages * PAGE) = 1;
}

static void machine_short(const char *who_gives)
{
    long given = pando_channel_create(4), taken = pando_channel_create(4);
    long to_giver = given & 0xffffffff, to_taker = taken & 0xffffffff;
    long giver = begin(who_gives, 0, given >> 32);
    CHECK_IS(pando_handle_close(given >> 32), 0); /* so that an end is heard of */
    hear(to_giver);
    long taker = begin("child-taker", 0, taken >> 32);
    CHECK_IS(pando_handle_close(taken >> 32), 0);
    hear(to_taker);
    say(to_giver);
    hear(to_giver);
    say(to_taker);
    long ending = child_ending(taker);
    CHECK_IS(pando_end_status(ending), STATUS_FAULT);
    CHECK_IS(pando_end_reason(ending), END_MEMORY);
    say(to_giver);
    CHECK_IS(child_wait(giver), 0);
}

static long limited(const char *what, long frames, long pinned)
{
    struct proc_info info;
    int child = child_try("residency", what, NULL);
    CHECK(child > 0);
    CHECK_IS(pando_proc_info(child, &info), 0);
    CHECK_IS(pando_proc_limit(child, info.frames + (uint64_t)frames, (uint64_t)pinned), 0);
    CHECK_IS(child_run(child), 0);
    long ending = child_ending(child);
    CHECK(ending >= 0);
    return ending;
}

static void ends_by_limit(const char *what)
{
    long ending = limited(what, MORE, MORE);
    CHECK_IS(pando_end_status(ending), STATUS_FAULT);
    CHECK_IS(pando_end_reason(ending), END_LIMIT);
}

static void ends_well(const char *what, long frames, long pinned)
{
    CHECK_IS(limited(what, frames, pinned), 0);
}

static void test_limit(void)
{
    ends_by_limit("child-fill");
}

static void test_warned(void)
{
    ends_well("child-warned", MORE, MORE);
}

static void test_evict(void)
{
    ends_by_limit("child-evict");
}

static void test_refused(void)
{
    ends_well("child-refused", 2 * PAGES, MORE);
}

static void test_quota(void)
{
    ends_well("child-quota", MORE, 10);
}

static void test_rivals(void)
{
    ends_well("child-rivals", MORE, MORE);
}

static void test_left(void)
{
    ends_well("child-keeper", MORE, MORE);
}

static void test_left_detached(void)
{
    ends_well("child-detached-keeper", MORE, MORE);
}

static void test_pin_copy(void)
{
    ends_well("child-pin-copy", MORE, MORE);
}

static void test_pin_copy_cores(void)
{
    ends_well("child-pin-copy-cores", MORE, MORE);
    ends_well("child-pin-refused", MORE, MORE);
}

static void test_short(void)
{
    machine_short("child-giver");
}

static void test_short_slot(void)
{
    machine_short("child-slot-giver");
}

int main(int argc, char *argv[])
{
    static const struct {
        const char *name;
        void (*run)(void);
    } tests[] = {
        {"large", test_large},
        {"too-much", test_too_much},
        {"resident", test_resident},
        {"pin", test_pin},
        {"limit", test_limit},
        {"warned", test_warned},
        {"evict", test_evict},
        {"refused", test_refused},
        {"quota", test_quota},
        {"rivals", test_rivals},
        {"child-fill", child_fill},
        {"child-warned", child_warned},
        {"child-evict", child_evict},
        {"child-refused", child_refused},
        {"child-quota", child_quota},
        {"child-rivals", child_rivals},
        {"short", test_short},
        {"short-slot", test_short_slot},
        {"child-giver", child_giver},
        {"child-slot-giver", child_slot_giver},
        {"child-taker", child_taker},
        {"pin-copy", test_pin_copy},
        {"pin-copy-cores", test_pin_copy_cores},
        {"child-pin-copy", child_pin_copy},
        {"child-pin-copy-cores", child_pin_copy_cores},
        {"child-pin-refused", child_pin_refused},
        {"left", test_left},
        {"left-detached", test_left_detached},
        {"child-keeper", child_keeper},
        {"child-detached-keeper", child_detached_keeper},
        {"child-middle", child_middle},
        {"child-leaver", child_leaver},
        {"child-maker", child_maker},
    };
    CHECK(argc > 1);
    for (unsigned i = 0; i < sizeof tests / sizeof tests[0]; i++)
        if (!strcmp(argv[1], tests[i].name)) {
            tests[i].run();
            if (strncmp(argv[1], "child-", 6))
                puts("ok");
            return 0;
        }
    CHECK(!"a test of that name");
}
