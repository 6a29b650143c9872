/* The cost of a message from kernel to kernel, both in their loops: what actor_send takes, and what
 * the turn of the loop takes that handles it. One message a round, so that nothing is shared
 * out. */
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/probe/probe.h"

enum { ROUNDS = 101, SLOT_PING = 13, WARM = 20 };

static struct actor *ping;
static unsigned rounds;
static uint64_t send_cost[ROUNDS], receive_cost[ROUNDS];

static uint64_t median(uint64_t *value)
{
    for (unsigned i = 1; i < ROUNDS; i++)
        for (unsigned j = i; j > 0 && value[j - 1] > value[j]; j--) {
            uint64_t other = value[j];
            value[j] = value[j - 1];
            value[j - 1] = other;
        }
    return value[ROUNDS / 2];
}

/* Measured without a message: what reading the clock itself costs. */
static uint64_t clock_cost(void)
{
    uint64_t from = arch_clock();
    return arch_clock() - from;
}

static void on_ping(struct actor *self, const struct message *m, unsigned from)
{
}

static struct actor_class ping_class = {.name = "ping", .handler = {[MESSAGE_PROBE] = on_ping}};
ACTOR_CLASS(ping_class)

static uint64_t timed_send(unsigned core)
{
    struct message m = {.head = message_head(MESSAGE_PROBE)};
    uint64_t to = actor_well_known(core, SLOT_PING), from = arch_clock();
    int refused = actor_send(to, &m);
    uint64_t cost = arch_clock() - from;
    ASSERT(!refused);
    return cost;
}

/* Polls in the loop until a turn has handled a message; the cost of that turn. */
static uint64_t timed_turn(void)
{
    for (;;) {
        uint64_t from = arch_clock();
        unsigned handled = actor_turn();
        uint64_t cost = arch_clock() - from;
        if (handled == 1)
            return cost;
        arch_pause();
    }
}

static void play(unsigned peer, int first)
{
    for (unsigned i = 0; i < WARM + ROUNDS; i++) {
        if (!first)
            receive_cost[i % ROUNDS] = timed_turn();
        send_cost[i % ROUNDS] = timed_send(peer);
        if (first)
            receive_cost[i % ROUNDS] = timed_turn();
    }
}

static void play_second(void)
{
    play(0, 0);
}

static uint64_t perform(uint64_t step)
{
    if (step == 0) {
        ASSERT(actor_create_at(SLOT_PING, &ping_class, NULL, &ping) == 0);
        return 0;
    }
    probe_run_between_turns(play_second);
    return 0;
}

static void report(void)
{
    uint64_t clock = clock_cost();
    uint64_t least = ~0ull, most = 0;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t sum = send_cost[i] + receive_cost[i] - 2 * clock;
        least = sum < least ? sum : least;
        most = sum > most ? sum : most;
    }
    uint64_t sender = median(send_cost) - clock, receiver = median(receive_cost) - clock;
    log_line("probe kmsg: %lu sender %lu receiver %lu least %lu most %lu", sender + receiver,
             sender, receiver, least, most);
}

static void play_first(void)
{
    play(1, 1);
    report();
    probe_done();
}

static void told(unsigned core, uint64_t step, uint64_t result)
{
    if (step == 0 && ++rounds == 2) {
        struct message go = {.head = message_head(MESSAGE_PROBE), .word = {1}};
        int refused = actor_send(probe_actor_of(1), &go);
        ASSERT(!refused);
        probe_run_between_turns(play_first);
    }
}

static void conduct(void)
{
    if (probe_cores() < 2)
        machine_stop("the probe kmsg needs two cores");
    probe_tell(0, 0);
    probe_tell(1, 0);
}

extern const struct probe probe_kmsg;
const struct probe probe_kmsg = {"kmsg", conduct, perform, told};
