/* partners TEST [NUMBERS]: channels and rings between processes, and waits of uthreads; "ok" at the end. A
 * child is this program too, with the other end as its first handle. */
#include "tests/system/programs/check.h"
#include "pando_calls.h"
#include "pando_ring.h"

enum { THEIR_END = 1, THEIR_MEMORY = 2, ROUNDS = 300, UTHREADS = 4, KILLS = 24, PIECE = 96 };
#define HERE  0x200000000ull
#define THERE 0x300000000ull

static struct channel_message message_of(uint64_t word)
{
    return (struct channel_message){.word = {word}, .rights = RIGHTS_ALL};
}

static long receive_word(long end)
{
    struct channel_message message;
    long pages = channel_receive(end, 0, 0, &message);
    return pages < 0 ? pages : (long)message.word[0];
}

static long send_word(long end, uint64_t word)
{
    struct channel_message message = message_of(word);
    return channel_send(end, &message);
}

/* A child that runs `role`; its end is the second one. *end is ours. */
static long child_with_end(const char *role, long depth, long *end)
{
    long made = pando_channel_create(depth);
    CHECK(made > 0);
    long child = child_try("partners", role, NULL);
    CHECK(child > 0);
    CHECK_IS(pando_proc_give(child, made >> 32, RIGHTS_ALL), THEIR_END);
    CHECK_IS(pando_handle_close(made >> 32), 0);
    *end = made & 0xffffffff;
    return child;
}

/* --- echo ------------------------------------------------------------------------------------ */

static void echo(void)
{
    long word;
    while ((word = receive_word(THEIR_END)) >= 0)
        CHECK_IS(send_word(THEIR_END, (uint64_t)word + 1), 0);
    CHECK_IS(word, -E_CLOSED);
}

static void test_echo(void)
{
    long end, child = child_with_end("echo", 2, &end);
    CHECK_IS(child_run(child), 0);
    for (long i = 0; i < ROUNDS; i++) {
        CHECK_IS(send_word(end, (uint64_t)i), 0);
        CHECK_IS(receive_word(end), i + 1);
    }
    CHECK_IS(pando_handle_close(end), 0);
    CHECK_IS(child_wait(child), 0);
}

/* --- uthreads -------------------------------------------------------------------------------- */

static long ends[UTHREADS][2];
static unsigned long done;

