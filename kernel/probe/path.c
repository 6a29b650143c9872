/* Path lengths: how many instructions led to where a kernel is, in ticks of the time-stamp counter
 * (under -icount, instructions). A message carries its sender's; who handles it goes on from there,
 * so waiting is left out; where paths join, the longest counts. docs/figures.md. */
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/probe.h"
#include "kernel/probe/probe.h"
#include "kernel/shared/shared.h"
#include "kernel/supervisor.h"

enum { PATH_WORD = 6 };

/* What led to a core's start-up IPI: of all from the boot, and of this core's fork alone. */
SHARED static uint64_t start_path[CORES_MAX], fork_path[CORES_MAX];

/* Written before the kernel can copy pages: what led here, and the clock then. */
EAGER static uint64_t path_before, path_since;
static uint64_t up_path; /* core 0: the longest path of a core that is up */
EAGER static uint64_t fork_since, first_turn;
EAGER static int began_here;

static uint64_t path(void)
{
    return path_before + (arch_clock() - path_since);
}

static void path_go_on(uint64_t before, uint64_t since)
{
    path_before = before;
    path_since = since;
}

void probe_send(struct message *m)
{
    m->word[PATH_WORD] = path();
}

static uint64_t interrupted; /* user mode, on this clock; 0: it was not */

void probe_interrupted(void)
{
    interrupted = arch_clock();
}

void probe_user_entered(void)
{
    interrupted = 0;
}

void probe_receive(const struct message *m)
{
    uint64_t now = arch_clock(), entry = interrupted ? now - interrupted : 0;
    path_go_on(m->word[PATH_WORD] + entry, now);
    interrupted = 0;
}

long probe_path(void)
{
    return (long)path();
}

static uint64_t joined[CORES_MAX];

void probe_part_done(unsigned key)
{
    joined[key] = path();
}

void probe_join(unsigned key)
{
    if (path() < joined[key])
        path_go_on(joined[key], arch_clock());
}

void probe_fork_begins(void)
{
    fork_since = arch_clock();
}

void probe_fork_done(unsigned core)
{
    fork_path[core] = arch_clock() - fork_since;
}

void probe_cores_start(unsigned cores)
{
    fork_since = arch_clock();
    for (unsigned core = 1; core <= cores; core++)
        start_path[core] = path();
}

/* Each core's share of the start-up IPIs. */
void probe_cores_started(unsigned cores)
{
    uint64_t each = (arch_clock() - fork_since) / cores;
    for (unsigned core = 1; core <= cores; core++)
        fork_path[core] += each;
}

void probe_kernel_began(uint64_t began)
{
    if (this_core)
        path_go_on(start_path[this_core], began);
    else
        path_go_on(0, boot_clock());
    fork_since = began;
    began_here = 1;
}

void probe_loop_begins(void)
{
    if (began_here)
        first_turn = arch_clock() - fork_since;
    began_here = 0;
}

void probe_core_up(const struct message *m)
{
    if (m->word[PATH_WORD] > up_path)
        up_path = m->word[PATH_WORD];
    path_go_on(up_path, arch_clock());
}

uint64_t probe_boot_clock(uint64_t boot)
{
    return arch_clock() - path();
}

/* --- the probe: each core's fork, from the request to the new kernel's first turn ------------ */

static uint64_t perform(uint64_t step)
{
    return first_turn;
}

static void told(unsigned core, uint64_t step, uint64_t result)
{
    static unsigned count;
    if (core)
        log_line("probe fork: %lu on core %u: %lu to fork and start it, %lu its own",
                 fork_path[core] + result, core, fork_path[core], result);
    if (++count == probe_cores())
        probe_done();
}

static void conduct(void)
{
    probe_tell_all(0);
}

extern const struct probe probe_fork;
const struct probe probe_fork = {"fork", conduct, perform, told};
