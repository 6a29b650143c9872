// sources: kernel/channel_end.c kernel/channel_message.c kernel/letter.c kernel/handle.c
/* Channel ends, letters and waits against fakes of what lies below, so that each can be stopped at any
 * point: order of waiting, ends and aborts amid a move, ends in queues by random sends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/channel_end.h"
#include "kernel/event.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/process.h"

enum { PROCESSES = 3, VCORES = 12, PENDING = 1000 };

struct parcel {
    unsigned pages;
    memory_done *done;
    void *context;
    struct process *from;
    unsigned vcoreid;
};

static struct process process[PROCESSES];
static struct vcore_record record[PROCESSES][VCORES];
static struct channel_message page[PROCESSES][VCORES];
static long answer[PROCESSES][VCORES]; /* PENDING: none yet */
static unsigned answers, order[64];    /* vcores, in the order of their answers */
static unsigned objects, pages_private, parcels, events[EVENT_TYPES];
static int refuse_pool_in = -1; /* so many allocations from now */
static int take_later, busy;
static struct parcel *taking;
static struct reclaim *reclaim_first, **reclaim_last = &reclaim_first;

/* --- what lies below ------------------------------------------------------------------------- */

void *pool_get(struct pool *pool)
{
    if (refuse_pool_in >= 0 && refuse_pool_in-- == 0)
        return NULL;
    objects++;
    return calloc(1, pool->bytes);
}

void pool_put(struct pool *pool, void *object)
{
    objects--;
    free(object);
}

void *arch_private_alloc(void)
{
    pages_private++;
    return calloc(1, PAGE_BYTES);
}

void arch_private_free(void *private)
{
    pages_private--;
    free(private);
}

void panic(const char *format, ...)
{
    fprintf(stderr, "panic: %s\n", format);
    abort();
}

static unsigned process_index(const struct process *p)
{
    return (unsigned)(p - process);
}

struct vcore_record *process_record(struct process *p, unsigned vcoreid)
{
    return &record[process_index(p)][vcoreid];
}

void *frame_pointer(frame_t frame)
{
    return &page[(frame - 1) / VCORES][(frame - 1) % VCORES];
}

void home_answer(struct process *p, unsigned vcoreid, long result)
{
    struct vcore_record *r = process_record(p, vcoreid);
    if (!r->call_open)
        return;
    r->call_open = 0;
    if (r->channel_wait.end)
        channel_wait_end(&r->channel_wait);
    answer[process_index(p)][vcoreid] = result;
    order[answers++ % 64] = vcoreid;
}

void event_post(struct process *p, enum event_type type, uint32_t source, const uint64_t *payload)
{
    events[type]++;
}

int reclaim_ready(void)
{
    return 0;
}

void reclaim_add(struct reclaim *what)
{
    what->next = NULL;
    *reclaim_last = what;
    reclaim_last = &what->next;
}

static void reclaim_all(void)
{
    while (reclaim_first) {
        struct reclaim *what = reclaim_first;
        struct reclaim_budget budget = {RECLAIM_FRAMES, RECLAIM_RECORDS};
        reclaim_first = what->next;
        if (!reclaim_first)
            reclaim_last = &reclaim_first;
        assert_int_equal(what->turn(what, &budget), 1);
    }
}

int memory_held(struct process *p, uint64_t base, uint64_t bytes)
{
    return busy;
}

int memory_missed(struct process *p, long result)
{
    return 0;
}

long memory_wait(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    struct vcore_record *r = process_record(p, vcoreid);
    r->call_waits = 1;
    r->number = number;
    memcpy(r->argument, argument, 4 * sizeof argument[0]);
    return CALL_LATER;
}

long memory_take(struct process *p, unsigned vcoreid, uint64_t addr, unsigned pages,
                 struct parcel **parcel, memory_done *done, void *context)
{
    if (addr % PAGE_BYTES)
        return -E_ALIGN;
    parcels++;
    *parcel = malloc(sizeof **parcel);
    **parcel = (struct parcel){pages, done, context, p, vcoreid};
    if (!take_later)
        return 0;
    taking = *parcel;
    return CALL_LATER;
}

