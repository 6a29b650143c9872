#include "kernel/probe/probe.h"
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/options.h"
#include "kernel/probe.h"
#include "kernel/shared/shared.h"
#include "kernel/supervisor.h"
#include "lib/string.h"

enum { SLOT_PROBE = 15 };

static struct actor *self;
static const struct probe *running;
static unsigned to_report;

static void (*between_turns)(void);

void probe_run_between_turns(void (*function)(void))
{
    between_turns = function;
}

void probe_between_turns(void)
{
    void (*function)(void) = between_turns;
    between_turns = NULL;
    if (function)
        function();
}

/* --- the conductor and its orchestra --------------------------------------------------------- */

uint64_t probe_actor_of(unsigned core)
{
    return actor_well_known(core, SLOT_PROBE);
}

unsigned probe_cores(void)
{
    return supervisor_cores();
}

static const struct probe *probe_find(void)
{
    for (const struct probe *const *p = probe_list; *p; p++)
        if (!strcmp((*p)->name, options.probe))
            return *p;
    return NULL;
}

void probe_tell(unsigned core, uint64_t step)
{
    struct message m = {.head = message_head(MESSAGE_PROBE), .word = {step}};
    int refused = actor_send(probe_actor_of(core), &m);
    ASSERT(!refused);
    to_report++;
}

void probe_tell_all(uint64_t step)
{
    for (unsigned core = 0; core < probe_cores(); core++)
        probe_tell(core, step);
}

_Noreturn void probe_done(void)
{
    machine_exit(0);
}

static void on_probe(struct actor *actor, const struct message *m, unsigned from)
{
    struct message reply = {.head = message_head(MESSAGE_PROBE_REPLY)};
    reply.word[0] = m->word[0];
    reply.word[1] = running->perform(m->word[0]);
    int refused = actor_send(probe_actor_of(0), &reply);
    ASSERT(!refused);
}

static void on_reply(struct actor *actor, const struct message *m, unsigned from)
{
    to_report--;
    if (running->told)
        running->told(from, m->word[0], m->word[1]);
    else if (!to_report)
        probe_done();
}

static struct actor_class probe_class = {
    .name = "probe",
    .handler = {[MESSAGE_PROBE] = on_probe, [MESSAGE_PROBE_REPLY] = on_reply},
};
ACTOR_CLASS(probe_class)

void probe_start(void)
{
    ASSERT(actor_create_at(SLOT_PROBE, &probe_class, NULL, &self) == 0);
    running = probe_find();
}

int probe_take_over(void)
{
    if (!options.probe[0])
        return 0;
    if (!running)
        machine_stop("there is no probe of that name");
    running->conduct();
    return 1;
}
