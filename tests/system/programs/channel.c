/* channel TEST: what channels do within one process; "ok" at the end. wait VCORES: with waiting vcores. */
#include "tests/system/programs/check.h"
#include "pando_calls.h"

enum { DEPTH = 4, CHAIN = 70, HANDLES_TRIED = 2000 };

struct pair {
    long left, right; /* handles of the two ends */
};

static struct pair pair_make(long depth)
{
    long made = pando_channel_create(depth);
    CHECK(made > 0);
    return (struct pair){made & 0xffffffff, made >> 32};
}

static long send_word(long end, uint64_t word, long flags)
{
    struct channel_message message = {.word = {word, ~word}};
    return pando_channel_send(end, flags, &message);
}

/* The first word of what comes, or an error. */
static long receive_word(long end, long flags)
{
    struct channel_message message;
    memset(&message, 0xa5, sizeof message);
    long pages = pando_channel_receive(end, 0, 0, flags, &message);
    if (pages < 0)
        return pages;
    CHECK_IS(pages, 0);
    CHECK_IS(message.word[1], ~message.word[0]);
    for (int i = 2; i < 6; i++)
        CHECK_IS(message.word[i], 0);
    for (int i = 0; i < MESSAGE_HANDLES; i++)
        CHECK_IS(message.handle[i], 0);
    CHECK_IS(message.pages, 0);
    return (long)message.word[0];
}

static long send_handle(long end, long handle, unsigned rights)
{
    struct channel_message message = {.rights = (uint16_t)rights};
    message.handle[1] = (uint32_t)handle;
    return pando_channel_send(end, 0, &message);
}

static long receive_handle(long end)
{
    struct channel_message message;
    CHECK_IS(pando_channel_receive(end, 0, 0, 0, &message), 0);
    CHECK_IS(message.handle[0] | message.handle[2] | message.handle[3], 0);
    CHECK(message.handle[1] != 0);
    return message.handle[1];
}

static void close_handle(long handle)
{
    CHECK_IS(pando_handle_close(handle), 0);
}

/* --- order and bounds ------------------------------------------------------------------------ */

static void test_order(void)
{
    for (long depth = 1; depth <= CHANNEL_MAX_DEPTH; depth *= 4) {
        struct pair pair = pair_make(depth);
        long sent = 0, received = 0;
        for (int round = 0; round < 3; round++) {
            while (send_word(pair.left, (uint64_t)sent, 0) == 0)
                sent++;
            CHECK_IS(sent - received, depth);
            CHECK_IS(send_word(pair.left, 0, 0), -E_FULL);
            CHECK_IS(receive_word(pair.left, 0), -E_EMPTY); /* the other way is another queue */
            CHECK_IS(send_word(pair.right, 77, 0), 0);
            CHECK_IS(receive_word(pair.left, 0), 77);
            while (received < sent - (round < 2 ? depth / 2 : 0))
                CHECK_IS(receive_word(pair.right, 0), received++);
        }
        CHECK_IS(receive_word(pair.right, 0), -E_EMPTY);
        close_handle(pair.left);
        close_handle(pair.right);
    }
    CHECK_IS(pando_channel_create(0), -E_INVALID);
    CHECK_IS(pando_channel_create(CHANNEL_MAX_DEPTH + 1), -E_INVALID);
    CHECK_IS(pando_channel_create(-1), -E_INVALID);
}

static void test_tables_end(void)
{
    static long handle[HANDLES_TRIED];
    long count = 0;
    struct pair pair = pair_make(DEPTH);
    struct pair other = pair_make(DEPTH);
    CHECK_IS(send_handle(pair.left, other.left, RIGHTS_ALL), 0);
    long full;
    while ((full = pando_handle_duplicate(other.right, RIGHTS_ALL)) > 0)
        handle[count++] = full;
    CHECK_IS(full, -E_LIMIT);
    CHECK_IS(pando_channel_create(DEPTH), -E_LIMIT);
    struct channel_message message;
    CHECK_IS(pando_channel_receive(pair.right, 0, 0, 0, &message), -E_LIMIT);
    close_handle(handle[--count]);
    close_handle(receive_handle(pair.right)); /* the message had stayed where it was */
    while (count)
        close_handle(handle[--count]);
}