/* The cores have flushed; the process dies meanwhile. */
static void taken(int error)
{
    struct parcel *parcel = taking;
    taking = NULL;
    parcel->done(parcel->from, parcel->vcoreid, parcel->context, error);
}

void parcel_free(struct parcel *parcel)
{
    parcels--;
    free(parcel);
}

int memory_put(struct process *p, uint64_t addr, struct parcel *parcel, unsigned prot)
{
    if (addr % PAGE_BYTES)
        return -E_ALIGN;
    assert_int_equal(prot, PROT_R | PROT_W);
    parcel_free(parcel);
    return 0;
}

long memory_share(struct process *p, unsigned vcoreid, uint64_t addr, unsigned pages,
                  enum page_mode how, struct share *share, memory_done *done, void *context)
{
    *share = (struct share){(void *)share, addr, pages, how == PAGES_SHARE_COPY};
    parcels++;
    return 0;
}

int memory_put_share(struct process *p, uint64_t addr, struct share *share)
{
    share_free(share);
    return 0;
}

void share_free(struct share *share)
{
    assert_non_null(share->object);
    parcels--;
    share->object = NULL;
}

static void nothing_hold(const struct handle *handle)
{
}
static void nothing_release(const struct handle *handle, struct process *holder)
{
}
const struct handle_class process_handles = {"process", nothing_hold, nothing_release, NULL};
const struct handle_class object_handles = {"object", nothing_hold, nothing_release, NULL};

/* --- calls ----------------------------------------------------------------------------------- */

static long (*answers_of(long number))(struct process *p, unsigned vcoreid, long number,
                                       const long argument[4])
{
    switch (number) {
    case PANDO_channel_send:
        return channel_send_call;
    case PANDO_channel_receive:
        return channel_receive_call;
    default:
        return number < PANDO_channel_create ? handle_call : channel_call;
    }
}

static long call(unsigned p, unsigned vcoreid, long number, long a, long b, long c, long d)
{
    long argument[4] = {a, b, c, d};
    struct vcore_record *r = &record[p][vcoreid];
    assert_false(r->call_open);
    r->call_open = 1;
    answer[p][vcoreid] = PENDING;
    long result = answers_of(number)(&process[p], vcoreid, number, argument);
    if (result == CALL_LATER)
        return PENDING;
    r->call_open = 0;
    return answer[p][vcoreid] = result;
}

/* A word, and at most one handle. */
static long send(unsigned p, unsigned vcoreid, long end, uint64_t word, long handle, long flags)
{
    page[p][vcoreid] = (struct channel_message){.word = {word}, .rights = RIGHTS_ALL};
    page[p][vcoreid].handle[2] = (uint32_t)handle;
    return call(p, vcoreid, PANDO_channel_send, end, flags, 0, 0);
}

static long send_pages(unsigned p, unsigned vcoreid, long end, unsigned pages, long flags)
{
    page[p][vcoreid] = (struct channel_message){
        .word = {pages}, .addr = PAGE_BYTES, .pages = pages, .page_mode = PAGES_MOVE};
    return call(p, vcoreid, PANDO_channel_send, end, flags, 0, 0);
}

static long receive(unsigned p, unsigned vcoreid, long end, long flags)
{
    memset(&page[p][vcoreid], 0xee, sizeof page[p][vcoreid]);
    return call(p, vcoreid, PANDO_channel_receive, end, PAGE_BYTES, MESSAGE_PAGES, flags);
}

static uint64_t word(unsigned p, unsigned vcoreid)
{
    return page[p][vcoreid].word[0];
}

static long received_handle(unsigned p, unsigned vcoreid)
{
    return page[p][vcoreid].handle[2];
}

static long close_handle(unsigned p, long handle)
{
    return call(p, VCORES - 1, PANDO_handle_close, handle, 0, 0, 0);
}

/* Both ends are p's. */
static void make(unsigned p, long depth, long *left, long *right)
{
    long made = call(p, VCORES - 1, PANDO_channel_create, depth, 0, 0, 0);
    assert_true(made > 0);
    *left = made & 0xffffffff;
    *right = made >> 32;
}

