// sources: kernel/account.c kernel/charge.c kernel/memory.c kernel/memory_call.c kernel/memory_change.c kernel/memory_copy.c kernel/memory_move.c kernel/memory_fill.c kernel/memory_resident.c kernel/memory_room.c kernel/memory_share.c kernel/home_slots.c kernel/object.c kernel/reclaim.c kernel/region.c lib/string.c
/* Pages of three processes that are moved, shared and copied at random, held against a model of what each
 * process reads and writes; flushes are answered at once or later. In the end every frame is back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "tests/unit/host_frames.h"
#include "kernel/actor.h"
#include "kernel/archive.h"
#include "kernel/charge.h"
#include "kernel/memory_move.h"
#include "kernel/object.h"
#include "kernel/pool.h"
#include "kernel/event.h"
#include "kernel/process.h"
#include "kernel/process_end.h"
#include "kernel/reclaim.h"

enum { PROCESSES = 3, PAGES = 3 * 512, THINGS = 8000, STEPS = 30000 };
#define BASE 0x7fffe00000ull /* the end of a slot lies 2 MiB on */
#define RW   (PROT_R | PROT_W)

unsigned this_core;
static unsigned pooled;

void *pool_get(struct pool *pool)
{
    pooled++;
    return calloc(1, pool->bytes);
}
void pool_put(struct pool *pool, void *object)
{
    pooled--;
    free(object);
}

/* --- what the memory of a process stands on -------------------------------------------------- */

static struct process process[PROCESSES];
static struct vcore_record records[PROCESSES];
static struct multicast *flush; /* under way */
static int flush_later, continued[PROCESSES], answered, fault_done;
static const struct actor_class *reclaim_class;
static struct actor reclaimer = {.tag = 1};
static int reclaim_continued;

void actor_class_register(struct actor_class *class)
{
    reclaim_class = class;
}
int actor_create(const struct actor_class *class, void *state, struct actor **made)
{
    *made = &reclaimer;
    return 0;
}
uint64_t actor_address(const struct actor *actor)
{
    return 1;
}
int actor_send(uint64_t to, struct message *m)
{
    reclaim_continued = 1;
    return 0;
}
int multicast(struct multicast *m)
{
    if (!flush_later)
        return 1;
    assert_null(flush);
    flush = m;
    return 0;
}
struct vcore_record *process_record(struct process *p, unsigned vcoreid)
{
    return &records[p - process];
}
void event_post(struct process *p, enum event_type type, uint32_t source, const uint64_t *payload)
{
}

void process_continue_later(struct process *p)
{
    continued[p - process] = 1;
}
struct process *process_after(const struct process *p)
{
    return NULL;
}
void process_continue_end(struct process *p)
{
}
void home_answer(struct process *p, unsigned vcoreid, long result)
{
    assert_int_equal(result, 0);
    answered++;
}
void home_fault_done(struct process *p, unsigned vcoreid)
{
    fault_done++;
}
void home_fault_again(struct process *p, unsigned vcoreid, const struct user_fault *fault)
{
}
void home_call_again(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
}
void home_command(unsigned core, struct message *m)
{
    fail(); /* nothing is lent here */
}
void home_tell_root(struct process *p, const struct root *root)
{
}
frame_t archive_frame(uint64_t offset)
{
    return FRAME_NONE;
}

/* All that is under way happens. */
static void settle(void)
{
    int more = 1;
    while (more) {
        more = 0;
        if (flush) {
            struct multicast *m = flush;
            flush = NULL;
            m->done(m);
            more = 1;
        }
        for (unsigned i = 0; i < PROCESSES; i++)
            if (continued[i]) {
                continued[i] = 0;
                memory_continue(&process[i]);
                more = 1;
            }
        if (reclaim_continued) {
            reclaim_continued = 0;
            reclaim_class->handler[MESSAGE_CONTINUE](&reclaimer, NULL, 0);
            more = 1;
        }
    }
}