/* --- refused whole --------------------------------------------------------------------------- */

static void test_refuse(void)
{
    struct pair pair = pair_make(DEPTH), other = pair_make(DEPTH);
    struct channel_message message = {.rights = RIGHTS_ALL};
    CHECK_IS(send_word(99, 0, 0), -E_NO_ENTRY);
    CHECK_IS(send_word(-1, 0, 0), -E_NO_ENTRY);
    CHECK_IS(receive_word(0, 0), -E_NO_ENTRY);
    CHECK_IS(send_word(pair.left, 0, 2), -E_INVALID);
    CHECK_IS(receive_word(pair.left, 2), -E_INVALID);
    CHECK_IS(pando_channel_watch(pair.left, 8), -E_INVALID);
    CHECK_IS(pando_channel_watch(99, 1), -E_NO_ENTRY);
    long partition = pando_partition_root();
    CHECK_IS(send_word(partition, 0, 0), -E_KIND);
    CHECK_IS(pando_channel_ring(partition), -E_KIND);

    message.handle[0] = (uint32_t)other.left; /* good, but the next is not */
    message.handle[3] = 99;
    CHECK_IS(pando_channel_send(pair.left, 0, &message), -E_NO_ENTRY);
    message.handle[3] = (uint32_t)other.left;
    CHECK_IS(pando_channel_send(pair.left, 0, &message), -E_INVALID);
    message.handle[3] = (uint32_t)pando_handle_duplicate(other.right, RIGHTS_ALL & ~RIGHT_GIVE);
    CHECK_IS(pando_channel_send(pair.left, 0, &message), -E_PERMISSION);
    message.handle[3] = (uint32_t)other.right; /* it has a duplicate */
    CHECK_IS(pando_channel_send(pair.left, 0, &message), -E_STATE);
    CHECK_IS(send_word(other.left, 5, 0), 0); /* it is still the process's */
    CHECK_IS(receive_word(other.right, 0), 5);
    message.handle[3] = 0;
    message.page_mode = PAGE_MODES;
    CHECK_IS(pando_channel_send(pair.left, 0, &message), -E_INVALID);
    CHECK_IS(receive_word(pair.right, 0), -E_EMPTY);
}

static void test_rights(void)
{
    struct pair pair = pair_make(DEPTH);
    long reader = pando_handle_duplicate(pair.left, RIGHT_READ);
    long writer = pando_handle_duplicate(pair.left, RIGHT_WRITE | RIGHT_GIVE);
    CHECK_IS(send_word(reader, 1, 0), -E_PERMISSION);
    CHECK_IS(pando_channel_ring(reader), -E_PERMISSION);
    CHECK_IS(receive_word(writer, 0), -E_PERMISSION);
    CHECK_IS(pando_channel_watch(writer, CHANNEL_ON_READABLE), -E_PERMISSION);
    CHECK_IS(send_word(writer, 1, 0), 0);
    CHECK_IS(receive_word(pair.right, 0), 1);
    CHECK_IS(receive_word(reader, 0), -E_EMPTY);

    /* Rights only ever shrink on the way. */
    struct pair other = pair_make(DEPTH);
    CHECK_IS(send_handle(pair.left, other.left, RIGHT_READ | RIGHT_GIVE), 0);
    CHECK_IS(send_word(other.left, 1, 0), -E_NO_ENTRY); /* it has left */
    long came = receive_handle(pair.right);
    CHECK_IS(pando_handle_info(came), HANDLE_CHANNEL | (RIGHT_READ | RIGHT_GIVE) << 8);
    CHECK_IS(send_word(came, 1, 0), -E_PERMISSION);
    CHECK_IS(send_word(other.right, 6, 0), 0);
    CHECK_IS(receive_word(came, 0), 6);
    CHECK_IS(send_handle(pair.left, came, RIGHTS_ALL), 0);
    came = receive_handle(pair.right);
    CHECK_IS(pando_handle_info(came), HANDLE_CHANNEL | (RIGHT_READ | RIGHT_GIVE) << 8);
    CHECK_IS(send_handle(pair.left, came, RIGHT_READ), 0);
    came = receive_handle(pair.right);
    CHECK_IS(send_handle(pair.left, came, RIGHTS_ALL), -E_PERMISSION);

    /* Four at once, each in its place. */
    struct channel_message message = {.rights = RIGHTS_ALL};
    for (int i = 0; i < MESSAGE_HANDLES; i++)
        message.handle[i] =
            (uint32_t)pando_handle_duplicate(pando_partition_root(), i % 2 ? RIGHT_GIVE : 20);
    CHECK_IS(pando_channel_send(pair.left, 0, &message), 0);
    CHECK_IS(pando_channel_receive(pair.right, 0, 0, 0, &message), 0);
    for (int i = 0; i < MESSAGE_HANDLES; i++)
        CHECK_IS(pando_handle_info(message.handle[i]), HANDLE_PARTITION | (i % 2 ? RIGHT_GIVE : 20)
                                                                              << 8);
}