/* The handle of `from` goes to `to`. */
static long give(unsigned from, unsigned to, long number)
{
    struct handle *entry;
    assert_int_equal(handle_find(&process[from], (unsigned long)number, HANDLE_NONE, 0, &entry), 0);
    struct handle taken_out = handle_take(&process[from], entry);
    return handle_add(&process[to], &taken_out);
}

/* The process dies, as its home sees to it. */
static void die(unsigned p, int abort_it)
{
    for (unsigned v = 0; v < VCORES; v++)
        home_answer(&process[p], v, -E_GONE);
    while (!handles_give_back(&process[p], 3))
        ;
    while (!letters_let_go(&process[p], abort_it))
        ;
    reclaim_all();
    assert_null(process[p].sent);
}

static int begin(void **state)
{
    memset(process, 0, sizeof process);
    memset(record, 0, sizeof record);
    memset(events, 0, sizeof events);
    for (unsigned p = 0; p < PROCESSES; p++)
        for (unsigned v = 0; v < VCORES; v++)
            record[p][v].message = 1 + p * VCORES + v;
    answers = objects = pages_private = parcels = 0;
    take_later = busy = 0;
    taking = NULL;
    refuse_pool_in = -1;
    return 0;
}

/* All processes end, and nothing is left. */
static int finish(void **state)
{
    for (unsigned p = 0; p < PROCESSES; p++)
        die(p, 0);
    assert_int_equal(objects, 0);
    assert_int_equal(pages_private, 0);
    assert_int_equal(parcels, 0);
    return 0;
}

/* --- waiting --------------------------------------------------------------------------------- */

static void test_receivers_in_order(void **state)
{
    long left, right;
    make(0, 1, &left, &right);
    right = give(0, 1, right);
    for (unsigned v = 0; v < 8; v++)
        assert_int_equal(receive(1, v, right, CHANNEL_WAIT), PENDING);
    for (unsigned v = 0; v < 8; v++) {
        assert_int_equal(send(0, 0, left, 100 + v, 0, 0), 0);
        assert_int_equal(answers, v + 1);
        assert_int_equal(answer[1][v], 0);
        assert_int_equal(word(1, v), 100 + v);
    }
    assert_int_equal(receive(1, 0, right, 0), -E_EMPTY);
}

static void test_senders_in_order(void **state)
{
    long left, right;
    make(0, 2, &left, &right);
    right = give(0, 1, right);
    for (unsigned v = 0; v < 9; v++)
        assert_int_equal(send(0, v, left, 100 + v, 0, CHANNEL_WAIT), v < 2 ? 0 : PENDING);
    assert_int_equal(send(0, 9, left, 0, 0, 0), -E_FULL);
    for (unsigned v = 0; v < 9; v++) {
        assert_int_equal(receive(1, 0, right, 0), 0);
        assert_int_equal(word(1, 0), 100 + v);
        assert_int_equal(answers, v < 7 ? v + 1 : 7);
        if (v < 7)
            assert_int_equal(order[v], v + 2);
    }
}

/* Who waits is checked anew: the third has too little room by then, the first has lost its handle. */
static void test_waiting_is_asking_again(void **state)
{
    long left, right, other, more;
    make(0, 4, &left, &right);
    make(0, 4, &other, &more);
    long again = call(0, 11, PANDO_handle_duplicate, right, RIGHTS_ALL, 0, 0);
    assert_int_equal(receive(0, 0, again, CHANNEL_WAIT), PENDING);
    assert_int_equal(call(0, 1, PANDO_channel_receive, right, PAGE_BYTES, 1, CHANNEL_WAIT),
                     PENDING);
    assert_int_equal(receive(0, 2, right, CHANNEL_WAIT), PENDING);
    assert_int_equal(close_handle(0, again), 0);
    assert_int_equal(answer[0][0], PENDING); /* the end is open */
    long third, fourth;
    make(0, 1, &third, &fourth); /* has the number that was closed */
    assert_int_equal(third, again);
    assert_int_equal(send_pages(0, 3, left, 2, 0), 0);
    assert_int_equal(answer[0][0], -E_NO_ENTRY);
    assert_int_equal(answer[0][1], -E_TOO_LONG);
    assert_int_equal(answer[0][2], 2);
    assert_int_equal(page[0][2].pages, 2);
}

