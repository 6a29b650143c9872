/* Descriptor tables, control registers and MSRs of a core: set by one function on every core. */
#include "arch/x86_64/kernel/cpu.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/apic.h"
#include "arch/x86_64/kernel/features.h"
#include "arch/x86_64/kernel/msr.h"
#include "kernel/kernel.h"
#include "kernel/shared/shared.h"

extern char user_context_top[], nmi_stack_top[], fault_stack_top[], machine_check_stack_top[];

enum { IST_NMI = 1, IST_FAULT, IST_MACHINE_CHECK };

#define EFER_SCE 0x001
#define EFER_NXE 0x800
#define FMASK    0x47700 /* AC, NT, IOPL, DF, IF, TF */

#define CR0_MP (1ul << 1)
#define CR0_EM (1ul << 2)
#define CR0_TS (1ul << 3)
#define CR0_NE (1ul << 5)
#define CR0_WP (1ul << 16)

#define CR4_PAE        (1ul << 5)
#define CR4_MCE        (1ul << 6)
#define CR4_PGE        (1ul << 7)
#define CR4_OSFXSR     (1ul << 9)
#define CR4_OSXMMEXCPT (1ul << 10)
#define CR4_UMIP       (1ul << 11)
#define CR4_FSGSBASE   (1ul << 16)
#define CR4_OSXSAVE    (1ul << 18)
#define CR4_SMEP       (1ul << 20)
#define CR4_SMAP       (1ul << 21)

struct task_state {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

struct table_pointer {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

EAGER static struct gate idt[256] __attribute__((aligned(16)));
EAGER static struct task_state task_state __attribute__((aligned(16)));
EAGER static uint64_t gdt[8] = {
    0,
    0x00af9b000000ffff, /* KERNEL_CS */
    0x00cf93000000ffff, /* KERNEL_SS */
    0,                  /* where SYSRET looks for 32-bit code */
    0x00cff3000000ffff, /* USER_SS */
    0x00affb000000ffff, /* USER_CS */
    0,
    0, /* SELECTOR_TSS */
};

static unsigned stack_for(unsigned vector)
{
    switch (vector) {
    case VECTOR_NMI:
        return IST_NMI;
    case VECTOR_DOUBLE_FAULT:
        return IST_FAULT;
    case VECTOR_MACHINE_CHECK:
        return IST_MACHINE_CHECK;
    default:
        return 0;
    }
}

static void load_interrupt_table(void)
{
    for (unsigned vector = 0; vector < 256; vector++) {
        uint64_t entry = trap_entries[vector];
        idt[vector] = (struct gate){
            .offset_low = (uint16_t)entry,
            .selector = KERNEL_CS,
            .ist = (uint8_t)stack_for(vector),
            .type = 0x8e,
            .offset_middle = (uint16_t)(entry >> 16),
            .offset_high = (uint32_t)(entry >> 32),
        };
    }
    struct table_pointer pointer = {sizeof idt - 1, (uint64_t)idt};
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void load_descriptors(void)
{
    uint64_t base = (uint64_t)&task_state;
    task_state.rsp[0] = (uint64_t)user_context_top;
    task_state.ist[IST_NMI - 1] = (uint64_t)nmi_stack_top;
    task_state.ist[IST_FAULT - 1] = (uint64_t)fault_stack_top;
    task_state.ist[IST_MACHINE_CHECK - 1] = (uint64_t)machine_check_stack_top;
    task_state.io_map = sizeof task_state;
    gdt[SELECTOR_TSS / 8] = (sizeof task_state - 1) | (base & 0xffffff) << 16 | 0x89ull << 40 |
                            (base >> 24 & 0xff) << 56;
    gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
    struct table_pointer pointer = {sizeof gdt - 1, (uint64_t)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "mov %w2, %%ss\n\t"
                     "mov %w3, %%ds\n\t"
                     "mov %w3, %%es\n\t"
                     "mov %w3, %%fs\n\t"
                     "mov %w3, %%gs\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "ltr %w4\n\t"
                     "lldt %w3" /* reset leaves one that is present, at address 0: a process's */
                     :
                     : "m"(pointer), "i"(KERNEL_CS), "r"(KERNEL_SS), "r"(0), "r"(SELECTOR_TSS)
                     : "rax", "memory");
}

static void set_control_registers(void)
{
    uint64_t cr0,
        cr4 = CR4_PAE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_FSGSBASE | CR4_OSXSAVE;
    __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
    cr0 = (cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE | CR0_WP;
    __asm__ volatile("mov %0, %%cr0" : : "r"(cr0));
    cr4 |= (features.pge ? CR4_PGE : 0) | (features.umip ? CR4_UMIP : 0) |
           (features.smep ? CR4_SMEP : 0) | (features.smap ? CR4_SMAP : 0);
    __asm__ volatile("mov %0, %%cr4" : : "r"(cr4));
    __asm__ volatile("xsetbv" : : "c"(0), "a"((uint32_t)arch_fp_mask()), "d"(0));
}

static void set_system_call(void)
{
    msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | EFER_NXE);
    msr_write(MSR_STAR, (uint64_t)KERNEL_CS << 32 | (uint64_t)(USER_SS - 8) << 48);
    msr_write(MSR_LSTAR, (uint64_t)syscall_entry);
    msr_write(MSR_FMASK, FMASK);
}

void arch_core_init(void)
{
    load_descriptors();
    load_interrupt_table();
    set_control_registers();
    set_system_call();
    arch_fp_init();
    apic_init_core();
}
