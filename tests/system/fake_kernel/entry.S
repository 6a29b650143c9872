/* Entry points of the fake kernel, both in 32-bit protected mode: PVH (QEMU -kernel; ebx = start
 * info) and Multiboot2 (GRUB; eax = magic, ebx = boot information). */
    .section .multiboot2, "a"
    .balign 8
header:
    .long 0xe85250d6, 0, header_end - header, -(0xe85250d6 + (header_end - header))
    .short 0, 0
    .long 8
header_end:

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .long pvh_entry, 0

    .text
    .globl multiboot2_entry, pvh_entry
pvh_entry:
    xorl %eax, %eax
multiboot2_entry:
    cli
    cld
    movl $stack_top, %esp
    pushl %ebx
    pushl %eax
    call fake_main
1:  hlt
    jmp 1b

    .globl triple_fault
triple_fault:
    lidt no_idt
    ud2

    .section .rodata
no_idt:
    .short 0
    .long 0

    .bss
    .balign 16
    .skip 4096
stack_top:
    .section .note.GNU-stack, "", @progbits