/* --- closing --------------------------------------------------------------------------------- */

static void test_close(void)
{
    struct pair pair = pair_make(DEPTH);
    long again = pando_handle_duplicate(pair.left, RIGHTS_ALL);
    CHECK_IS(send_word(pair.left, 1, 0), 0);
    CHECK_IS(send_word(pair.left, 2, 0), 0);
    close_handle(pair.left);
    CHECK_IS(receive_word(pair.right, 0), 1);
    CHECK_IS(send_word(pair.right, 1, 0), 0); /* a handle is left */
    close_handle(again);
    CHECK_IS(send_word(pair.right, 1, 0), -E_CLOSED);
    CHECK_IS(pando_channel_ring(pair.right), -E_CLOSED);
    CHECK_IS(receive_word(pair.right, 0), 2); /* what was sent stays to be received */
    CHECK_IS(receive_word(pair.right, 0), -E_CLOSED);
    CHECK_IS(receive_word(pair.right, CHANNEL_WAIT), -E_CLOSED);
    CHECK_IS(send_word(pair.right, 1, CHANNEL_WAIT), -E_CLOSED);
    close_handle(pair.right);

    /* An end that lay in the queue of an end that is closed is closed. */
    pair = pair_make(DEPTH);
    struct pair inner = pair_make(DEPTH), most = pair_make(DEPTH);
    CHECK_IS(send_handle(inner.left, most.right, RIGHTS_ALL), 0);
    CHECK_IS(send_handle(pair.left, inner.right, RIGHTS_ALL), 0);
    CHECK_IS(send_word(most.left, 1, 0), 0);
    close_handle(pair.right);
    long result;
    while ((result = send_word(most.left, 1, 0)) != -E_CLOSED) /* in a turn to come */
        CHECK(result == 0 || result == -E_FULL);
    CHECK_IS(send_word(inner.left, 1, 0), -E_CLOSED);
}

/* --- rings of ends in queues ----------------------------------------------------------------- */

static void test_cycle(void)
{
    struct pair a = pair_make(DEPTH), b = pair_make(DEPTH), c = pair_make(DEPTH);
    CHECK_IS(send_handle(a.left, a.right, RIGHTS_ALL), -E_STATE); /* into its own queue */
    CHECK_IS(send_handle(a.left, b.right, RIGHTS_ALL), 0);
    CHECK_IS(send_handle(b.left, a.right, RIGHTS_ALL), -E_STATE);
    CHECK_IS(send_handle(b.left, c.right, RIGHTS_ALL), 0);
    CHECK_IS(send_handle(c.left, a.right, RIGHTS_ALL), -E_STATE);
    CHECK_IS(send_handle(c.left, b.left, RIGHTS_ALL), 0); /* closes no ring */
    CHECK_IS(send_handle(c.left, c.left, RIGHTS_ALL), 0);
    long b_right = receive_handle(a.right);
    long c_right = receive_handle(b_right);
    long b_left = receive_handle(c_right), c_left = receive_handle(c_right);
    CHECK_IS(send_word(b_left, 3, 0), 0);
    CHECK_IS(receive_word(b_right, 0), 3);
    CHECK_IS(send_handle(c_left, a.right, RIGHTS_ALL), 0);
    CHECK_IS(send_handle(a.left, c_right, RIGHTS_ALL), -E_STATE);

    /* A chain deeper than is looked through. */
    struct pair deepest = {0}, other = pair_make(1);
    long end = pair_make(1).right;
    for (int i = 0; i < CHAIN; i++) {
        struct pair next = pair_make(1);
        CHECK_IS(send_handle(next.left, end, RIGHTS_ALL), 0);
        if (i == 0)
            deepest = next;
        else
            close_handle(next.left);
        end = next.right;
    }
    CHECK_IS(receive_word(deepest.left, 0), -E_EMPTY);
    for (int i = 1; i < CHAIN; i++) {
        CHECK_IS(send_handle(deepest.left, other.right, RIGHTS_ALL),
                 i < CHAIN - 63 ? -E_LIMIT : -E_FULL);
        end = receive_handle(end);
    }
    receive_handle(end);
    CHECK_IS(send_handle(deepest.left, other.right, RIGHTS_ALL), 0);
}