/* --- the model ------------------------------------------------------------------------------- */

struct thing { /* an object */
    uint32_t value[PAGES];
};

static struct page {
    uint8_t state; /* 0: nothing; else 1 + enum region_kind */
    uint8_t prot, most;
    uint8_t copied;
    uint32_t value; /* of its own */
    struct thing *thing;
    unsigned index;
} model[PROCESSES][PAGES];
static struct thing *things[THINGS];
static unsigned thing_count;
enum { ANONYMOUS = 1 + REGION_ANONYMOUS, SHARED_ = 1 + REGION_OBJECT, COPY = 1 + REGION_COPY };

static struct thing *thing_new(void)
{
    assert_true(thing_count < THINGS);
    return things[thing_count++] = calloc(1, sizeof(struct thing));
}

static uint64_t address_of(unsigned page)
{
    return BASE + (uint64_t)page * PAGE_BYTES;
}

static uint32_t *value_of(struct page *page)
{
    if (page->state == ANONYMOUS || (page->state == COPY && page->copied))
        return &page->value;
    return &page->thing->value[page->index];
}

/* What a core does: uses the entry, or faults once and then may. NULL: the access is not permitted. */
static uint32_t *access(unsigned who, unsigned page, unsigned wanted)
{
    struct process *p = &process[who];
    uint64_t at = address_of(page);
    struct user_piece piece;
    for (int again = 0;; again++) {
        unsigned prot = 0;
        frame_t root = memory_root(p, at);
        if (root && arch_user_find(root, at, &piece, &prot) && (prot & wanted) == wanted)
            return frame_pointer(memory_find(p, at));
        if (again)
            return NULL;
        struct user_fault fault = {.is_page_fault = 1, .address = at + 8, .access = wanted};
        fault_done = 0;
        int result = memory_fault(p, 0, &fault);
        if (result == FAULT_LATER) {
            settle();
            assert_int_equal(fault_done, 1);
        } else if (result) {
            assert_true(result == -E_NO_ENTRY || result == -E_PERMISSION);
            return NULL;
        }
    }
}

static void read_page(unsigned who, unsigned page)
{
    struct page *m = &model[who][page];
    uint32_t *at = access(who, page, PROT_R);
    assert_int_equal(at != NULL, m->state && m->prot & PROT_R);
    if (at)
        assert_int_equal(*at, *value_of(m));
}

static void write_page(unsigned who, unsigned page)
{
    struct page *m = &model[who][page];
    uint32_t *at = access(who, page, PROT_W), value = (uint32_t)rand();
    assert_int_equal(at != NULL, m->state && m->prot & PROT_W);
    if (!at)
        return;
    assert_int_equal(*at, *value_of(m));
    if (m->state == COPY)
        m->copied = 1;
    *value_of(m) = *at = value;
}

/* --- random steps ---------------------------------------------------------------------------- */

static unsigned any_below(unsigned bound)
{
    return (unsigned)rand() % bound;
}

static unsigned a_length(void)
{
    switch (any_below(4)) {
    case 0:
        return 512;
    case 1:
        return 1 + any_below(512);
    default:
        return 1 + any_below(40);
    }
}

static unsigned a_place(unsigned pages)
{
    unsigned page = any_below(PAGES - pages + 1);
    return any_below(4) ? page / 512 * 512 : page;
}

static int count_of(unsigned who, unsigned from, unsigned pages, unsigned state)
{
    int count = 0;
    for (unsigned i = from; i < from + pages; i++)
        count += state == ~0u ? model[who][i].state != 0 : model[who][i].state == state;
    return count;
}

/* A call that ends at once, or later. */
static long call(unsigned who, long number, const long argument[4])
{
    answered = 0;
    long result = memory_call(&process[who], 0, number, argument);
    settle();
    assert_int_equal(answered, result == CALL_LATER);
    return result == CALL_LATER ? 0 : result;
}

