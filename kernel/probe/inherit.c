/* What a constructor set on the first kernel is seen on every core; what a kernel changes later is
 * changed on its core alone, at the same address. */
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/probe/probe.h"

enum { FIRST_VALUE = 4711, SEE, CHANGE, SEE_CHANGED };

static volatile uint64_t inherited;

static void __attribute__((constructor)) set_inherited(void)
{
    inherited = FIRST_VALUE;
}

static uint64_t perform(uint64_t step)
{
    if (step == CHANGE)
        inherited = FIRST_VALUE + this_core;
    return inherited;
}

static void told(unsigned core, uint64_t step, uint64_t result)
{
    static unsigned count;
    if (step != CHANGE)
        log_line(step == SEE ? "probe inherit: core %u sees %lu" : "probe inherit: core %u has %lu",
                 core, result);
    if (++count % probe_cores())
        return;
    if (step == SEE_CHANGED)
        probe_done();
    probe_tell_all(step + 1);
}

static void conduct(void)
{
    probe_tell_all(SEE);
}

extern const struct probe probe_inherit;
const struct probe probe_inherit = {"inherit", conduct, perform, told};

/* --- audit: no frame of private memory is writable by two kernels ---------------------------- */

static uint64_t audit(uint64_t step)
{
    return (uint64_t)arch_audit_private();
}

static void audited(unsigned core, uint64_t step, uint64_t result)
{
    static unsigned count;
    if ((int)result < 0)
        panic("the tables of core %u map a writable frame that is not its own", core);
    log_line("probe audit: core %u: %lu writable private frames, all its own", core, result);
    if (++count == probe_cores())
        probe_done();
}

static void conduct_audit(void)
{
    probe_tell_all(0);
}

extern const struct probe probe_audit;
const struct probe probe_audit = {"audit", conduct_audit, audit, audited};
