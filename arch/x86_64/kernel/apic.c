#include "arch/x86_64/kernel/apic.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/cores.h"
#include "arch/x86_64/kernel/cpuid.h"
#include "arch/x86_64/kernel/features.h"
#include "arch/x86_64/kernel/msr.h"

#define APIC_PHYSICAL 0xfee00000ull
#define BASE_X2       (1ull << 10)
#define BASE_ENABLE   (1ull << 11)
#define BASE_FLAGS    (BASE_ENABLE | BASE_X2 | 1ull << 8)
#define NS_PER_SECOND 1000000000ull

enum { /* register offsets */
       REG_VERSION = 0x30,
       REG_PRIORITY = 0x80,
       REG_EOI = 0xb0,
       REG_SPURIOUS = 0xf0,
       REG_IN_SERVICE = 0x100, /* 8 registers, 16 bytes apart */
       REG_ERROR = 0x280,
       REG_LVT_CMCI = 0x2f0,
       REG_COMMAND = 0x300,
       REG_COMMAND_HIGH = 0x310,
       REG_LVT_TIMER = 0x320,
       REG_LVT_THERMAL = 0x330,
       REG_LVT_PERFORMANCE = 0x340,
       REG_LVT_LINT0 = 0x350,
       REG_LVT_LINT1 = 0x360,
       REG_LVT_ERROR = 0x370,
       REG_TIMER_INITIAL = 0x380,
       REG_TIMER_CURRENT = 0x390,
       REG_TIMER_DIVIDE = 0x3e0
};

enum {
    SPURIOUS_ENABLE = 0x100,
    LVT_MASKED = 0x10000,
    DIVIDE_BY_16 = 3,
    COMMAND_NMI = 0x4400, /* all with level assert */
    COMMAND_INIT = 0x4500,
    COMMAND_STARTUP = 0x4600,
    COMMAND_FIXED = 0x4000,
    COMMAND_PENDING = 0x1000,
    PENDING_POLLS = 100000,
    VECTORS = 256
};

/* Set before the snapshot, constant afterwards. */
static volatile uint32_t *registers; /* NULL in x2APIC mode */
static uint64_t timer_hz;
static uint64_t timer_ticks_scaled; /* ticks a nanosecond, times 2^32 */

static uint32_t reg_read(unsigned reg)
{
    return registers ? registers[reg / 4] : (uint32_t)msr_read(MSR_X2APIC + reg / 16);
}

static void reg_write(unsigned reg, uint32_t value)
{
    if (registers)
        registers[reg / 4] = value;
    else
        msr_write(MSR_X2APIC + reg / 16, value);
}

void apic_discover(void)
{
    registers = NULL;
    if (!features.x2apic)
        registers = arch_device_map(APIC_PHYSICAL, 4096);
}

uint32_t apic_id_max(void)
{
    return registers ? 0xfe : 0xfffffffe;
}

uint32_t apic_id(void)
{
    struct cpuid topology = cpuid_checked(0xb, 0);

    return topology.ebx ? topology.edx : cpuid(1, 0).ebx >> 24;
}

/* The processor goes from off to xAPIC to x2APIC only, one step a write. */
static void enable(void)
{
    uint64_t base = msr_read(MSR_APIC_BASE);

    if (registers)
        base = APIC_PHYSICAL | (base & BASE_FLAGS);
    if (!(base & BASE_ENABLE)) {
        base |= BASE_ENABLE;
        msr_write(MSR_APIC_BASE, base);
    }
    if (!registers && !(base & BASE_X2))
        msr_write(MSR_APIC_BASE, base | BASE_X2);
}

static void mask_local_sources(void)
{
    unsigned last_lvt = reg_read(REG_VERSION) >> 16 & 0xff;

    reg_write(REG_LVT_LINT0, LVT_MASKED);
    reg_write(REG_LVT_LINT1, LVT_MASKED);
    if (last_lvt >= 4)
        reg_write(REG_LVT_PERFORMANCE, LVT_MASKED);
    if (last_lvt >= 5)
        reg_write(REG_LVT_THERMAL, LVT_MASKED);
    if (last_lvt >= 6)
        reg_write(REG_LVT_CMCI, LVT_MASKED);
}

static int in_service(void)
{
    uint32_t any = 0;

    for (unsigned i = 0; i < VECTORS / 32; i++)
        any |= reg_read(REG_IN_SERVICE + i * 16);
    return any != 0;
}

void apic_init_core(void)
{
    enable();
    reg_write(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    mask_local_sources();
    reg_write(REG_TIMER_INITIAL, 0);
    reg_write(REG_TIMER_DIVIDE, DIVIDE_BY_16);
    reg_write(REG_LVT_TIMER, VECTOR_TIMER);
    reg_write(REG_LVT_ERROR, VECTOR_ERROR);
    apic_error_take();
    for (unsigned i = 0; i < VECTORS && in_service(); i++)
        apic_eoi();
    reg_write(REG_PRIORITY, 0);
}

void apic_eoi(void)
{
    reg_write(REG_EOI, 0);
}

uint32_t apic_error_take(void)
{
    reg_write(REG_ERROR, 0);
    return reg_read(REG_ERROR);
}

static void wait_until_sent(void)
{
    for (unsigned i = 0; i < PENDING_POLLS; i++) {
        if (!(reg_read(REG_COMMAND) & COMMAND_PENDING))
            return;
        arch_pause();
    }
}

/* A write to an x2APIC register does not wait for earlier stores, as one to memory does: hence the
 * fence. */
static void send(uint32_t id, uint32_t command)
{
    if (!registers) {
        __asm__ volatile("mfence; lfence" : : : "memory");
        msr_write(MSR_X2APIC + REG_COMMAND / 16, (uint64_t)id << 32 | command);
        return;
    }
    wait_until_sent();
    reg_write(REG_COMMAND_HIGH, id << 24);
    reg_write(REG_COMMAND, command);
}

void apic_send_init(uint32_t id)
{
    send(id, COMMAND_INIT);
}

void apic_send_startup(uint32_t id, uint8_t page)
{
    send(id, COMMAND_STARTUP | page);
}

void apic_send_fixed(uint32_t id, uint8_t vector)
{
    send(id, COMMAND_FIXED | vector);
}

void apic_send_nmi(uint32_t id)
{
    send(id, COMMAND_NMI);
}

void apic_timer_arm(uint32_t count)
{
    reg_write(REG_TIMER_INITIAL, count);
}

uint32_t apic_timer_count(void)
{
    return reg_read(REG_TIMER_CURRENT);
}

void apic_timer_hz_set(uint64_t hz)
{
    timer_hz = hz;
    timer_ticks_scaled = (hz << 32) / NS_PER_SECOND;
}

uint64_t apic_timer_hz(void)
{
    return timer_hz;
}

void arch_doorbell(unsigned core)
{
    apic_send_fixed(core_apic_id[core], VECTOR_DOORBELL);
}

void arch_timer_arm(uint64_t ns)
{
    unsigned __int128 scaled = (unsigned __int128)ns * timer_ticks_scaled;
    uint64_t ticks = scaled >> 64 ? UINT64_MAX : (uint64_t)(scaled >> 32);

    if (ticks >= UINT32_MAX)
        ticks = UINT32_MAX;
    else if (ns)
        ticks++; /* never early */
    apic_timer_arm((uint32_t)ticks);
}
