#include "arch/x86_64/kernel/tsc.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/acpi.h"
#include "arch/x86_64/kernel/apic.h"
#include "arch/x86_64/kernel/cpuid.h"
#include "arch/x86_64/kernel/features.h"
#include "arch/x86_64/kernel/io.h"
#include "arch/x86_64/kernel/msr.h"

#include <stdbool.h>

enum {
    APIC_TIMER_DIVISOR = 16,
    WARM_POLLS = 8, /* to learn how long a poll takes */
    LIVENESS_POLLS = 4096,
    WINDOW_POLLS = 1 << 20,
    WINDOWS_A_SECOND = 1000
};
#define TSC_HZ_ASSUMED  1000000000ull
#define APIC_HZ_ASSUMED (1000000000ull / APIC_TIMER_DIVISOR)

/* A counter of known frequency to measure by. */
struct reference {
    const char *name;
    uint64_t hz;
    uint32_t mask; /* the bits that count */
    uint32_t (*read)(void);
};

static uint64_t tsc_hz;
static const char *source;

uint64_t arch_clock(void)
{
    return tsc_read();
}

uint64_t arch_clock_hz(void)
{
    return tsc_hz;
}

const char *tsc_source(void)
{
    return source;
}

/* --- references ------------------------------------------------------------------------------ */

enum { ACPI_TIMER_HZ = 3579545, PIT_HZ = 1193182 };
enum { PIT_CHANNEL_2 = 0x42, PIT_COMMAND = 0x43, PIT_GATE = 0x61 };
enum { PIT_2_ONE_SHOT = 0xb0, PIT_2_LATCH = 0x80, PIT_GATE_ON = 1, PIT_SPEAKER_ON = 2 };

static uint32_t acpi_timer_read(void)
{
    return inl(acpi.timer_port);
}

/* Lets channel 2 count down from its highest value; it goes round when it is at 0. */
static void pit_start(void)
{
    outb(PIT_GATE, (inb(PIT_GATE) & ~PIT_SPEAKER_ON) | PIT_GATE_ON);
    outb(PIT_COMMAND, PIT_2_ONE_SHOT);
    outb(PIT_CHANNEL_2, 0xff);
    outb(PIT_CHANNEL_2, 0xff);
}

static uint32_t pit_read(void)
{
    uint32_t low;

    outb(PIT_COMMAND, PIT_2_LATCH);
    low = inb(PIT_CHANNEL_2);
    return 0xffff - (low | (uint32_t)inb(PIT_CHANNEL_2) << 8);
}

static uint32_t tsc_read_low(void)
{
    return (uint32_t)tsc_read();
}

/* --- measuring ----------------------------------------------------------------------------------
 */

/* The three counters at one moment. */
struct sample {
    uint32_t reference;
    uint32_t apic; /* counts down */
    uint64_t tsc;
    uint64_t spread; /* TSC ticks that reading them took */
};

/* Never inlined: an emulator is slow at code that it sees for the first time, so that the samples
 * that count had better be taken by code which has run. */
__attribute__((noinline)) static struct sample sample_take(const struct reference *reference)
{
    uint64_t before = tsc_read();
    struct sample sample = {.reference = reference->read()};

    sample.tsc = tsc_read();
    sample.apic = apic_timer_count();
    sample.spread = tsc_read() - before;
    return sample;
}

/* How long a sample takes that nothing disturbs. */
static uint64_t usual_spread(const struct reference *reference)
{
    uint64_t least = UINT64_MAX;

    for (unsigned i = 0; i < WARM_POLLS; i++) {
        struct sample sample = sample_take(reference);
        if (sample.spread < least)
            least = sample.spread;
    }
    return least;
}

struct wait {
    const struct reference *reference;
    struct sample start;
    uint64_t spread_max; /* of an undisturbed sample */
    unsigned polls;      /* after so many, the reference stands still */
};

/* Waits until the reference has gone from start by at least that many ticks and a sample was taken
 * undisturbed, or by at most as many as are allowed. Returns false when it does not move. */