static void map(unsigned who, unsigned from, unsigned pages)
{
    int large = from % 512 == 0 && pages == 512 && any_below(2);
    long argument[4] = {(long)address_of(from), pages * (long)PAGE_BYTES, RW,
                        large ? MEM_LARGE : 0};
    long result = call(who, PANDO_mem_map, argument);
    assert_int_equal(result, count_of(who, from, pages, ~0u) ? -E_EXISTS : 0);
    for (unsigned i = from; !result && i < from + pages; i++)
        model[who][i] = (struct page){.state = ANONYMOUS, .prot = RW, .most = 7};
}

static void unmap(unsigned who, unsigned from, unsigned pages)
{
    long argument[4] = {(long)address_of(from), pages * (long)PAGE_BYTES};
    assert_int_equal(call(who, PANDO_mem_unmap, argument), 0);
    memset(&model[who][from], 0, pages * sizeof(struct page));
}

static void protect(unsigned who, unsigned from, unsigned pages)
{
    unsigned prot = any_below(3) ? RW : any_below(2) * PROT_R;
    long argument[4] = {(long)address_of(from), pages * (long)PAGE_BYTES, prot};
    long wanted = 0;
    for (unsigned i = from; i < from + pages; i++)
        if (model[who][i].state && prot & ~(unsigned)model[who][i].most)
            wanted = -E_PERMISSION;
    if (count_of(who, from, pages, ~0u) < (int)pages)
        wanted = -E_NO_ENTRY;
    assert_int_equal(call(who, PANDO_mem_protect, argument), wanted);
    for (unsigned i = from; !wanted && i < from + pages; i++)
        model[who][i].prot = (uint8_t)prot;
}

static int done_count, done_error;
static void done(struct process *p, unsigned vcoreid, void *context, int error)
{
    assert_ptr_equal(context, &done_count);
    assert_int_equal(vcoreid, 0);
    done_count++;
    done_error = error;
}

static void await(long result)
{
    if (result != CALL_LATER)
        return;
    assert_int_equal(done_count, 0);
    settle();
    assert_int_equal(done_count, 1);
    assert_int_equal(done_error, 0);
}

static int put_moved(unsigned to, unsigned at, struct parcel *parcel, const struct page *pages)
{
    unsigned count = parcel_pages(parcel);
    int result = memory_put(&process[to], address_of(at), parcel, RW);
    assert_int_equal(result, count_of(to, at, count, ~0u) ? -E_EXISTS : 0);
    for (unsigned i = 0; !result && i < count; i++) {
        model[to][at + i] = pages[i];
        model[to][at + i].prot = RW;
    }
    return result;
}

static void move(unsigned who, unsigned from, unsigned pages)
{
    static struct page moved[512];
    struct parcel *parcel = NULL;
    done_count = 0;
    long result =
        memory_take(&process[who], 0, address_of(from), pages, &parcel, done, &done_count);
    int mapped = count_of(who, from, pages, ~0u), anonymous = count_of(who, from, pages, ANONYMOUS);
    if (mapped < (int)pages || anonymous < (int)pages) {
        assert_int_equal(result, mapped < (int)pages ? -E_NO_ENTRY : -E_STATE);
        return;
    }
    assert_true(result == 0 || result == CALL_LATER);
    await(result);
    memcpy(moved, &model[who][from], pages * sizeof *moved);
    memset(&model[who][from], 0, pages * sizeof *moved);
    for (unsigned tries = 0; tries < 4; tries++)
        if (!put_moved(any_below(PROCESSES), a_place(pages), parcel, moved))
            return;
    parcel_free(parcel);
    if (any_below(2))
        settle();
}

/* Whether the pages are one mapping of an object, as memory_share wants it. */
static int one_mapping(const struct page *m, unsigned pages, unsigned state)
{
    for (unsigned i = 0; i < pages; i++)
        if (m[i].state != state || m[i].thing != m->thing || m[i].index != m->index + i ||
            m[i].prot != m->prot || m[i].most != m->most || m[i].copied)
            return 0;
    return 1;
}

