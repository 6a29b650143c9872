/* Multicasts to many sets of the cores there are. In each, one core is slow; each core says to core
 * 0 that it has performed, before it acknowledges. So when core 0 is told that all have, what they
 * said lies in its rings: a core that is missing then was left out, or acknowledged for early. */
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/multicast.h"
#include "kernel/probe/probe.h"
#include "kernel/shared/shared.h"

enum { ROUNDS = 120, SLOT_HEARD = 12, SLOW_TURNS = 200000 };

static struct actor *heard;
static uint64_t heard_of[CORES_MAX]; /* the round of which each core last said that it performed */
static struct multicast asked;
static uint64_t round_now;

static void on_heard(struct actor *self, const struct message *m, unsigned from)
{
    if (m->word[0] != round_now || heard_of[from] == round_now || !core_set_has(asked.set, from))
        panic("core %u performs multicast %lu in round %lu", from, m->word[0], round_now);
    heard_of[from] = round_now;
}

static struct actor_class heard_class = {.name = "heard", .handler = {[MESSAGE_PROBE] = on_heard}};
ACTOR_CLASS(heard_class)

static void perform_round(const uint64_t word[MULTICAST_WORDS])
{
    if (word[1] == this_core)
        for (volatile unsigned turn = 0; turn < SLOW_TURNS; turn++)
            ;
    struct message m = {.head = message_head(MESSAGE_PROBE), .word = {word[0]}};
    int refused = actor_send(actor_well_known(0, SLOT_HEARD), &m);
    ASSERT(!refused);
}
MULTICAST_OPERATION(MULTICAST_PROBE, perform_round)

static void begin(void);

/* Outside of handlers: what was said before is in the rings, and is taken now. */
static void check(void)
{
    while (actor_turn())
        ;
    for (unsigned core = 0; core < probe_cores(); core++)
        if (core_set_has(asked.set, core) && heard_of[core] != round_now)
            panic("multicast %lu is done, and core %u has not performed it", round_now, core);
}

static void check_and_go_on(void)
{
    check();
    begin();
}

static void on_all_performed(struct multicast *m)
{
    probe_run_between_turns(check_and_go_on);
}

/* Every set in turn that is left by taking some cores out. */
static void set_fill(void)
{
    uint64_t out = round_now % 5 ? round_now * 0x9e3779b97f4a7c15 >> 40 : 0;
    for (unsigned core = 0; core < probe_cores(); core++)
        if (!(out >> core % 16 & 1))
            asked.set[core / 64] |= 1ull << core % 64;
}

static void begin(void)
{
    for (;; check()) {
        if (round_now++ == ROUNDS) {
            log_line("probe multicast: %u cores ok", probe_cores());
            probe_done();
        }
        asked = (struct multicast){.operation = MULTICAST_PROBE, .done = on_all_performed};
        asked.word[0] = round_now;
        asked.word[1] = round_now % probe_cores();
        set_fill();
        if (!multicast(&asked))
            return;
    }
}

static void conduct(void)
{
    ASSERT(actor_create_at(SLOT_HEARD, &heard_class, NULL, &heard) == 0);
    probe_tell_all(0);
}

static uint64_t perform(uint64_t step)
{
    return 0;
}

static void told(unsigned core, uint64_t step, uint64_t result)
{
    static unsigned count;
    if (++count == probe_cores())
        probe_run_between_turns(begin); /* all have exchanged messages with core 0 */
}

extern const struct probe probe_multicast;
const struct probe probe_multicast = {"multicast", conduct, perform, told};
