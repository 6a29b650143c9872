// sources: tests/unit/host_world.c
// kernel: kernel/backlog.c kernel/shared/channel.c kernel/actor.c kernel/multicast.c tests/unit/host_kernel.c
/* Channels between kernels: making links, order, backlog, replies, doorbell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "abi/error.h"
#include "kernel/shared/ring.h"
#include "tests/unit/host_world.h"

static const char *shared_object;

/* What each kernel has had from each other one. Messages carry (number, from, to). */
static uint64_t sent[WORLD_KERNELS][WORLD_KERNELS], got[WORLD_KERNELS][WORLD_KERNELS];
static uint64_t requests_got, replies_got;
static int answer_at_once;

static uint64_t to(unsigned core)
{
    return address_make(core, world.incarnation[core], target_make(16, 1));
}

static struct message numbered(unsigned from, unsigned core)
{
    return (struct message){.word = {sent[from][core], from, core, ~sent[from][core]},
                            .head = message_head(MESSAGE_PROBE)};
}

static int send(unsigned from, unsigned core)
{
    struct message m = numbered(from, core);
    int error = on(from)->send(to(core), &m);
    sent[from][core] += error == 0;
    return error;
}

static int request(unsigned from, unsigned core)
{
    struct message m = numbered(from, core);
    int error = on(from)->send_request(to(core), &m);
    sent[from][core] += error == 0;
    return error;
}

static void reply(unsigned from, unsigned core)
{
    struct message m = numbered(from, core);
    assert_int_equal(on(from)->reply(to(core), &m), 0);
    sent[from][core]++;
}

static void deliver(const struct message *m, uint64_t kind, unsigned from)
{
    unsigned here = world.running;
    assert_int_equal(m->word[0], got[from][here]);
    assert_int_equal(m->word[1], from);
    assert_int_equal(m->word[2], here);
    assert_int_equal(m->word[3], ~m->word[0]);
    assert_int_equal(target_slot(m->head), 16);
    got[from][here]++;
    requests_got += kind == KIND_REQUEST;
    replies_got += kind == KIND_REPLY;
    if (kind == KIND_REQUEST && answer_at_once)
        reply(here, from);
}

static void make(unsigned kernels)
{
    world_make(shared_object, kernels);
    for (unsigned core = 0; core < kernels; core++)
        world.kernel[core]->deliver = deliver;
    memset(sent, 0, sizeof(sent));
    memset(got, 0, sizeof(got));
    requests_got = replies_got = 0;
    answer_at_once = 0;
}

static int end(void **state)
{
    world_end();
    return 0;
}

static void drain(unsigned kernels)
{
    for (unsigned idle = 0, core = 0; idle < kernels; core = (core + 1) % kernels)
        idle = on(core)->poll() ? 0 : idle + 1;
}

static void test_first_use(void **state)
{
    make(2);
    assert_int_equal(send(0, 1), 0);
    assert_int_equal(on(1)->poll(), 1);
    assert_int_equal(send(1, 0), 0);
    assert_int_equal(on(0)->poll(), 1);
    assert_int_equal(on(0)->channel_counts().links, 1);
    assert_int_equal(world.frames_owned[0], 2); /* inbox and ring */
    assert_int_equal(world.frames_owned[1], 2);
}

static void test_first_use_at_once(void **state)
{
    make(2);
    assert_int_equal(send(0, 1), 0);
    assert_int_equal(send(1, 0), 0);
    drain(2);
    assert_int_equal(send(0, 1), 0);
    assert_int_equal(send(1, 0), 0);
    drain(2);
    assert_int_equal(got[0][1], 2);
    assert_int_equal(got[1][0], 2);
    assert_int_equal(world.frames_owned[0], 2); /* what was too many is back */
    assert_int_equal(world.frames_owned[1], 2);
}

static void test_out_of_memory(void **state)
{
    make(2);
    for (unsigned left = 0; left < 2; left++) {
        world.frames_left = left;
        assert_int_equal(send(0, 1), -E_NO_MEMORY);
        assert_int_equal(world.frames_left, left);
        assert_int_equal(world.frames_owned[0], 1);
    }
    world.frames_left = 2;
    assert_int_equal(send(0, 1), 0);
    assert_int_equal(on(1)->poll(), 1); /* taking up the ring needs no memory, nor does answering */
    assert_int_equal(send(1, 0), 0);
    assert_int_equal(on(0)->poll(), 1);
}

static void test_gone(void **state)
{
    make(2);
    uint64_t old = to(1);
    struct message m = numbered(0, 1);
    world.incarnation[1]++;
    assert_int_equal(on(0)->send(old, &m), -E_GONE);
    assert_int_equal(on(0)->send(address_make(3, 1, target_make(16, 1)), &m), -E_GONE);
    assert_int_equal(on(0)->send(to(0), &m), -E_GONE); /* this core has no channel to itself */
    assert_int_equal(send(0, 1), 0);
    assert_int_equal(on(0)->send(old, &m), -E_GONE);
}

