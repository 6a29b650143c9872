/* Vcore entry, and the ways between vcore context and uthread context. Contracts: user.h.
 *
 * What all of these rely on: with notif_disabled clear the kernel may save the context at any
 * instruction and enter the vcore anew at the top of the transition stack, so from the clearing on
 * nothing here needs the transition stack, and the uthread's own stack is touched only by code that
 * may fault there. */
#include "abi/layout.h"
#include "user/offsets.h"

.macro function name
    .globl \name
    .hidden \name
    .type \name, @function
    .balign 16
\name:
.endm

.macro label name
    .globl \name
    .hidden \name
\name:
.endm

    .bss
    .balign 8
label first_tsc
    .skip 8

    .text

/* The process's first instruction. rdi = vcore id, rsp = transition stack; later entries are to
 * vcore_entry, which the process tells the kernel here. */
function process_entry
    rdtsc
    shlq $32, %rdx
    orq %rdx, %rax
    movq %rax, first_tsc(%rip)
    leaq vcore_entry(%rip), %rax
    movabsq $PROCDATA_BASE, %rdx
    movq %rax, (%rdx)
    xorl %ebp, %ebp
    call process_begin
    ud2

/* Each later entry, with the same registers. */
function vcore_entry
    xorl %ebp, %ebp
    call vcore_entered
    ud2

/* rdi = context. The block itself is the stack from here on: iretq takes its last five words. */
function context_pop
    movq CONTEXT_FS_BASE(%rdi), %rax
    wrfsbase %rax
    movq %rdi, %rsp
label context_pop_begin
    movb $0, %gs:GS_DISABLED
    cmpb $0, %gs:GS_PENDING
    jne 1f
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rbp
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rbx
    popq %rax
    leaq 8(%rsp), %rsp
    iretq
1:  movb $1, %gs:GS_DISABLED
label context_pop_end
    movq %gs:GS_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call vcore_raced
    ud2

/* rdi = context, rsi = after, rdx = arg. The stack is read before masking: it may fault. */
function context_switch
    movq (%rsp), %rax
    rdfsbase %rcx
    movb $1, %gs:GS_DISABLED
    movq %rax, CONTEXT_RIP(%rdi)
    leaq 8(%rsp), %rax
    movq %rax, CONTEXT_RSP(%rdi)
    movq %rcx, CONTEXT_FS_BASE(%rdi)
    movq %rbx, CONTEXT_RBX(%rdi)
    movq %rbp, CONTEXT_RBP(%rdi)
    movq %r12, CONTEXT_R12(%rdi)
    movq %r13, CONTEXT_R13(%rdi)
    movq %r14, CONTEXT_R14(%rdi)
    movq %r15, CONTEXT_R15(%rdi)
    stmxcsr CONTEXT_MXCSR(%rdi)
    fnstcw CONTEXT_FPU(%rdi)
    movq %gs:GS_STACK_TOP, %rsp
    xorl %ebp, %ebp
    movq %rsi, %rdi
    movq %rdx, %rsi
    call vcore_switched
    ud2

/* rdi = context. Once notif_disabled is clear, the registers alone are the truth. */
function context_switch_back
    ldmxcsr CONTEXT_MXCSR(%rdi)
    fldcw CONTEXT_FPU(%rdi)
    movq CONTEXT_FS_BASE(%rdi), %rax
    wrfsbase %rax
    movq CONTEXT_RBX(%rdi), %rbx
    movq CONTEXT_RBP(%rdi), %rbp
    movq CONTEXT_R12(%rdi), %r12
    movq CONTEXT_R13(%rdi), %r13
    movq CONTEXT_R14(%rdi), %r14
    movq CONTEXT_R15(%rdi), %r15
    movq CONTEXT_RSP(%rdi), %rsp
    movq CONTEXT_RIP(%rdi), %rdx
    movb $0, %gs:GS_DISABLED
    cmpb $0, %gs:GS_PENDING
    jne 1f
    jmp *%rdx
/* The context to go on with is still in the control block: as it was read from there, or, if the
 * kernel came in between, as it was saved at one of the three instructions above. */
1:  movb $1, %gs:GS_DISABLED
    movq %gs:GS_STACK_TOP, %rsp
    xorl %ebp, %ebp
    call vcore_raced
    ud2

/* rdi = context, rsi = stack top, rdx = function, rcx = arg. */
function context_make
    leaq context_first(%rip), %rax
    movq %rax, CONTEXT_RIP(%rdi)
    movq %rsi, CONTEXT_RSP(%rdi)
    rdfsbase %rax
    movq %rax, CONTEXT_FS_BASE(%rdi)
    movq %rdx, CONTEXT_RBX(%rdi)
    movq %rcx, CONTEXT_R12(%rdi)
    movq $0, CONTEXT_RBP(%rdi)
    stmxcsr CONTEXT_MXCSR(%rdi)
    fnstcw CONTEXT_FPU(%rdi)
    ret

context_first:
    movq %r12, %rdi
    call *%rbx
    ud2

/* rdi = stack top, rsi = function, rdx = arg. */
function context_begin
    movq %rdi, %rsp
    xorl %ebp, %ebp
    movb $0, %gs:GS_DISABLED
    cmpb $0, %gs:GS_PENDING
    jne 2f
1:  movq %rdx, %rdi
    call *%rsi
    ud2
2:  pushq %rsi
    pushq %rdx
    call uthread_notice
    popq %rdx
    popq %rsi
    jmp 1b

/* rdi = number, rsi, rdx, rcx, r8 = arguments. */
function kernel_call
    movq %rdi, %rax
    movq %rsi, %rdi
    movq %rdx, %rsi
    movq %rcx, %rdx
    movq %r8, %r10
    movb $1, %gs:GS_DISABLED
    syscall
label kernel_call_return
    movb $0, %gs:GS_DISABLED
    cmpb $0, %gs:GS_PENDING
    jne 1f
    ret
1:  pushq %rax
    call uthread_notice
    popq %rax
    ret

    .section .note.GNU-stack, "", @progbits