static void put_shared(unsigned to, unsigned at, struct share *share, struct page page)
{
    unsigned count = share->pages;
    int result = memory_put_share(&process[to], address_of(at), share);
    assert_int_equal(result, count_of(to, at, count, ~0u) ? -E_EXISTS : 0);
    for (unsigned i = 0; !result && i < count; i++, page.index++)
        model[to][at + i] = page;
    share_free(share);
}

static void share(unsigned who, unsigned from, unsigned pages, int copy)
{
    struct page *m = &model[who][from];
    struct share made;
    done_count = 0;
    long result =
        memory_share(&process[who], 0, address_of(from), pages,
                     copy ? PAGES_SHARE_COPY : PAGES_SHARE_READ, &made, done, &done_count);
    int anonymous = count_of(who, from, pages, ANONYMOUS) == (int)pages;
    if (count_of(who, from, pages, ~0u) < (int)pages) {
        assert_int_equal(result, -E_NO_ENTRY);
        return;
    }
    if (!anonymous && !one_mapping(m, pages, copy ? COPY : SHARED_)) {
        assert_int_equal(result, -E_STATE);
        return;
    }
    assert_true(result == 0 || result == CALL_LATER);
    await(result);
    struct thing *thing = anonymous ? thing_new() : m->thing;
    for (unsigned i = 0; anonymous && i < pages; i++) {
        thing->value[i] = m[i].value;
        m[i].state = copy ? COPY : SHARED_;
        m[i].thing = thing;
        m[i].index = i;
    }
    struct page page = {.state = m->state,
                        .prot = copy ? RW : PROT_R,
                        .most = copy ? 7 : PROT_R | PROT_X,
                        .thing = thing,
                        .index = m->index};
    put_shared(any_below(PROCESSES), a_place(pages), &made, page);
}

static void step(void)
{
    unsigned who = any_below(PROCESSES), pages = a_length(), from = a_place(pages);
    flush_later = any_below(2) != 0;
    switch (any_below(12)) {
    case 0:
        unmap(who, from, pages);
        /* fall through */
    case 1:
        map(who, from, pages);
        break;
    case 2:
        unmap(who, from, pages);
        break;
    case 3:
        protect(who, from, pages);
        break;
    case 4:
    case 5:
        move(who, from, pages);
        break;
    case 6:
        share(who, from, pages, 0);
        break;
    case 7:
        share(who, from, pages, 1);
        break;
    default:
        for (unsigned i = from; i < from + pages; i += 1 + any_below(3))
            any_below(2) ? write_page(who, i) : read_page(who, i);
    }
}

static void start(unsigned limit)
{
    memset(frames, 0, sizeof frames);
    frames_left = FRAMES - 1100;
    memset(process, 0, sizeof process);
    memset(model, 0, sizeof model);
    for (unsigned i = 0; i < PROCESSES; i++) {
        process[i].state = PROCESS_RUNNING_S;
        process[i].account = (struct frame_account){.owner = {0, i + 1}, .limit = limit};
    }
}

/* The processes end one after the other. */
static void end_all(void)
{
    for (unsigned i = 0; i < PROCESSES; i++) {
        struct process *p = &process[i];
        while (!memory_give_back(p) || !reclaim_for(p) || !charges_hand_over(p, NULL, 1))
            ;
        assert_int_equal(p->account.used, 0);
        assert_int_equal(p->regions.count, 0);
    }
    settle();
    for (unsigned i = 0; i < FRAMES; i++)
        assert_false(frames[i].used);
    assert_int_equal(pooled, 0);
    while (thing_count)
        free(things[--thing_count]);
}

static void random_steps(void **state)
{
    srand(3);
    start(ACCOUNT_UNLIMITED);
    for (unsigned i = 0; i < STEPS; i++) {
        step();
        if (i % 400 == 0)
            for (unsigned who = 0; who < PROCESSES; who++)
                for (unsigned page = 0; page < PAGES; page++)
                    read_page(who, page);
    }
    settle();
    end_all();
}

