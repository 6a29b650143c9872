/* syscall_null: a system call in vcore context, by loop; the loop's own instructions are counted
 * too. */
#include <stdio.h>
#include "abi/syscall.h"
#include "pando.h"

enum { CALLS = 1000 };

static uint64_t calls_in_vcore_context(void)
{
    uint64_t ticks;
    __asm__ volatile("movb $1, %%gs:0\n\t"
                     "rdtsc\n\t"
                     "shl $32, %%rdx\n\t"
                     "or %%rdx, %%rax\n\t"
                     "mov %%rax, %%r8\n\t"
                     "mov %[calls], %%r9d\n"
                     "1:\n\t"
                     "mov %[null], %%eax\n\t"
                     "syscall\n\t"
                     "dec %%r9d\n\t"
                     "jnz 1b\n\t"
                     "rdtsc\n\t"
                     "shl $32, %%rdx\n\t"
                     "or %%rdx, %%rax\n\t"
                     "sub %%r8, %%rax\n\t"
                     "movb $0, %%gs:0"
                     : "=&a"(ticks)
                     : [calls] "i"(CALLS), [null] "i"(PANDO_null)
                     : "rcx", "rdx", "r8", "r9", "r11", "memory");
    return ticks;
}

int main(void)
{
    calls_in_vcore_context();
    printf("%.1f\n", (double)calls_in_vcore_context() / CALLS);
    return 0;
}
