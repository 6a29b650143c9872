/* User contexts and FP state. What comes from a process is checked before it is loaded. */
#include "abi/error.h"
#include "abi/process.h"
#include "arch/arch.h"
#include "arch/x86_64/kernel/cpu.h"
#include "arch/x86_64/kernel/features.h"
#include "kernel/kernel.h"
#include "lib/string.h"

extern struct context user_context;

struct context *arch_context(void)
{
    return &user_context;
}

int arch_context_entry(struct context *context, uint64_t entry, uint64_t stack, unsigned vcoreid)
{
    if (entry >= USER_TOP || stack > USER_TOP)
        return -E_RANGE;
    memset(context, 0, sizeof *context);
    context->rip = entry;
    context->cs = USER_CS;
    context->rflags = RFLAGS_FIXED | RFLAGS_IF;
    context->rsp = stack;
    context->ss = USER_SS;
    context->rdi = vcoreid;
    return 0;
}

void arch_context_result(struct context *context, long result)
{
    context->rax = (uint64_t)result;
}

void arch_context_reflect(struct context *context)
{
    context->trap = TRAP_SYSCALL;
    context->cs = USER_CS;
    context->ss = USER_SS;
}

uint64_t arch_fs_base(void)
{
    uint64_t base;
    __asm__ volatile("rdfsbase %0" : "=r"(base));
    return base;
}

uint64_t arch_gs_base(void)
{
    uint64_t base;
    __asm__ volatile("rdgsbase %0" : "=r"(base));
    return base;
}

void arch_bases_set(uint64_t fs_base, uint64_t gs_base)
{
    __asm__ volatile("wrfsbase %0\n\twrgsbase %1" : : "r"(fs_base), "r"(gs_base));
}

void arch_context_save(struct context *to)
{
    user_context.fs_base = arch_fs_base();
    *to = user_context;
}

void arch_context_load(const struct context *from, uint64_t gs_base)
{
    user_context = *from;
    arch_bases_set(from->fs_base, gs_base);
}

void arch_registers_reset(void)
{
    arch_fp_init();
    __asm__ volatile("mov %w0, %%ds\n\t"
                     "mov %w0, %%es\n\t"
                     "mov %w0, %%fs\n\t"
                     "mov %w0, %%gs"
                     :
                     : "r"(0));
    arch_bases_set(0, 0);
}

uint64_t arch_fp_mask(void)
{
    return features.xsave_mask;
}

uint32_t arch_fp_bytes(void)
{
    return features.xsave_bytes;
}

void arch_fp_save(void *area)
{
    __asm__ volatile("xsave64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)features.xsave_mask), "d"(0)
                     : "memory");
}

void arch_fp_load(const void *area)
{
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)features.xsave_mask), "d"(0)
                     : "memory");
}

/* The initial configuration: no component present; MXCSR is loaded from the image all the same. */
void arch_fp_init(void)
{
    static const struct {
        uint8_t legacy[24];
        uint32_t mxcsr;
        uint8_t rest[4096 - 28];
    } initial __attribute__((aligned(64))) = {.mxcsr = 0x1f80};
    arch_fp_load(&initial);
}