/* --- pages ----------------------------------------------------------------------------------- */

#define HERE  0x200000000ull
#define THERE 0x300000000ull

static void map(uint64_t addr, uint64_t pages)
{
    CHECK_IS(pando_mem_map(addr, pages * PAGE_BYTES, PROT_R | PROT_W, 0), 0);
}

static void unmap(uint64_t addr, uint64_t pages)
{
    CHECK_IS(pando_mem_unmap(addr, pages * PAGE_BYTES), 0);
}

static uint64_t *page_at(uint64_t addr, uint64_t page)
{
    return (uint64_t *)(addr + page * PAGE_BYTES);
}

/* Every third page stays untouched. */
static void fill(uint64_t addr, uint64_t pages, uint64_t seed)
{
    for (uint64_t i = 0; i < pages; i++)
        if (i % 3)
            page_at(addr, i)[i % 512] = seed + i;
}

static void check_filled(uint64_t addr, uint64_t pages, uint64_t seed)
{
    for (uint64_t i = 0; i < pages; i++) {
        CHECK_IS(page_at(addr, i)[i % 512], i % 3 ? seed + i : 0);
        CHECK_IS(page_at(addr, i)[(i + 1) % 512], 0);
    }
}

static long send_pages(long end, uint64_t addr, uint64_t pages, unsigned mode, long flags)
{
    struct channel_message message = {
        .word = {pages}, .addr = addr, .pages = (uint32_t)pages, .page_mode = (uint16_t)mode};
    return pando_channel_send(end, flags, &message);
}

static long receive_pages(long end, uint64_t addr, uint64_t most)
{
    struct channel_message message;
    long pages = pando_channel_receive(end, addr, most, 0, &message);
    if (pages >= 0) {
        CHECK_IS(message.pages, pages);
        CHECK_IS(message.word[0], pages);
        CHECK_IS(message.addr, pages ? addr : 0);
    }
    return pages;
}

