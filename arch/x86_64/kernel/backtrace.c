/* Backtraces by frame pointers, on the kernel's stack and, while booting, the boot stack. */
#include "abi/process.h"
#include "arch/arch.h"

extern char private_start[], private_end[], stack_bottom[], stack_top[], text_start[], text_end[];

static int on_a_stack(uint64_t address)
{
    return address % 8 == 0 &&
           ((address >= (uint64_t)stack_bottom && address <= (uint64_t)stack_top - 16) ||
            (address >= (uint64_t)private_start && address <= (uint64_t)private_end - 16));
}

static int in_text(uint64_t address)
{
    return address >= (uint64_t)text_start && address < (uint64_t)text_end;
}

unsigned arch_backtrace(const struct context *context, uint64_t *out, unsigned most)
{
    unsigned count = 0;
    uint64_t frame = context ? context->rbp : (uint64_t)__builtin_frame_address(0);
    if (context && count < most)
        out[count++] = context->rip;
    /* a call that led out of the kernel's text: its return address lies on top */
    if (context && !in_text(context->rip) && count < most && on_a_stack(context->rsp))
        out[count++] = *(const uint64_t *)context->rsp;
    while (count < most && on_a_stack(frame)) {
        const uint64_t *words = (const uint64_t *)frame;
        if (!in_text(words[1]))
            break;
        out[count++] = words[1];
        if (words[0] <= frame)
            break;
        frame = words[0];
    }
    return count;
}

_Noreturn void arch_park(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}