/* 2 MiB go by their table: no entry is touched, and one table is all that moves. */
static void aligned_ranges_move_whole(void **state)
{
    start(ACCOUNT_UNLIMITED);
    flush_later = 0;
    map(0, 0, 512);
    for (unsigned page = 0; page < 512; page++)
        write_page(0, page);
    struct user_piece before, after;
    unsigned prot, used = process[0].account.used;
    assert_true(arch_user_find(memory_root(&process[0], BASE), BASE, &before, &prot));
    struct parcel *parcel;
    assert_int_equal(memory_take(&process[0], 0, BASE, 512, &parcel, done, NULL), 0);
    assert_int_equal(process[0].account.used, used); /* until they are put */
    assert_int_equal(memory_put(&process[1], BASE + 512 * PAGE_BYTES, parcel, RW), 0);
    assert_int_equal(process[0].account.used, used - 513);
    assert_true(arch_user_find(memory_root(&process[1], BASE + 512 * PAGE_BYTES),
                               BASE + 512 * PAGE_BYTES, &after, &prot));
    assert_int_equal(before.frame, after.frame);
    for (unsigned page = 0; page < 512; page++) {
        model[1][512 + page] = model[0][page];
        model[0][page] = (struct page){0};
        read_page(1, 512 + page);
        read_page(0, page);
    }
    end_all();
}

/* A receiver at its limit refuses, and the parcel stays whole. */
static void a_limit_refuses_a_parcel_whole(void **state)
{
    for (unsigned pages = 100; pages <= 512; pages += 412) {
        start(ACCOUNT_UNLIMITED);
        flush_later = 0;
        map(0, 0, pages);
        for (unsigned page = 0; page < pages; page++)
            write_page(0, page);
        struct parcel *parcel;
        assert_int_equal(memory_take(&process[0], 0, BASE, pages, &parcel, done, NULL), 0);
        for (unsigned limit = 0; limit < pages; limit += 33) {
            process[1].account.limit = limit;
            assert_int_equal(memory_put(&process[1], BASE, parcel, RW), -E_LIMIT);
            assert_int_equal(process[1].regions.count, 0);
        }
        process[1].account.limit = pages + 10;
        assert_int_equal(memory_put(&process[1], BASE, parcel, RW), 0);
        for (unsigned page = 0; page < pages; page++) {
            model[1][page] = model[0][page];
            read_page(1, page);
        }
        end_all();
    }
}

/* The sender's end, before and while its cores flush: the parcel is whole, or is to be freed. */
static void a_sender_ends_with_pages_under_way(void **state)
{
    for (unsigned amid = 0; amid < 2; amid++) {
        start(ACCOUNT_UNLIMITED);
        flush_later = (int)amid;
        map(0, 0, 300);
        for (unsigned page = 0; page < 300; page++)
            write_page(0, page);
        struct parcel *parcel;
        done_count = 0;
        long result = memory_take(&process[0], 0, BASE, 300, &parcel, done, &done_count);
        assert_int_equal(result, amid ? CALL_LATER : 0);
        process[0].state = PROCESS_DYING;
        settle();
        assert_int_equal(done_count, amid);
        if (amid)
            assert_int_equal(done_error, -E_GONE);
        while (!memory_give_back(&process[0]) || !charges_hand_over(&process[0], NULL, 1))
            ;
        assert_int_equal(process[0].account.used, 0);
        if (amid)
            parcel_free(parcel);
        else
            assert_int_equal(memory_put(&process[1], BASE, parcel, RW), 0);
        end_all();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_steps),
        cmocka_unit_test(aligned_ranges_move_whole),
        cmocka_unit_test(a_limit_refuses_a_parcel_whole),
        cmocka_unit_test(a_sender_ends_with_pages_under_way),
    };
    memory = aligned_alloc(PAGE_BYTES, (size_t)FRAMES * PAGE_BYTES);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    return failed;
}
