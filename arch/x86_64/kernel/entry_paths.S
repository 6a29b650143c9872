/* Ways into the kernel and out of it. Interrupts stay off in the kernel.
 *
 * TSS.RSP0 points behind `ss` of user_context, so that the processor itself pushes a user context's
 * interrupt frame into its place, and the stubs push the registers below: a context is saved once,
 * and never moved. No swapgs: this kernel's variables are at fixed addresses. From kernel mode (a
 * snapshot page to be copied, an interrupt out of arch_wait, a broken invariant) the same frame
 * lies on the kernel stack. */

#include "arch/x86_64/kernel/cpu.h"

    .section .eager, "aw"
    .balign 16
    .quad 0
    .globl user_context
user_context:                       /* struct context; its end but fs_base is 16-byte aligned */
    .skip 176
    .globl user_context_top
.set user_context_top, user_context + 168

    .text
    .macro PUSH_REGISTERS
    push %rax
    push %rbx
    push %rcx
    push %rdx
    push %rsi
    push %rdi
    push %rbp
    push %r8
    push %r9
    push %r10
    push %r11
    push %r12
    push %r13
    push %r14
    push %r15
    .endm

    .macro POP_REGISTERS
    pop %r15
    pop %r14
    pop %r13
    pop %r12
    pop %r11
    pop %r10
    pop %r9
    pop %r8
    pop %rbp
    pop %rdi
    pop %rsi
    pop %rdx
    pop %rcx
    pop %rbx
    pop %rax
    .endm

/* A stub a vector leaves `error code << 8 | vector` in the frame's trap word. */
    .macro STUB vector
    .balign 16
stub_\vector:
    .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21
    shlq $8, (%rsp)
    addq $\vector, (%rsp)
    .else
    pushq $\vector
    .endif
    .if \vector == 2 || \vector == 8 || \vector == 18
    jmp own_stack
    .else
    jmp trap_common
    .endif
    .endm

    .altmacro
    .set i, 0
    .rept 256
    STUB %i
    .set i, i + 1
    .endr

    .section .rodata
    .balign 8
    .globl trap_entries
trap_entries:
    .macro STUB_ADDRESS vector
    .quad stub_\vector
    .endm
    .set i, 0
    .rept 256
    STUB_ADDRESS %i
    .set i, i + 1
    .endr

    .text
trap_common:
    cld
    PUSH_REGISTERS
    testb $3, CONTEXT_CS(%rsp)
    jz trap_inside
    .globl clac_user
clac_user:
    clac
    mov $stack_top, %rsp
    xor %ebp, %ebp
    call trap_from_user
    /* falls through */

/* Returns to user mode with user_context. */
    .globl arch_user_enter
arch_user_enter:
    mov $user_context, %rsp
    POP_REGISTERS
    add $8, %rsp
    iretq

trap_inside:
    .globl clac_inside
clac_inside:
    clac
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call trap_from_kernel
    mov %rbx, %rsp
    POP_REGISTERS
    add $8, %rsp
    iretq

/* NMI, #DF and #MC come on stacks of their own, in any state. */
own_stack:
    cld
    .globl clac_own_stack
clac_own_stack:
    clac
    PUSH_REGISTERS
    mov %rsp, %rdi
    mov %rsp, %rbx
    and $-16, %rsp
    call trap_on_own_stack
    mov %rbx, %rsp
    POP_REGISTERS
    add $8, %rsp
    iretq

/* The `syscall` instruction: rcx = rip, r11 = rflags, stack still the user's; FMASK has cleared IF,
 * DF, AC, TF, NT. */
    .globl syscall_entry
    .balign 16
syscall_entry:
    mov %rsp, user_context + CONTEXT_RSP
    mov $user_context + CONTEXT_TRAP, %rsp
    PUSH_REGISTERS
    mov %rcx, user_context + CONTEXT_RIP
    mov %r11, user_context + CONTEXT_RFLAGS
    mov $stack_top, %rsp
    xor %ebp, %ebp
    call syscall_from_user
    mov $user_context, %rsp
    POP_REGISTERS
    mov user_context + CONTEXT_RIP, %rcx
    mov user_context + CONTEXT_RFLAGS, %r11
    mov user_context + CONTEXT_RSP, %rsp
    sysretq

/* arch_stack_reset(function): */
    .globl arch_stack_reset
arch_stack_reset:
    mov $stack_top, %rsp
    xor %ebp, %ebp
    call *%rdi
    ud2

/* arch_wait: halts until an interrupt; one that is pending ends the halt, as sti takes effect after
 * hlt has begun. */
    .globl arch_wait
arch_wait:
    sti
    hlt
    cli
    ret

    .section .note.GNU-stack, "", @progbits
