/* The port's part of starting: the machine's first moments, a forked kernel's, another core's. */
#include "abi/error.h"
#include "arch/arch.h"
#include "arch/x86_64/boot/bootinfo.h"
#include "arch/x86_64/boot/pvh.h"
#include "arch/x86_64/kernel/apic.h"
#include "arch/x86_64/kernel/core_start.h"
#include "arch/x86_64/kernel/cores.h"
#include "arch/x86_64/kernel/cpuid.h"
#include "arch/x86_64/kernel/features.h"
#include "arch/x86_64/kernel/paging.h"
#include "kernel/kernel.h"
#include "kernel/supervisor.h"
#include "lib/string.h"

#define MULTIBOOT2_BOOT_MAGIC 0x36d76289

extern const uint64_t boot_tsc; /* in .boot, which is mapped until arch_memory_init */
static uint64_t entry_clock;
static int others_started; /* on core 0 */

uint64_t boot_clock(void)
{
    return entry_clock;
}

const char *arch_boot_info(uint32_t magic, uint64_t info, struct boot_info *boot)
{
    entry_clock = boot_tsc;
    const void *address = (const void *)info;
    return magic == MULTIBOOT2_BOOT_MAGIC ? boot_info_from_multiboot2(address, boot)
                                          : boot_info_from_pvh(address, boot);
}

/* Entry code clears AC at once; where the processor has no SMAP it has no such instruction
 * either. */
static void drop_clac(void)
{
    static const uint8_t nop[3] = {0x0f, 0x1f, 0x00};
    extern uint8_t clac_user[], clac_inside[], clac_own_stack[];
    memcpy(clac_user, nop, sizeof nop);
    memcpy(clac_inside, nop, sizeof nop);
    memcpy(clac_own_stack, nop, sizeof nop);
}

const char *arch_unsupported(void)
{
    const char *missing = cpu_missing_feature();
    if (!missing && !features.smap)
        drop_clac();
    return missing;
}

_Noreturn void arch_kernel_become(unsigned core)
{
    extern char stack_top[];
    __asm__ volatile("mov %0, %%cr3\n\t"
                     "mov %1, %%rsp\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "call kernel_enter\n\t"
                     "ud2"
                     :
                     : "r"(core_starts[core].tables), "r"(stack_top), "D"(core), "S"(arch_clock())
                     : "memory");
    __builtin_unreachable();
}

/* Processors since the P6 need no 10 ms after INIT, nor a second start-up IPI. */
static int init_needs_delay(void)
{
    unsigned family = cpuid(1, 0).eax >> 8 & 0xf;
    return family < 6;
}

static void wait_ns(uint64_t ns)
{
    uint64_t until = arch_clock() + arch_clock_hz() / 1000000 * ns / 1000;
    while (arch_clock() < until)
        arch_pause();
}

void arch_cores_start(unsigned first, unsigned last)
{
    uint64_t page = paging_start_page();
    if (!page)
        return; /* said already; the cores are missed */
    others_started = 1;
    for (unsigned core = first; core <= last; core++)
        apic_send_init(core_apic_id[core]);
    if (init_needs_delay())
        wait_ns(10000000);
    for (unsigned core = first; core <= last; core++)
        apic_send_startup(core_apic_id[core], (uint8_t)(page >> 12));
}

/* A start-up IPI without INIT: only a core that still waits for one takes it. */
void arch_core_start_again(unsigned core)
{
    uint64_t page = paging_start_page();
    if (page)
        apic_send_startup(core_apic_id[core], (uint8_t)(page >> 12));
}

/* Only those that run a kernel: the firmware's code, in which the others wait, does not survive an
 * NMI. */
void arch_stop_others(void)
{
    if (this_core == 0 && !others_started)
        return;
    for (unsigned core = 0; core < arch_core_count(); core++)
        if (core != this_core && core_starts[core].tables)
            apic_send_nmi(core_apic_id[core]);
}