static void test_a_waiter_dies(void **state)
{
    long left, right;
    make(0, 1, &left, &right);
    long mine = call(0, 11, PANDO_handle_duplicate, right, RIGHTS_ALL, 0, 0);
    right = give(0, 1, right);
    assert_int_equal(receive(1, 0, right, CHANNEL_WAIT), PENDING);
    assert_int_equal(receive(0, 0, mine, CHANNEL_WAIT), PENDING);
    assert_int_equal(receive(1, 1, right, CHANNEL_WAIT), PENDING);
    assert_int_equal(receive(0, 1, mine, CHANNEL_WAIT), PENDING);
    die(1, 0);
    assert_int_equal(send(0, 2, left, 7, 0, 0), 0);
    assert_int_equal(send(0, 2, left, 8, 0, 0), 0);
    assert_int_equal(word(0, 0), 7);
    assert_int_equal(word(0, 1), 8);
    assert_int_equal(close_handle(0, mine), 0);
    assert_int_equal(send(0, 2, left, 9, 0, 0), -E_CLOSED);
}

static void test_closing_answers_all(void **state)
{
    long left, right;
    make(0, 1, &left, &right);
    long again = call(0, 11, PANDO_handle_duplicate, right, RIGHTS_ALL, 0, 0);
    assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    for (unsigned v = 0; v < 3; v++) {
        assert_int_equal(send(0, v, left, 2, 0, CHANNEL_WAIT), PENDING);
        assert_int_equal(receive(0, 3 + v, left, CHANNEL_WAIT), PENDING);
    }
    assert_int_equal(close_handle(0, right), 0);
    assert_int_equal(answers, 0);
    assert_int_equal(close_handle(0, again), 0);
    for (unsigned v = 0; v < 6; v++)
        assert_int_equal(answer[0][v], -E_CLOSED);
    assert_int_equal(receive(0, 0, left, CHANNEL_WAIT), -E_CLOSED);
    assert_int_equal(send(0, 0, left, 1, 0, CHANNEL_WAIT), -E_CLOSED);

    /* The end with which they wait. */
    make(0, 1, &left, &right);
    assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    assert_int_equal(send(0, 0, left, 2, 0, CHANNEL_WAIT), PENDING);
    assert_int_equal(receive(0, 1, left, CHANNEL_WAIT), PENDING);
    assert_int_equal(close_handle(0, left), 0);
    assert_int_equal(answer[0][0], -E_NO_ENTRY);
    assert_int_equal(answer[0][1], -E_NO_ENTRY);
    assert_int_equal(receive(0, 0, right, 0), 0);
    assert_int_equal(receive(0, 0, right, 0), -E_CLOSED);
}

static void test_events(void **state)
{
    long left, right;
    make(0, 2, &left, &right);
    enum { ALL = CHANNEL_ON_READABLE | CHANNEL_ON_WRITABLE | CHANNEL_ON_CLOSED };
    assert_int_equal(call(0, 0, PANDO_channel_ring, left, 0, 0, 0), 0); /* nobody listens yet */
    assert_int_equal(call(0, 0, PANDO_channel_watch, right, 0, 0, 0), CHANNEL_ON_WRITABLE);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 1);
    assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 1); /* not watched */
    assert_int_equal(call(0, 0, PANDO_channel_watch, right, ALL, 0, 0),
                     CHANNEL_ON_READABLE | CHANNEL_ON_WRITABLE);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 2);
    assert_int_equal(events[EVENT_CHANNEL_WRITABLE], 1);
    assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 2); /* it was readable */
    assert_int_equal(receive(0, 0, right, 0) + receive(0, 0, right, 0), 0);
    assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 3);
    assert_int_equal(send(0, 0, right, 1, 0, 0) + send(0, 0, right, 1, 0, 0), 0);
    assert_int_equal(receive(0, 0, left, 0), 0);
    assert_int_equal(events[EVENT_CHANNEL_WRITABLE], 2);
    assert_int_equal(call(0, 0, PANDO_channel_ring, left, 0, 0, 0), 0);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 4);
    assert_int_equal(close_handle(0, left), 0);
    assert_int_equal(events[EVENT_CHANNEL_CLOSED], 1);
    assert_int_equal(call(0, 0, PANDO_channel_watch, right, CHANNEL_ON_CLOSED, 0, 0),
                     CHANNEL_ON_READABLE | CHANNEL_ON_CLOSED);
    assert_int_equal(events[EVENT_CHANNEL_CLOSED], 2);
}

