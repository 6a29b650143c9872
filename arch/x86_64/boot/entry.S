/* The kernel's entry from a boot loader: PVH (QEMU -kernel, Firecracker, Cloud Hypervisor) and
 * Multiboot2 (GRUB, BIOS and UEFI). Both enter in 32-bit protected mode without paging, with ebx
 * pointing to their information; Multiboot2 has its magic number in eax.
 *
 * Maps the first 4 GiB at 0 and at the direct map's base, and the first 1 GiB at the kernel's base,
 * all for the time before arch_memory_init builds the real tables; then calls boot_main(magic,
 * info) on the first kernel's boot stack. Afterwards boot_pml4 is what a started core finds itself
 * on. */

#define MULTIBOOT2_MAGIC 0xe85250d6
#define PAGE_PW   0x003
#define PAGE_PWS  0x083
#define LARGE     0x200000

    .section .boot.header, "a"
    .balign 8
multiboot_header:
    .long MULTIBOOT2_MAGIC, 0, multiboot_end - multiboot_header
    .long -(MULTIBOOT2_MAGIC + 0 + (multiboot_end - multiboot_header))
    .short 6, 0                 /* modules on page boundaries */
    .long 8
    .short 0, 0
    .long 8
multiboot_end:

    .section .note.pvh, "a", @note
    .balign 4
    .long 4, 4, 18              /* XEN_ELFNOTE_PHYS32_ENTRY */
    .asciz "Xen"
    .long boot_start

    .section .boot.text, "ax"
    .code32
    .globl boot_start
boot_start:
    cli
    cld
    mov %eax, %ebp
    rdtsc
    mov %eax, boot_tsc
    mov %edx, boot_tsc + 4
    mov %ebp, boot_magic
    mov %ebx, boot_info_address
    mov $boot_stack32_top, %esp
    call require_long_mode

    mov $boot_pd, %edi          /* 2048 pages of 2 MiB */
    mov $PAGE_PWS, %eax
    xor %edx, %edx
1:  mov %eax, (%edi)
    movl $0, 4(%edi)
    add $LARGE, %eax
    add $8, %edi
    cmp $boot_pd + 4 * 4096, %edi
    jne 1b

    mov $boot_pdpt_low, %edi
    mov $boot_pd + PAGE_PW, %eax
    movl %eax, (%edi)
    add $4096, %eax
    movl %eax, 8(%edi)
    add $4096, %eax
    movl %eax, 16(%edi)
    add $4096, %eax
    movl %eax, 24(%edi)
    movl $boot_pd + PAGE_PW, boot_pdpt_high + 510 * 8
    movl $boot_pdpt_low + PAGE_PW, boot_pml4
    movl $boot_pdpt_low + PAGE_PW, boot_pml4 + 256 * 8
    movl $boot_pdpt_high + PAGE_PW, boot_pml4 + 511 * 8

    call enter_long_mode        /* returns in 32-bit compatibility mode */
    ljmp $8, $boot_start64

/* Turns long mode on with the tables of boot_pml4. Destroys eax, ecx, edx. */
enter_long_mode:
    mov %cr4, %eax
    or $0x20, %eax              /* PAE */
    mov %eax, %cr4
    mov $boot_pml4, %eax
    mov %eax, %cr3
    mov $0xc0000080, %ecx       /* EFER: LME, NXE */
    rdmsr
    or $0x900, %eax
    wrmsr
    mov %cr0, %eax
    or $0x80010001, %eax        /* PG, WP, PE */
    mov %eax, %cr0
    lgdt boot_gdt_pointer
    ret

require_long_mode:
    mov $0x80000001, %eax
    cpuid
    mov $0x20100000, %eax       /* LM, NX */
    and %eax, %edx
    cmp %eax, %edx
    jne 1f
    ret
1:  mov $log_no_long_mode, %esi /* says so on the log, COM1, and on the control port, COM2; stops */
    mov $0x3f8, %dx
    call write_string
    mov $control_no_long_mode, %esi
    mov $0x2f8, %dx
    call write_string
2:  hlt
    jmp 2b

/* Writes the string at esi to the serial port dx. */
write_string:
    lodsb
    test %al, %al
    jz 1f
    out %al, %dx
    jmp write_string
1:  ret

    .code64
boot_start64:
    mov $16, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    xor %eax, %eax
    mov %eax, %fs
    mov %eax, %gs
    mov $boot_stack_top, %rsp
    xor %ebp, %ebp
    mov boot_magic, %edi
    mov boot_info_address, %esi
    movabs $boot_main, %rax
    call *%rax
    ud2

    .section .boot.data, "aw"
    .balign 8
    .globl boot_tsc
boot_tsc:
    .quad 0
boot_magic:
    .long 0
boot_info_address:
    .long 0
    .balign 8
    .globl boot_gdt
boot_gdt:
    .quad 0
    .quad 0x00af9b000000ffff    /* 64-bit code */
    .quad 0x00cf93000000ffff    /* data */
    .quad 0x00cf9b000000ffff    /* 32-bit code */
boot_gdt_pointer:
    .short 31
    .long boot_gdt
log_no_long_mode:
    .asciz "[0] stop: this processor lacks long mode or NX, which Pando requires\n"
control_no_long_mode:
    .asciz "\nstop this processor lacks long mode or NX, which Pando requires\n"

    .section .boot.bss, "aw", @nobits
    .balign 4096
    .globl boot_pml4, boot_pdpt_low, boot_pdpt_high, boot_pd
boot_pml4:
    .skip 4096
boot_pdpt_low:
    .skip 4096
boot_pdpt_high:
    .skip 4096
boot_pd:
    .skip 4 * 4096
    .skip 256
boot_stack32_top:

    .section .bss
    .balign 16
    .skip 0x4000
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