static void test_pages(void)
{
    static const uint64_t counts[] = {1, 2, 63, 64, 65, 200, 511, 512};
    struct pair pair = pair_make(DEPTH);
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint64_t pages = counts[i], shift = i % 2 * PAGE_BYTES;
        map(HERE, pages);
        fill(HERE, pages, 1000 * i);
        CHECK_IS(send_pages(pair.left, HERE, pages, PAGES_MOVE, 0), 0);
        map(HERE, pages); /* nothing is there any more */
        for (uint64_t page = 0; page < pages; page++)
            CHECK_IS(page_at(HERE, page)[page % 512], 0);
        unmap(HERE, pages);
        CHECK_IS(receive_pages(pair.right, THERE + shift, pages - 1), -E_TOO_LONG);
        CHECK_IS(receive_pages(pair.right, THERE + 1, pages), -E_ALIGN);
        CHECK_IS(receive_pages(pair.right, PROCDATA_BASE, pages), -E_RANGE);
        map(THERE + shift + (pages - 1) * PAGE_BYTES, 1);
        CHECK_IS(receive_pages(pair.right, THERE + shift, pages), -E_EXISTS);
        unmap(THERE + shift + (pages - 1) * PAGE_BYTES, 1);
        CHECK_IS(receive_pages(pair.right, THERE + shift, 512), pages);
        check_filled(THERE + shift, pages, 1000 * i);
        page_at(THERE + shift, 0)[0] = 5; /* it can be written */
        unmap(THERE + shift, pages);
    }
    CHECK_IS(send_pages(pair.left, HERE, 1, PAGES_MOVE, 0), -E_NO_ENTRY);
    CHECK_IS(send_pages(pair.left, HERE + 8, 1, PAGES_MOVE, 0), -E_ALIGN);
    CHECK_IS(send_pages(pair.left, PROCDATA_BASE, 1, PAGES_MOVE, 0), -E_RANGE);
    CHECK_IS(send_pages(pair.left, HERE, 513, PAGES_MOVE, 0), -E_INVALID);
    map(HERE, 4);
    unmap(HERE + 2 * PAGE_BYTES, 1);
    CHECK_IS(send_pages(pair.left, HERE, 4, PAGES_MOVE, 0), -E_NO_ENTRY);
    CHECK_IS(receive_word(pair.right, 0), -E_EMPTY);
    unmap(HERE, 4);

    /* What nobody receives: the counts at the end of the machine tell. */
    map(HERE, 512);
    fill(HERE, 512, 7);
    CHECK_IS(send_pages(pair.left, HERE, 512, PAGES_MOVE, 0), 0);
    map(HERE, 100);
    fill(HERE, 100, 7);
    CHECK_IS(send_pages(pair.left, HERE, 70, PAGES_MOVE, 0), 0);
    CHECK_IS(send_pages(pair.left, HERE + 70 * PAGE_BYTES, 10, PAGES_SHARE_COPY, 0), 0);
    CHECK_IS(send_pages(pair.left, HERE + 80 * PAGE_BYTES, 10, PAGES_SHARE_READ, 0), 0);
}

static void test_shares(void)
{
    struct pair pair = pair_make(DEPTH);
    map(HERE, 70);
    fill(HERE, 70, 50);
    CHECK_IS(send_pages(pair.left, HERE, 70, PAGES_SHARE_READ, 0), 0);
    CHECK_IS(receive_pages(pair.right, THERE, 70), 70);
    check_filled(THERE, 70, 50);
    page_at(HERE, 4)[0] = 9; /* the receiver sees it */
    page_at(HERE, 0)[0] = 10;
    CHECK_IS(page_at(THERE, 4)[0], 9);
    CHECK_IS(page_at(THERE, 0)[0], 10);
    CHECK_IS(pando_mem_protect(THERE, PAGE_BYTES, PROT_R | PROT_W), -E_PERMISSION);
    unmap(HERE, 70);
    CHECK_IS(page_at(THERE, 4)[0], 9); /* they stay while one has them */
    unmap(THERE, 70);

    map(HERE, 70);
    fill(HERE, 70, 60);
    CHECK_IS(send_pages(pair.left, HERE, 70, PAGES_SHARE_COPY, 0), 0);
    page_at(HERE, 1)[0] = 11;
    CHECK_IS(receive_pages(pair.right, THERE, 70), 70);
    check_filled(THERE, 70, 60);
    page_at(THERE, 2)[0] = 12;
    page_at(HERE, 3)[0] = 13;
    CHECK_IS(page_at(HERE, 1)[0], 11);
    CHECK_IS(page_at(HERE, 2)[0], 0);
    CHECK_IS(page_at(THERE, 3)[0], 0);
    CHECK_IS(page_at(THERE, 1)[1], 61);
    CHECK_IS(page_at(HERE, 1)[1], 61);
}

/* --- waiting --------------------------------------------------------------------------------- */

static struct pair shared;
static unsigned long turn, arrived, got[8];

static void await_turn(unsigned long me)
{
    while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) <= me)
        ;
    __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
}

static void *wait_to_receive(void *arg)
{
    unsigned long me = (unsigned long)arg;
    await_turn(me);
    got[me] = (unsigned long)receive_word(shared.right, CHANNEL_WAIT);
    return NULL;
}