/* The watch goes with its handle, not with a duplicate. */
static void test_a_watch_ends(void **state)
{
    long left, right, carrier, arrival;
    make(0, 2, &left, &right);
    make(0, 2, &carrier, &arrival);
    long again = call(0, 0, PANDO_handle_duplicate, right, RIGHTS_ALL, 0, 0);
    assert_true(call(0, 0, PANDO_channel_watch, right, CHANNEL_ON_READABLE, 0, 0) >= 0);
    assert_int_equal(close_handle(0, again), 0);
    assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 1);
    assert_int_equal(receive(0, 0, right, 0), 0);
    assert_int_equal(send(0, 0, carrier, 0, right, 0), 0);
    assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 1);
    assert_int_equal(receive(0, 0, arrival, 0), 0);
    assert_true(received_handle(0, 0) > 0);
}

/* --- pages ----------------------------------------------------------------------------------- */

/* A letter whose pages are still being taken keeps its place. */
static void test_filling_keeps_order(void **state)
{
    long left, right;
    make(0, 4, &left, &right);
    right = give(0, 1, right);
    assert_true(call(1, 0, PANDO_channel_watch, right, CHANNEL_ON_READABLE, 0, 0) >= 0);
    take_later = 1;
    assert_int_equal(send_pages(0, 0, left, 5, 0), PENDING);
    assert_int_equal(send(0, 1, left, 77, 0, 0), 0);
    assert_int_equal(receive(1, 0, right, 0), -E_EMPTY);
    assert_int_equal(receive(1, 0, right, CHANNEL_WAIT), PENDING);
    assert_int_equal(events[EVENT_CHANNEL_READABLE], 0);
    taken(0);
    assert_int_equal(answer[0][0], 0);
    assert_int_equal(answer[1][0], 5);
    assert_int_equal(receive(1, 1, right, 0), 0);
    assert_int_equal(word(1, 1), 77);
}

/* The sender dies while its pages are taken: neither they nor the handle stay under way. */
static void test_sender_dies_amid_a_move(void **state)
{
    for (int abort_it = 0; abort_it < 2; abort_it++) {
        long left, right, other, carried;
        make(0, 4, &left, &right);
        make(0, 4, &other, &carried);
        left = give(0, 1, left);
        carried = give(0, 1, carried);
        take_later = 1;
        page[1][0] = (struct channel_message){
            .addr = PAGE_BYTES, .pages = 3, .page_mode = PAGES_MOVE, .rights = RIGHTS_ALL};
        page[1][0].handle[0] = (uint32_t)carried;
        assert_int_equal(call(1, 0, PANDO_channel_send, left, 0, 0, 0), PENDING);
        assert_int_equal(receive(0, 3, right, CHANNEL_WAIT), PENDING);
        home_answer(&process[1], 0, -E_GONE);
        taken(-E_GONE);
        assert_int_equal(answer[0][3], PENDING);
        die(1, abort_it);
        assert_int_equal(parcels, 0);
        assert_int_equal(answer[0][3], -E_CLOSED);
        assert_int_equal(send(0, 0, other, 1, 0, 0), -E_CLOSED); /* the end it sent is closed */
        close_handle(0, other);
        close_handle(0, right);
    }
}

static void test_receiver_closes_amid_a_move(void **state)
{
    long left, right;
    make(0, 4, &left, &right);
    take_later = 1;
    assert_int_equal(send_pages(0, 0, left, 3, 0), PENDING);
    assert_int_equal(close_handle(0, right), 0);
    assert_int_equal(close_handle(0, left), 0);
    reclaim_all();
    assert_int_equal(parcels, 1);
    taken(0);
    reclaim_all();
    assert_int_equal(parcels, 0);
    assert_int_equal(answer[0][0], 0);
}