/* Waits while others run: each passes on what it gets. */
static void *pass_on(void *arg)
{
    long me = (long)arg;
    for (long i = 0; i < ROUNDS; i++) {
        long word = receive_word(ends[me][1]);
        if (word != i * UTHREADS + me ||
            send_word(ends[(me + 1) % UTHREADS][0], (uint64_t)word + 1))
            return NULL;
    }
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void test_uthreads(long vcores)
{
    struct uthread *uthreads[UTHREADS];
    if (vcores)
        CHECK_IS(pando_vcores_request((unsigned)vcores), vcores);
    for (int i = 0; i < UTHREADS; i++) {
        long made = pando_channel_create(1);
        ends[i][0] = made & 0xffffffff;
        ends[i][1] = made >> 32;
    }
    for (long i = 1; i < UTHREADS; i++)
        CHECK_IS(uthread_create(&uthreads[i], pass_on, (void *)i), 0);
    for (long i = 0; i < ROUNDS; i++) {
        CHECK_IS(send_word(ends[1][0], (uint64_t)(i * UTHREADS + 1)), 0);
        CHECK_IS(receive_word(ends[0][1]), (i + 1) * UTHREADS);
    }
    for (long i = 1; i < UTHREADS; i++)
        CHECK_IS(uthread_join(uthreads[i], NULL), 0);
    CHECK_IS(done, UTHREADS - 1);
}

/* Both directions of one end are waited for at once, and the queue is full. */
static void *drain(void *arg)
{
    for (long i = 0; i < ROUNDS; i++)
        if (receive_word(ends[0][1]) != i || send_word(ends[0][1], (uint64_t)i))
            return NULL;
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void *collect(void *arg)
{
    for (long i = 0; i < ROUNDS; i++)
        if (receive_word(ends[0][0]) != i)
            return NULL;
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
    return NULL;
}

static void test_full(long vcores)
{
    struct uthread *uthreads[2];
    long made = pando_channel_create(2);
    ends[0][0] = made & 0xffffffff;
    ends[0][1] = made >> 32;
    if (vcores)
        CHECK_IS(pando_vcores_request((unsigned)vcores), vcores);
    CHECK_IS(uthread_create(&uthreads[0], drain, NULL), 0);
    CHECK_IS(uthread_create(&uthreads[1], collect, NULL), 0);
    for (long i = 0; i < ROUNDS; i++)
        CHECK_IS(send_word(ends[0][0], (uint64_t)i), 0);
    CHECK_IS(uthread_join(uthreads[0], NULL), 0);
    CHECK_IS(uthread_join(uthreads[1], NULL), 0);
    CHECK_IS(done, 2);
}

/* --- rings ----------------------------------------------------------------------------------- */

enum { BURST = 3 * RING_MESSAGES };

static void ring_start(struct ring *ring, long object, int side, long end, long vcores)
{
    struct map_request request = {
        .addr = HERE, .bytes = RING_BYTES, .prot = PROT_R | PROT_W, .mode = OBJECT_SHARED};
    CHECK_IS(pando_object_map(object, 0, &request), 0);
    ring_open(ring, (void *)HERE, side, end);
    if (vcores)
        CHECK_IS(pando_vcores_request((unsigned)vcores), vcores);
}

static void ring_put(struct ring *ring, uint64_t number)
{
    uint64_t word[RING_WORDS];
    for (int i = 0; i < RING_WORDS; i++)
        word[i] = number * 10 + (uint64_t)i;
    CHECK_IS(ring_send(ring, word), 0);
}

static void ring_get(struct ring *ring, uint64_t number)
{
    uint64_t word[RING_WORDS];
    CHECK_IS(ring_receive(ring, word), 0);
    for (int i = 0; i < RING_WORDS; i++)
        CHECK_IS(word[i], number * 10 + (uint64_t)i);
}

/* One at a time; then more than there is room for, one way after the other, and both at once. */
static void ring_talk(struct ring *ring, int side)
{
    uint64_t sent = 0, received = 0;
    for (int i = 0; i < ROUNDS; i++) {
        if (side == 0)
            ring_put(ring, sent++);
        ring_get(ring, received++);
        if (side == 1)
            ring_put(ring, sent++);
    }
    for (int i = 0; i < BURST; i++)
        if (side == 0)
            ring_put(ring, sent++);
        else
            ring_get(ring, received++);
    for (int i = 0; i < BURST; i++)
        if (side == 1)
            ring_put(ring, sent++);
        else
            ring_get(ring, received++);
}

static void ring_child(long vcores)
{
    struct ring ring;
    uint64_t word[RING_WORDS];
    ring_start(&ring, THEIR_MEMORY, 1, THEIR_END, vcores);
    ring_talk(&ring, 1);
    CHECK_IS(ring_receive(&ring, word), -E_CLOSED);
}

static void test_ring(long vcores)
{
    struct ring ring;
    long end, child = child_with_end(vcores ? "ring_many" : "ring_one", 1, &end);
    long object = pando_object_create(RING_BYTES);
    CHECK_IS(pando_proc_give(child, object, RIGHTS_ALL), THEIR_MEMORY);
    CHECK_IS(child_run(child), 0);
    ring_start(&ring, object, 0, end, vcores);
    ring_talk(&ring, 0);
    CHECK_IS(pando_handle_close(end), 0);
    CHECK_IS(child_wait(child), 0);
}

/* --- kills ----------------------------------------------------------------------------------- */

/* Sends pages without end, with vcores beside it whose translations must go each time. */
static void *compute_for_ever(void *arg)
{
    for (;;)
        compute(1000);
    return NULL;
}

static void give_pages(long vcores)
{
    struct uthread *uthread;
    struct channel_message message = message_of(0);
    if (vcores) {
        CHECK_IS(pando_vcores_request((unsigned)vcores), vcores);
        for (long i = 1; i < vcores; i++)
            CHECK_IS(uthread_create(&uthread, compute_for_ever, NULL), 0);
    }
    for (uint64_t number = 0;; number++) {
        uint64_t at = HERE + number % 3 * PAGE_BYTES;
        CHECK_IS(pando_mem_map(at, PIECE * PAGE_BYTES, PROT_R | PROT_W, 0), 0);
        for (int i = 0; i < PIECE; i++)
            *(volatile uint64_t *)(at + (uint64_t)i * PAGE_BYTES) = number;
        message.word[0] = number;
        message.addr = at;
        message.pages = PIECE;
        message.page_mode = PAGES_MOVE;
        long result = pando_channel_send(THEIR_END, CHANNEL_WAIT, &message);
        if (result == -E_CLOSED)
            return;
        CHECK_IS(result, 0);
    }
}

static void wait_only(int sends)
{
    while (sends && send_word(THEIR_END, 1) == 0)
        ;
    receive_word(THEIR_END);
}

static uint64_t frames_of(long child)
{
    struct proc_info info;
    CHECK_IS(pando_proc_info(child, &info), 0);
    return info.frames;
}

/* Takes a few, checks what they hold, then ends the child, with what is under way taken back or not. */
static void kill_one(const char *role, int round)
{
    long end, child = child_with_end(role, 2, &end);
    struct channel_message message;
    int gives = !strncmp(role, "give", 4), aborts = round % 2;
    CHECK_IS(child_run(child), 0);
    uint64_t next = 0;
    for (; gives && next < (uint64_t)round % 5; next++) {
        CHECK_IS(pando_channel_receive(end, THERE, PIECE, CHANNEL_WAIT, &message), PIECE);
        CHECK_IS(message.word[0], next);
        for (int i = 0; i < PIECE; i++)
            CHECK_IS(*(volatile uint64_t *)(THERE + (uint64_t)i * PAGE_BYTES), next);
        CHECK_IS(pando_mem_unmap(THERE, PIECE * PAGE_BYTES), 0);
    }
    compute(20000ul * (unsigned)round);
    CHECK_IS(pando_proc_kill(child, aborts ? PROC_ABORT : 0), 0);
    CHECK_IS(pando_end_status(child_ending(child)), STATUS_KILLED);
    CHECK_IS(frames_of(child), 0);
    long result;
    while ((result = pando_channel_receive(end, THERE, PIECE, CHANNEL_WAIT, &message)) >= 0) {
        CHECK(!aborts && (!gives || message.word[0] == next++));
        if (result)
            CHECK_IS(pando_mem_unmap(THERE, PIECE * PAGE_BYTES), 0);
    }
    CHECK_IS(result, -E_CLOSED);
    CHECK_IS(pando_handle_close(end), 0);
    CHECK_IS(pando_handle_close(child), 0);
}

static void test_kill(const char *role)
{
    for (int round = 0; round < KILLS; round++)
        kill_one(role, round);
}

/* The receiver goes, also while pages are on the way to it. */
static void test_leave(const char *role)
{
    for (int round = 0; round < KILLS; round++) {
        long end, child = child_with_end(role, 2, &end);
        CHECK_IS(child_run(child), 0);
        compute(20000ul * (unsigned)round);
        CHECK_IS(pando_handle_close(end), 0);
        CHECK_IS(child_wait(child), 0);
    }
}

int main(int argc, char *argv[])
{
    const char *test = argv[1];
    long number = argc > 2 ? strtol(argv[2], NULL, 0) : 0;
    if (!strcmp(test, "echo"))
        echo();
    else if (!strcmp(test, "ring_one") || !strcmp(test, "ring_many"))
        ring_child(!strcmp(test, "ring_many"));
    else if (!strcmp(test, "give_one") || !strcmp(test, "give_many"))
        give_pages(strcmp(test, "give_one") ? 3 : 0);
    else if (!strcmp(test, "receiver") || !strcmp(test, "sender"))
        wait_only(!strcmp(test, "sender"));
    else {
        if (!strcmp(test, "test_echo"))
            test_echo();
        else if (!strcmp(test, "test_uthreads"))
            test_uthreads(number);
        else if (!strcmp(test, "test_full"))
            test_full(number);
        else if (!strcmp(test, "test_ring"))
            test_ring(number);
        else if (!strcmp(test, "test_kill"))
            test_kill(argv[2]);
        else if (!strcmp(test, "test_leave"))
            test_leave(argv[2]);
        printf("ok\n");
    }
    return 0;
}