/* A receiver that does not poll: the ring fills, then the backlog, then the sender is refused; all
 * that was taken arrives in order, and the nodes are back. */
static void test_backlog(void **state)
{
    make(2);
    while (send(0, 1) == 0)
        ;
    assert_int_equal(send(0, 1), -E_LIMIT);
    assert_int_equal(sent[0][1], RING_WINDOW + PLAIN_NODES);
    assert_int_equal(on(0)->nodes_used(ACCOUNT_PLAIN), PLAIN_NODES);
    on(1)->poll();
    assert_int_equal(send(0, 1), -E_LIMIT); /* no overtaking */
    drain(2);
    assert_int_equal(got[0][1], sent[0][1]);
    assert_int_equal(on(0)->nodes_used(ACCOUNT_PLAIN), 0);
    assert_int_equal(send(0, 1), 0);
}

/* One link's backlog leaves another link alone. */
static void test_links_apart(void **state)
{
    make(3);
    for (unsigned i = 0; i < RING_WINDOW + 10; i++)
        assert_int_equal(send(0, 1), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(send(0, 2), 0);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(on(2)->poll(), 1);
    assert_int_equal(on(2)->poll(), 0);
    assert_int_equal(got[0][2], 10);
    drain(3);
    assert_int_equal(got[0][1], RING_WINDOW + 10);
}

static void test_fair(void **state)
{
    make(4);
    for (unsigned i = 0; i < RING_WINDOW; i++)
        assert_int_equal(send(0, 3) | send(1, 3), 0);
    send(2, 3);
    for (unsigned i = 0; i < 6 * CHANNEL_BURST; i++) {
        assert_int_equal(on(3)->poll(), 1);
        uint64_t apart = got[0][3] > got[1][3] ? got[0][3] - got[1][3] : got[1][3] - got[0][3];
        assert_true(apart <= CHANNEL_BURST);
        assert_true(got[2][3] == 1 || i < 2 * CHANNEL_BURST);
    }
}

/* A new link is taken up though the others never rest. */
static void test_fair_to_new(void **state)
{
    make(3);
    for (unsigned i = 0; i < RING_WINDOW; i++)
        assert_int_equal(send(0, 2), 0);
    on(2)->poll();
    assert_int_equal(send(1, 2), 0);
    for (unsigned i = 0; i < 2 * CHANNEL_BURST; i++)
        on(2)->poll();
    assert_int_equal(got[1][2], 1);
}

/* The worst for replies: the way back is full, and so are all places for what may be refused. */
static void test_replies_never_refused(void **state)
{
    make(2);
    for (unsigned i = 0; i < PEER_REQUESTS; i++)
        assert_int_equal(request(0, 1), 0);
    assert_int_equal(request(0, 1), -E_LIMIT);
    drain(2);
    assert_int_equal(requests_got, PEER_REQUESTS);
    while (send(1, 0) == 0)
        ;
    for (unsigned i = 0; i < PEER_REQUESTS; i++)
        reply(1, 0);
    assert_int_equal(on(1)->nodes_used(ACCOUNT_REPLY), PEER_REQUESTS);
    assert_int_equal(request(0, 1), -E_LIMIT); /* not before a reply has come */
    drain(2);
    assert_int_equal(replies_got, PEER_REQUESTS);
    assert_int_equal(got[1][0], sent[1][0]);
    assert_int_equal(request(0, 1), 0);
    assert_int_equal(on(1)->nodes_used(ACCOUNT_REPLY), 0);
}

static void reply_unasked(void)
{
    reply(1, 0);
    on(0)->poll();
}

static void test_reply_unasked(void **state)
{
    make(2);
    send(0, 1);
    on(1)->poll();
    assert_non_null(strstr(world_panics(reply_unasked), "requests"));
}

static void test_doorbell(void **state)
{
    make(2);
    assert_int_equal(on(1)->leave(), 1);
    send(0, 1);
    send(0, 1);
    assert_int_equal(world.bells[1], 1); /* one for each stay away */
    on(1)->back();
    drain(2);
    send(0, 1);
    assert_int_equal(world.bells[1], 1); /* it polls */
    assert_int_equal(on(1)->leave(), 0); /* a message is there */
    send(0, 1);
    assert_int_equal(world.bells[1], 1);
    drain(2);
    assert_int_equal(on(1)->leave(), 1);
    send(0, 1);
    assert_int_equal(world.bells[1], 2);
    assert_int_equal(on(1)->channel_counts().bells, 0);
    assert_int_equal(on(0)->channel_counts().bells, 2);
}

static void test_doorbell_for_news(void **state)
{
    make(2);
    send(0, 1);
    assert_int_equal(on(1)->leave(), 0); /* the ring itself is new */
    on(1)->poll();
    assert_int_equal(on(1)->leave(), 1);
    assert_int_equal(on(0)->leave(), 0); /* and so is the way back */
    on(0)->poll();
    assert_int_equal(on(0)->leave(), 1);
}

/* The sender is away with a backlog: the acknowledgement rings for it. */
static void test_doorbell_for_credit(void **state)
{
    make(2);
    send(1, 0);
    drain(2);
    for (unsigned i = 0; i < RING_WINDOW + 1; i++)
        send(0, 1);
    assert_int_equal(on(0)->leave(), 1);
    while (!world.ringing[0])
        assert_true(on(1)->poll() > 0);
    on(0)->back();
    on(0)->poll();
    assert_int_equal(on(0)->nodes_used(ACCOUNT_PLAIN), 0);
}

/* --- random schedules ---------------------------------------------------------------------------
 */

static uint64_t seed;

static unsigned chance(unsigned below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (seed >> 33) % below;
}

static int away[WORLD_KERNELS];
static uint64_t refused;

/* One step of one kernel: wakes, polls, sends or leaves. `eager`: how much it likes to send. */
static void step(unsigned core, unsigned kernels, unsigned eager, uint64_t limit)
{
    if (away[core]) {
        if (!world.ringing[core] && chance(50))
            return; /* seldom something else wakes it */
        away[core] = world.ringing[core] = 0;
        on(core)->back();
    }
    unsigned peer = (core + 1 + chance(kernels - 1)) % kernels;
    if (chance(100) < eager && sent[core][peer] < limit) {
        int error = chance(4) ? send(core, peer) : request(core, peer);
        refused += error == -E_LIMIT;
        assert_true(error == 0 || error == -E_LIMIT);
    } else if (!on(core)->poll() && chance(2)) {
        away[core] = on(core)->leave();
    }
}

static int all_quiet(unsigned kernels)
{
    for (unsigned core = 0; core < kernels; core++)
        if (!away[core] || world.ringing[core])
            return 0;
    return 1;
}

/* Sends about `limit` messages each way; then lets all halt, woken by nothing but doorbells: what
 * is still not there then was lost. */
static void schedule(unsigned kernels, uint64_t limit)
{
    unsigned eager[WORLD_KERNELS], speed[WORLD_KERNELS], period = 0;
    int busy = 1;
    answer_at_once = 1;
    while (busy) {
        if (period-- == 0) {
            period = chance(3000);
            for (unsigned core = 0; core < kernels; core++) {
                eager[core] = chance(101);
                speed[core] = 1 + chance(chance(2) ? 100 : 4);
            }
        }
        unsigned core = chance(kernels);
        if (chance(100) < speed[core])
            step(core, kernels, eager[core], limit);
        busy = 0;
        for (unsigned i = 0; i < kernels; i++)
            for (unsigned j = 0; j < kernels; j++)
                busy |= i != j && sent[i][j] < limit;
    }
    while (!all_quiet(kernels)) {
        unsigned core = chance(kernels);
        if (away[core] && !world.ringing[core])
            continue;
        step(core, kernels, 0, 0);
    }
}

static void run_schedule(unsigned kernels, uint64_t number, uint64_t limit)
{
    make(kernels);
    memset(away, 0, sizeof(away));
    seed = number;
    refused = 0;
    schedule(kernels, limit);
    for (unsigned i = 0; i < kernels; i++) {
        for (unsigned j = 0; j < kernels; j++)
            assert_int_equal(sent[i][j], got[i][j]);
        for (unsigned account = 0; account < ACCOUNTS; account++)
            assert_int_equal(on(i)->nodes_used(account), 0);
    }
    assert_int_equal(requests_got, replies_got);
}

static void test_million(void **state)
{
    run_schedule(2, 1, 1000000);
    assert_true(refused > 0);
    for (unsigned core = 0; core < 2; core++) {
        struct channel_counts counts = on(core)->channel_counts();
        assert_true(counts.bells > 0 && counts.acks > 0 && counts.backlogged > 0);
        assert_true(counts.bells < got[core][!core] / 4);
    }
}

static void test_schedules(void **state)
{
    for (unsigned number = 2; number < 40; number++) {
        run_schedule(2 + number % 3, number, 3000);
        world_end();
    }
    make(2);
}

int main(int argc, char **argv)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s.so", argv[0]);
    shared_object = path;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_first_use, end),
        cmocka_unit_test_teardown(test_first_use_at_once, end),
        cmocka_unit_test_teardown(test_out_of_memory, end),
        cmocka_unit_test_teardown(test_gone, end),
        cmocka_unit_test_teardown(test_backlog, end),
        cmocka_unit_test_teardown(test_links_apart, end),
        cmocka_unit_test_teardown(test_fair, end),
        cmocka_unit_test_teardown(test_fair_to_new, end),
        cmocka_unit_test_teardown(test_replies_never_refused, end),
        cmocka_unit_test_teardown(test_reply_unasked, end),
        cmocka_unit_test_teardown(test_doorbell, end),
        cmocka_unit_test_teardown(test_doorbell_for_news, end),
        cmocka_unit_test_teardown(test_doorbell_for_credit, end),
        cmocka_unit_test_teardown(test_schedules, end),
        cmocka_unit_test_teardown(test_million, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
