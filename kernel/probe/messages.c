/* Every kernel sends numbered messages to every other; each must see each sender's in order, all of
 * them. Then watches: of an actor that ends elsewhere, and of one that has ended already. */
#include "abi/error.h"
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/probe/probe.h"
#include "kernel/shared/shared.h"

enum { COUNT = 500, BURST = 20, SLOT_COUNTER = 14 };

static struct actor *counter;
static uint64_t seen[CORES_MAX], sent[CORES_MAX];
static unsigned cores, complete, refusals;

static void say_complete(void)
{
    struct message m = {.head = message_head(MESSAGE_DOWN)};
    int refused = actor_send(actor_well_known(0, SLOT_COUNTER), &m);
    ASSERT(!refused);
}

/* Refused when too much waits already: it goes on from there at the next turn. */
static void send_some(unsigned core)
{
    for (unsigned i = 0; i < BURST && sent[core] < COUNT; i++) {
        struct message m = {.head = message_head(MESSAGE_PROBE),
                            .word = {sent[core], sent[core] ^ core}};
        if (actor_send(actor_well_known(core, SLOT_COUNTER), &m)) {
            refusals++;
            return;
        }
        sent[core]++;
    }
}

static void send_burst(struct actor *self, const struct message *unused, unsigned from)
{
    int more = 0;
    for (unsigned core = 0; core < cores; core++)
        if (core != this_core) {
            send_some(core);
            more |= sent[core] < COUNT;
        }
    struct message again = {.head = message_head(MESSAGE_CONTINUE)};
    if (more && actor_send(actor_address(self), &again))
        panic("a message to itself was refused");
}

static void on_numbered(struct actor *self, const struct message *m, unsigned from)
{
    if (m->word[0] != seen[from] || m->word[1] != (seen[from] ^ this_core))
        panic("message %lu of core %u came as number %lu", seen[from], from, m->word[0]);
    if (++seen[from] == COUNT && ++complete == cores - 1)
        say_complete();
}

static void on_complete(struct actor *self, const struct message *m, unsigned from)
{
    static unsigned count;
    log_line("probe messages: core %u ok", from);
    if (++count == cores)
        probe_done();
}

static struct actor_class counter_class = {
    .name = "counter",
    .handler = {[MESSAGE_CONTINUE] = send_burst,
                [MESSAGE_PROBE] = on_numbered,
                [MESSAGE_DOWN] = on_complete},
};
ACTOR_CLASS(counter_class)

enum { MAKE = 1 << 16, START = 2 << 16 };

static uint64_t perform(uint64_t step)
{
    if (step & MAKE) {
        cores = step & 0xffff;
        ASSERT(actor_create_at(SLOT_COUNTER, &counter_class, NULL, &counter) == 0);
    } else {
        send_burst(counter, NULL, this_core);
        if (cores == 1)
            say_complete();
    }
    return 0;
}

static void told(unsigned core, uint64_t step, uint64_t result)
{
    static unsigned made;
    if (step & MAKE && ++made == probe_cores())
        probe_tell_all(START);
}

static void conduct(void)
{
    probe_tell_all(MAKE | probe_cores());
}

extern const struct probe probe_messages;
const struct probe probe_messages = {"messages", conduct, perform, told};

/* --- watch ----------------------------------------------------------------------------------- */

enum { WATCH_MAKE, WATCH_END, COOKIE_ALIVE = 77, COOKIE_GONE = 78, REASON = E_STATE, VALUE = 42 };

static struct actor *watcher, *watched;
static uint64_t watched_address;

static void on_down(struct actor *self, const struct message *m, unsigned from)
{
    static unsigned downs;
    uint64_t reason = downs ? E_GONE : REASON, cookie = downs ? COOKIE_GONE : COOKIE_ALIVE;
    if (m->word[0] != watched_address || m->word[1] != cookie || m->word[2] != reason)
        panic("DOWN of %lx, cookie %lu, reason %lu", m->word[0], m->word[1], m->word[2]);
    if (downs++) {
        log_line("probe watch: ok");
        probe_done();
    }
    ASSERT(m->word[3] == VALUE);
    if (actor_watch(watched_address, watcher, COOKIE_GONE))
        panic("a watch was refused");
}

static struct actor_class watcher_class = {.name = "watcher",
                                           .handler = {[MESSAGE_DOWN] = on_down}};
static struct actor_class watched_class = {.name = "watched"};
ACTOR_CLASS(watcher_class)
ACTOR_CLASS(watched_class)

static uint64_t perform_watch(uint64_t step)
{
    if (step == WATCH_MAKE) {
        ASSERT(actor_create(&watched_class, NULL, &watched) == 0);
        return actor_address(watched);
    }
    actor_end(watched, REASON, VALUE);
    return 0;
}

static void told_watch(unsigned core, uint64_t step, uint64_t result)
{
    if (step != WATCH_MAKE)
        return;
    watched_address = result;
    if (actor_watch(result, watcher, COOKIE_ALIVE))
        panic("a watch was refused");
    probe_tell(core, WATCH_END);
}

static void conduct_watch(void)
{
    ASSERT(actor_create(&watcher_class, NULL, &watcher) == 0);
    probe_tell(probe_cores() - 1, WATCH_MAKE);
}

extern const struct probe probe_watch;
const struct probe probe_watch = {"watch", conduct_watch, perform_watch, told_watch};