static void test_own_end_closes_amid_a_move(void **state)
{
    long left, right;
    make(0, 4, &left, &right);
    take_later = 1;
    assert_int_equal(send_pages(0, 0, left, 3, 0), PENDING);
    assert_int_equal(receive(0, 1, right, CHANNEL_WAIT), PENDING);
    assert_int_equal(close_handle(0, left), 0);
    assert_int_equal(answer[0][1], PENDING);
    taken(0);
    assert_int_equal(answer[0][1], 3);
    assert_int_equal(receive(0, 1, right, CHANNEL_WAIT), -E_CLOSED);
}

static void test_modes(void **state)
{
    long left, right;
    make(0, 4, &left, &right);
    for (unsigned mode = PAGES_MOVE; mode < PAGE_MODES; mode++) {
        page[0][0] =
            (struct channel_message){.addr = PAGE_BYTES, .pages = 2, .page_mode = (uint16_t)mode};
        assert_int_equal(call(0, 0, PANDO_channel_send, left, 0, 0, 0), 0);
        assert_int_equal(call(0, 0, PANDO_channel_receive, right, PAGE_BYTES, 1, 0), -E_TOO_LONG);
        assert_int_equal(receive(0, 0, right, 0), 2);
        assert_int_equal(page[0][0].page_mode, mode);
        assert_int_equal(page[0][0].addr, PAGE_BYTES);
    }
    assert_int_equal(send_pages(0, 0, left, 0, 0), -E_INVALID);
    assert_int_equal(send_pages(0, 0, left, MESSAGE_PAGES + 1, 0), -E_INVALID);
    assert_int_equal(send_pages(0, 0, left, 2, 0), 0);
    assert_int_equal(call(0, 0, PANDO_channel_receive, right, 5, 2, 0), -E_ALIGN);
    assert_int_equal(receive(0, 0, right, 0), 2);      /* it had stayed */
    assert_int_equal(send_pages(0, 0, left, 2, 0), 0); /* to be given back with the end */
}

/* Memory is being changed: the call waits for that, in or out of the channel's list. */
static void test_busy_memory(void **state)
{
    long left, right;
    make(0, 1, &left, &right);
    busy = 1;
    assert_int_equal(send_pages(0, 0, left, 2, CHANNEL_WAIT), PENDING);
    assert_true(record[0][0].call_waits);
    home_answer(&process[0], 0, -E_GONE);
    assert_int_equal(send(0, 1, left, 1, 0, 0), 0);
    assert_int_equal(send_pages(0, 2, left, 2, CHANNEL_WAIT), PENDING);
    assert_int_equal(send(0, 3, left, 3, 0, CHANNEL_WAIT), PENDING);
    assert_int_equal(receive(0, 4, right, 0), 0);
    assert_true(record[0][2].call_waits);
    assert_null(record[0][2].channel_wait.end);
    assert_int_equal(answer[0][3], 0); /* who comes behind is not held up */
}

/* --- ends of processes ----------------------------------------------------------------------- */

static void test_sent_stays(void **state)
{
    long left, right;
    make(0, 4, &left, &right);
    left = give(0, 1, left);
    assert_int_equal(send(1, 0, left, 5, 0, 0), 0);
    assert_int_equal(send_pages(1, 0, left, 6, 0), 0);
    die(1, 0);
    assert_int_equal(receive(0, 0, right, 0), 0);
    assert_int_equal(word(0, 0), 5);
    assert_int_equal(receive(0, 0, right, 0), 6);
    assert_int_equal(receive(0, 0, right, 0), -E_CLOSED);
}

static void test_abort_takes_back(void **state)
{
    long left, right, other, carried;
    make(0, 3, &left, &right);
    make(0, 1, &other, &carried);
    long theirs = call(0, 11, PANDO_handle_duplicate, left, RIGHTS_ALL, 0, 0);
    theirs = give(0, 1, theirs);
    carried = give(0, 1, carried);
    assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    assert_int_equal(send_pages(1, 0, theirs, 6, 0), 0);
    assert_int_equal(send(1, 0, theirs, 2, carried, 0), 0);
    assert_int_equal(send(0, 0, left, 3, 0, CHANNEL_WAIT), PENDING); /* full */
    die(1, 1);
    assert_int_equal(parcels, 0);
    assert_int_equal(answer[0][0], 0); /* there was room then */
    assert_int_equal(send(0, 1, other, 1, 0, 0), -E_CLOSED);
    assert_int_equal(receive(0, 1, right, 0), 0);
    assert_int_equal(word(0, 1), 1);
    assert_int_equal(receive(0, 1, right, 0), 0);
    assert_int_equal(word(0, 1), 3);
    assert_int_equal(receive(0, 1, right, 0), -E_EMPTY);
}