static bool wait_ticks(const struct wait *wait, uint32_t least, uint32_t most, struct sample *end)
{
    for (unsigned i = 0; i < wait->polls; i++) {
        *end = sample_take(wait->reference);
        uint32_t gone = (end->reference - wait->start.reference) & wait->reference->mask;
        if (gone >= most || (gone >= least && end->spread <= wait->spread_max))
            return true;
    }
    return false;
}

/* Measures both frequencies over a millisecond, from one step of the reference to another; at most
 * 1.6 ms. The results are left alone when it returns false. */
static bool measure(const struct reference *reference, uint64_t *tsc_result, uint64_t *apic_result)
{
    struct wait wait = {.reference = reference, .polls = LIVENESS_POLLS};
    uint32_t window = (uint32_t)(reference->hz / WINDOWS_A_SECOND);
    struct sample start, end;
    uint64_t gone;

    apic_timer_arm(UINT32_MAX);
    wait.spread_max = 2 * usual_spread(reference);
    wait.start = sample_take(reference);
    if (!wait_ticks(&wait, 1, window / 10, &start))
        return false;
    wait.start = start;
    wait.polls = WINDOW_POLLS;
    if (!wait_ticks(&wait, window, window + window / 2, &end))
        return false;
    gone = (end.reference - start.reference) & reference->mask;
    *tsc_result = (end.tsc - start.tsc) * reference->hz / gone;
    *apic_result = (uint64_t)(start.apic - end.apic) * reference->hz / gone;
    return true;
}

/* --- what the processor says -------------------------------------------------------------------
 */

/* A hypervisor that tells its clocks does so in kHz, in a leaf that several agree on. */
static void ask_hypervisor(uint64_t *tsc, uint64_t *bus)
{
    if (features.hypervisor) {
        struct cpuid clocks = cpuid_checked(CPUID_HYPERVISOR + 0x10, 0);
        *tsc = clocks.eax * 1000ull;
        *bus = clocks.ebx * 1000ull;
    }
}

/* Leaf 0x15: the counter's ratio to a crystal, and the crystal's frequency; where the latter is
 * left out, a physical processor's base frequency (leaf 0x16) stands in for it. */
static void ask_processor(uint64_t *tsc, uint64_t *bus)
{
    struct cpuid ratio = cpuid_checked(0x15, 0);
    uint64_t crystal = ratio.ecx;

    if (!ratio.eax || !ratio.ebx)
        return;
    if (!crystal && !features.hypervisor)
        crystal = (cpuid_checked(0x16, 0).eax & 0xffff) * 1000000ull * ratio.eax / ratio.ebx;
    *tsc = crystal * ratio.ebx / ratio.eax;
    *bus = crystal;
}

/* --- calibration ----------------------------------------------------------------------------- */

static bool measure_by_devices(uint64_t *tsc, uint64_t *apic)
{
    struct reference timer = {"ACPI timer", ACPI_TIMER_HZ, acpi.timer_mask, acpi_timer_read};
    struct reference pit = {"PIT", PIT_HZ, 0xffff, pit_read};

    if (acpi.timer_port && measure(&timer, tsc, apic)) {
        source = timer.name;
        return true;
    }
    pit_start();
    source = pit.name;
    return measure(&pit, tsc, apic);
}

void arch_clock_calibrate(void)
{
    uint64_t tsc = 0, bus = 0, apic;

    apic_init_core();
    ask_hypervisor(&tsc, &bus);
    if (!tsc)
        ask_processor(&tsc, &bus);
    apic = bus / APIC_TIMER_DIVISOR;
    if (tsc) {
        struct reference known = {"CPUID", tsc, UINT32_MAX, tsc_read_low};
        uint64_t same;
        source = known.name;
        if (!apic && !measure(&known, &same, &apic))
            apic = APIC_HZ_ASSUMED;
    } else if (!measure_by_devices(&tsc, &apic)) {
        source = "assumed";
        tsc = TSC_HZ_ASSUMED;
        apic = APIC_HZ_ASSUMED;
    }
    apic_timer_arm(0);
    tsc_hz = tsc;
    apic_timer_hz_set(apic);
}
