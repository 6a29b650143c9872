/* Traps: what came, and who is to know. */
#include "abi/process.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/apic.h"
#include "arch/x86_64/kernel/cpu.h"
#include "arch/x86_64/kernel/paging.h"
#include "kernel/kernel.h"
#include "kernel/shared/core.h"

extern struct context user_context;

#define ERROR_PRESENT 1
#define ERROR_WRITE   2
#define ERROR_FETCH   16

static const char *const exception_names[32] = {
    "divide error",
    "debug exception",
    "NMI",
    "breakpoint",
    "overflow",
    "bound range exceeded",
    "invalid instruction",
    "no FP unit",
    "double fault",
    "exception 9",
    "invalid task state",
    "segment not present",
    "stack fault",
    "general protection fault",
    "page fault",
    "exception 15",
    "x87 error",
    "misaligned access",
    "machine check",
    "SIMD error",
    "virtualisation exception",
    "control protection fault",
};

const char *arch_fault_name(unsigned vector)
{
    return vector < 32 && exception_names[vector] ? exception_names[vector] : "unknown exception";
}

static uint64_t fault_address(void)
{
    uint64_t address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    return address;
}

static void page_fault_from_user(uint64_t error)
{
    struct user_fault fault = {
        .vector = VECTOR_PAGE_FAULT,
        .is_page_fault = 1,
        .address = fault_address(),
        .instruction = user_context.rip,
        .access = error & ERROR_FETCH   ? PROT_X
                  : error & ERROR_WRITE ? PROT_W
                                        : PROT_R,
        .present = error & ERROR_PRESENT,
    };
    kernel_fault(&fault);
}

static __attribute__((noinline)) void exception_from_user(unsigned vector)
{
    struct user_fault fault = {.vector = vector, .instruction = user_context.rip};
    kernel_fault(&fault);
}

static void report_apic_error(void)
{
    log_line("the local APIC reports error %x", apic_error_take());
    apic_eoi();
}

static __attribute__((noinline)) void other_from_user(unsigned vector)
{
    switch (vector) {
    case VECTOR_DOORBELL:
        apic_eoi();
        kernel_interrupt(INTERRUPT_DOORBELL);
        return;
    case VECTOR_TIMER:
        apic_eoi();
        kernel_interrupt(INTERRUPT_TIMER);
        return;
    case VECTOR_ERROR:
        report_apic_error();
        return;
    case VECTOR_SPURIOUS:
        return;
    default:
        if (vector >= 32)
            panic("interrupt vector %u, which nobody asked for", vector);
        exception_from_user(vector);
    }
}

void trap_from_user(void)
{
    unsigned vector = user_context.trap & 0xff;
    if (vector == VECTOR_PAGE_FAULT)
        page_fault_from_user(user_context.trap >> 8);
    else
        other_from_user(vector);
}

void trap_from_kernel(struct context *context)
{
    unsigned vector = context->trap & 0xff;
    uint64_t error = context->trap >> 8;
    if (vector == VECTOR_DOORBELL || vector == VECTOR_TIMER) {
        apic_eoi(); /* out of arch_wait: the loop goes on and looks */
        return;
    }
    if (vector == VECTOR_ERROR) {
        report_apic_error();
        return;
    }
    if (vector == VECTOR_SPURIOUS)
        return;
    if (vector == VECTOR_PAGE_FAULT) {
        if (paging_copy_on_write(fault_address(), error) == 0)
            return;
        panic_at(context, "page fault in the kernel: %s of %lx at %lx",
                 error & ERROR_FETCH   ? "execution"
                 : error & ERROR_WRITE ? "write"
                                       : "read",
                 fault_address(), context->rip);
    }
    panic_at(context, "%s in the kernel, error code %lx, at %lx", arch_fault_name(vector), error,
             context->rip);
}

void trap_on_own_stack(struct context *context)
{
    unsigned vector = context->trap & 0xff;
    if (vector == VECTOR_NMI && core_stopping())
        for (;;)
            __asm__ volatile("cli; hlt");
    panic_at(context, "%s at %lx, stack %lx", arch_fault_name(vector), context->rip, context->rsp);
}

void arch_call_more(uint64_t more[2])
{
    more[0] = user_context.r8;
    more[1] = user_context.r9;
}

void syscall_from_user(void)
{
    const long argument[4] = {(long)user_context.rdi, (long)user_context.rsi,
                              (long)user_context.rdx, (long)user_context.r10};
    user_context.rax = (uint64_t)kernel_syscall((long)user_context.rax, argument);
}
