/* Where a started core begins: real mode, at the page that the start-up IPI names. This code is
 * copied to that page, with the page's address added to the three pointers at its end, and is then
 * only read: any number of cores run it at once; it uses no stack. In long mode, on the shared boot
 * tables, it looks its core number up by its APIC id, loads the page tables that the forking kernel
 * built for it, and enters kernel_enter(core, began). */

#include "arch/x86_64/kernel/core_start.h"

    .section .rodata
    .globl trampoline_start, trampoline_end, trampoline_pointer
    .globl trampoline_jump32, trampoline_jump64
    .code16
trampoline_start:
    cli
    cld
    rdtsc                               /* kept in ebp, esp: when this core began */
    mov %eax, %ebp
    mov %edx, %esp
    mov %cs, %ax
    mov %ax, %ds
    movzwl %ax, %ebx
    shl $4, %ebx                        /* physical address of this page */
    lgdtl trampoline_pointer - trampoline_start
    mov %cr0, %eax
    or $1, %eax
    mov %eax, %cr0
    ljmpl *(trampoline_jump32 - trampoline_start)

    .code32
trampoline32:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %ss
    mov %cr4, %eax
    or $0x20, %eax
    mov %eax, %cr4
    mov $boot_pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx
    rdmsr
    or $0x900, %eax
    wrmsr
    mov %cr0, %eax
    and $0x9fffffff, %eax               /* caches on: CD, NW clear */
    or $0x80010001, %eax
    mov %eax, %cr0
    ljmpl *(trampoline_jump64 - trampoline_start)(%ebx)

    .code64
trampoline64:
    movabs $core_started, %rax
    jmp *%rax

    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00af9b000000ffff
    .quad 0x00cf93000000ffff
    .quad 0x00cf9b000000ffff
    .short 0
trampoline_pointer:
    .short 31
    .long trampoline_gdt - trampoline_start
    .balign 8
trampoline_jump32:
    .long trampoline32 - trampoline_start
    .short 24
    .balign 8
trampoline_jump64:
    .long trampoline64 - trampoline_start
    .short 8
trampoline_end:

    .text
core_started:
    xor %eax, %eax
    cpuid
    cmp $0xb, %eax
    jb 1f
    mov $0xb, %eax
    xor %ecx, %ecx
    cpuid
    mov %edx, %edi                      /* x2APIC id */
    test %ebx, %ebx
    jnz 2f
1:  mov $1, %eax
    cpuid
    shr $24, %ebx
    mov %ebx, %edi
2:  xor %ecx, %ecx
    mov $core_starts, %rsi
3:  cmp %edi, CORE_START_APIC(%rsi)
    jne 4f
    mov CORE_START_TABLES(%rsi), %rax
    test %rax, %rax
    jnz 6f
4:  add $CORE_START_BYTES, %rsi
    inc %ecx
    cmp $CORE_STARTS, %ecx
    jne 3b
5:  cli                                 /* nobody asked for this core: park */
    hlt
    jmp 5b
6:  mov %rax, %cr3
    mov %ebp, %eax
    mov %esp, %esi
    shl $32, %rsi
    or %rax, %rsi
    mov $stack_top, %rsp
    xor %ebp, %ebp
    mov %ecx, %edi
    call kernel_enter
    ud2

    .section .note.GNU-stack, "", @progbits