static void *wait_to_send(void *arg)
{
    unsigned long me = (unsigned long)arg;
    await_turn(me);
    got[me] = (unsigned long)send_word(shared.left, 100 + me, CHANNEL_WAIT);
    return NULL;
}

/* Mostly each is in the kernel before the next one comes; nothing relies on it. */
static void start(struct uthread **uthreads, void *(*function)(void *), long count)
{
    turn = arrived = 0;
    for (long i = 0; i < count; i++)
        CHECK_IS(uthread_create(&uthreads[i], function, (void *)i), 0);
    for (long i = 0; i < count; i++) {
        __atomic_store_n(&turn, (unsigned long)i + 1, __ATOMIC_SEQ_CST);
        while (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) <= (unsigned long)i)
            ;
        compute(200000);
    }
}

static void join(struct uthread **uthreads, long count)
{
    for (long i = 0; i < count; i++)
        CHECK_IS(uthread_join(uthreads[i], NULL), 0);
}

static long sum_of_got(long count)
{
    long sum = 0;
    for (long i = 0; i < count; i++)
        sum += (long)got[i];
    return sum;
}

static void test_wait(long vcores)
{
    struct uthread *uthreads[8];
    long waiters = vcores - 1;
    CHECK_IS(pando_vcores_request((unsigned)vcores), vcores);
    shared = pair_make(1);
    start(uthreads, wait_to_receive, waiters);
    for (long i = 0; i < waiters; i++)
        CHECK_IS(send_word(shared.left, (uint64_t)(50 + i), CHANNEL_WAIT), 0);
    join(uthreads, waiters);
    CHECK_IS(sum_of_got(waiters), 50 * waiters + waiters * (waiters - 1) / 2);

    CHECK_IS(send_word(shared.left, 99, 0), 0);
    start(uthreads, wait_to_send, waiters);
    CHECK_IS(send_word(shared.left, 1, 0), -E_FULL);
    CHECK_IS(receive_word(shared.right, 0), 99);
    long sum = 0;
    for (long i = 0; i < waiters; i++)
        sum += receive_word(shared.right, CHANNEL_WAIT);
    CHECK_IS(sum, 100 * waiters + waiters * (waiters - 1) / 2);
    join(uthreads, waiters);
    for (long i = 0; i < waiters; i++)
        CHECK_IS(got[i], 0);

    /* The other end closes. */
    start(uthreads, wait_to_receive, waiters);
    close_handle(shared.left);
    join(uthreads, waiters);
    for (long i = 0; i < waiters; i++)
        CHECK_IS(got[i], -E_CLOSED);
    close_handle(shared.right);
    shared = pair_make(1);
    CHECK_IS(send_word(shared.left, 99, 0), 0);
    start(uthreads, wait_to_send, waiters);
    close_handle(shared.right);
    join(uthreads, waiters);
    for (long i = 0; i < waiters; i++)
        CHECK_IS(got[i], -E_CLOSED);
    close_handle(shared.left);

    /* Their own end closes. */
    shared = pair_make(1);
    start(uthreads, wait_to_receive, waiters);
    close_handle(shared.right);
    join(uthreads, waiters);
    for (long i = 0; i < waiters; i++)
        CHECK_IS(got[i], -E_NO_ENTRY);
    close_handle(shared.left);

    /* The process ends while they wait. */
    shared = pair_make(1);
    start(uthreads, wait_to_receive, waiters);
}

int main(int argc, char *argv[])
{
    const char *test = argv[1];
    if (!strcmp(test, "order"))
        test_order();
    else if (!strcmp(test, "table"))
        test_tables_end();
    else if (!strcmp(test, "refuse"))
        test_refuse();
    else if (!strcmp(test, "rights"))
        test_rights();
    else if (!strcmp(test, "close"))
        test_close();
    else if (!strcmp(test, "cycle"))
        test_cycle();
    else if (!strcmp(test, "pages"))
        test_pages();
    else if (!strcmp(test, "shares"))
        test_shares();
    else
        test_wait(number_of(argv[2]));
    printf("ok\n");
    return 0;
}