static void test_limit_of_letters(void **state)
{
    long left, right, sent = 0;
    while (sent < LETTERS_MAX) {
        make(0, CHANNEL_MAX_DEPTH, &left, &right);
        for (int i = 0; i < CHANNEL_MAX_DEPTH; i++, sent++)
            assert_int_equal(send(0, 0, left, 1, 0, 0), 0);
    }
    make(0, 1, &left, &right);
    assert_int_equal(send(0, 0, left, 1, 0, 0), -E_LIMIT);
    left = give(0, 1, left);
    assert_int_equal(send(1, 0, left, 1, 0, 0), 0);
}

/* --- no memory ------------------------------------------------------------------------------- */

static void test_out_of_memory(void **state)
{
    long left, right, other, carried;
    make(0, 1, &left, &right);
    make(0, 1, &other, &carried);
    refuse_pool_in = 0;
    assert_int_equal(call(0, 0, PANDO_channel_create, 1, 0, 0, 0), -E_NO_MEMORY);
    refuse_pool_in = 0;
    assert_int_equal(send(0, 0, left, 1, carried, 0), -E_NO_MEMORY);
    assert_int_equal(send(0, 0, other, 1, 0, 0), 0); /* it is not gone */
}

/* --- ends in letters ------------------------------------------------------------------------- */

/* Ends are sent about at random, also into their own and one another's queues. Whatever was taken, all
 * can be reached, and when the processes end nothing is left. */
static void test_random_ends(void **state)
{
    enum { CHANNELS = 12, STEPS = 20000 };
    unsigned seed = *(unsigned *)*state, refused = 0, sent = 0;
    srand(seed);
    for (int i = 0; i < CHANNELS; i++) {
        long left, right;
        make((unsigned)i % 2, 3, &left, &right);
    }
    for (int i = 0; i < STEPS; i++) {
        unsigned p = (unsigned)rand() % 2;
        long a = 1 + rand() % (2 * CHANNELS), b = 1 + rand() % (2 * CHANNELS);
        if (rand() % 4 == 0) {
            long result = send(p, 0, a, 1, b, 0);
            refused += result == -E_STATE;
            sent += result == 0;
        } else {
            receive(p, 0, a, 0);
        }
    }
    assert_true(refused > 10 && sent > 100);
    die(0, rand() % 2);
    die(1, rand() % 2);
    assert_int_equal(objects, 0);
}

int main(void)
{
    static unsigned seed[] = {1, 2, 3, 4, 5};
    static unsigned *seed_at[] = {&seed[0], &seed[1], &seed[2], &seed[3], &seed[4]};
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
#define RANDOM(i)                                                            \
    {                                                                        \
        "test_random_ends " #i, test_random_ends, begin, finish, &seed_at[i] \
    }
    const struct CMUnitTest tests[] = {
        TEST(test_receivers_in_order),
        TEST(test_senders_in_order),
        TEST(test_waiting_is_asking_again),
        TEST(test_a_waiter_dies),
        TEST(test_closing_answers_all),
        TEST(test_events),
        TEST(test_a_watch_ends),
        TEST(test_filling_keeps_order),
        TEST(test_sender_dies_amid_a_move),
        TEST(test_receiver_closes_amid_a_move),
        TEST(test_own_end_closes_amid_a_move),
        TEST(test_modes),
        TEST(test_busy_memory),
        TEST(test_sent_stays),
        TEST(test_abort_takes_back),
        TEST(test_limit_of_letters),
        TEST(test_out_of_memory),
        RANDOM(0),
        RANDOM(1),
        RANDOM(2),
        RANDOM(3),
        RANDOM(4),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
