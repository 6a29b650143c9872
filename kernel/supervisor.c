#include "kernel/supervisor.h"
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/archive.h"
#include "kernel/census.h"
#include "kernel/cores.h"
#include "kernel/kernel.h"
#include "kernel/options.h"
#include "kernel/placement.h"
#include "kernel/probe.h"
#include "kernel/process.h"
#include "kernel/shared/channel.h"
#include "kernel/shared/core.h"
#include "kernel/shared/shared.h"

/* When no core has reported for so long, those that are missing are called again, once. */
#define UP_NS 1000000000ull

static struct actor *supervisor;
static uint64_t up[CORE_SET_WORDS]; /* the set of cores that run a kernel */
static unsigned cores_up, cores_forked;
static int called_again;
static int first_ended, first_status; /* of the first process */
static uint64_t deadline;             /* of arch_clock; 0: nothing is awaited */

unsigned supervisor_cores(void)
{
    return cores_up;
}

int supervisor_core_is_up(unsigned core)
{
    return core_set_has(up, core);
}

static uint64_t clock_after(uint64_t ns)
{
    return arch_clock() + ns / 1000 * (arch_clock_hz() / 1000000);
}

static void await_cores(void)
{
    deadline = clock_after(UP_NS);
    arch_timer_arm(UP_NS);
}

/* --- the first process ----------------------------------------------------------------------- */

static void start_first_process(void)
{
    const char *arguments;
    size_t bytes;
    if (archive_file("boot/args", &arguments, &bytes))
        machine_stop("the boot archive has no file boot/args, which names the program to run");
    struct process_plan plan = {.strings = arguments, .bytes = bytes};
    struct process *p;
    int error = process_create(&plan, &p);
    if (error == -E_INVALID)
        machine_stop("the boot archive's boot/args does not hold a program's arguments");
    if (error)
        machine_stop("too little memory: the first process cannot be created");
    if (actor_watch(p->address, supervisor, 0) || process_run(p))
        machine_stop("too little memory: the first process cannot be run");
}

static void all_up(void)
{
    deadline = 0;
    arch_timer_arm(0);
    log_line("%u of %u cores run a kernel", cores_up, arch_core_count());
    if (cores_up == 1)
        log_line(
            "there is no core beyond the first: it is management core and granted core in one");
    uint64_t granted[CORE_SET_WORDS];
    placement_start(up, granted);
    allocator_start(granted);
    if (!probe_take_over())
        start_first_process();
}

static void on_down(struct actor *self, const struct message *m, unsigned from)
{
    first_ended = 1;
    first_status = (int)m->word[3];
}

/* --- the other kernels ----------------------------------------------------------------------- */

static void fork_others(void)
{
    unsigned count = arch_core_count();
    for (unsigned core = 1; core < count; core++) {
        probe_fork_begins();
        core_incarnation_raise(core);
        if (channel_inbox_make(core) || arch_kernel_fork(core)) {
            log_line("out of memory: no kernel is forked for cores %u to %u", core, count - 1);
            return;
        }
        cores_forked++;
        probe_fork_done(core);
    }
}

static void on_up(struct actor *self, const struct message *m, unsigned from)
{
    if (core_set_has(up, from) || !deadline)
        return; /* it came too late to be used */
    probe_core_up(m);
    up[from / 64] |= 1ull << from % 64;
    cores_up++;
    if (cores_up == 1 + cores_forked)
        all_up();
    else
        await_cores();
}

void supervisor_report_up(void)
{
    struct message m = {.head = message_head(MESSAGE_CORE_UP), .word = {this_core}};
    int refused = actor_send(actor_well_known(0, ACTOR_SUPERVISOR), &m);
    ASSERT(!refused);
}

void supervisor_poll(void)
{
    if (first_ended && !process_any()) {
        census();
        machine_exit(first_status);
    }
    if (!deadline || arch_clock() < deadline)
        return;
    if (!called_again) {
        called_again = 1;
        for (unsigned core = 1; core <= cores_forked; core++)
            if (!core_set_has(up, core))
                arch_core_start_again(core);
        await_cores();
        return;
    }
    for (unsigned core = 1; core <= cores_forked; core++)
        if (!core_set_has(up, core))
            log_line("core %u does not start: it is left out", core);
    all_up();
}

static struct actor_class supervisor_class = {
    .name = "supervisor",
    .handler = {[MESSAGE_CORE_UP] = on_up, [MESSAGE_DOWN] = on_down},
};
ACTOR_CLASS(supervisor_class)

void supervisor_start(void)
{
    ASSERT(actor_create_at(ACTOR_SUPERVISOR, &supervisor_class, NULL, &supervisor) == 0);
    up[0] = 1;
    cores_up = 1;
    fork_others();
    if (!cores_forked) {
        all_up();
        return;
    }
    await_cores();
    probe_cores_start(cores_forked);
    arch_cores_start(1, cores_forked);
    probe_cores_started(cores_forked);
}
