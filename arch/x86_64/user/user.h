/* The contract of a port's user side: what the runtime asks of the processor.
 *
 * GS points to the vcore_data of the vcore that runs the code. A uthread in uthread context may be
 * taken off its vcore between any two instructions and go on elsewhere, so there GS is used by
 * single instructions only; "masked" below means notif_disabled set, which keeps the code where it
 * is. */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <stdint.h>
#include "abi/process.h"
#include "abi/syscall.h"
#include "user/offsets.h"

struct uthread;

#define USER_RFLAGS 0x202 /* interrupts on, all else clear */

_Static_assert(GS_DISABLED == VCORE_NOTIF_DISABLED && GS_PENDING == VCORE_NOTIF_PENDING, "flags");
_Static_assert(GS_VCOREID == VCORE_ID && GS_STACK_TOP == VCORE_STACK_TOP, "vcore_data");
_Static_assert(GS_CURRENT == VCORE_RUNTIME, "the current uthread is the runtime's first word");
_Static_assert(CONTEXT_R15 == offsetof(struct context, r15), "context");
_Static_assert(CONTEXT_R12 == offsetof(struct context, r12), "context");
_Static_assert(CONTEXT_RBP == offsetof(struct context, rbp), "context");
_Static_assert(CONTEXT_RBX == offsetof(struct context, rbx), "context");
_Static_assert(CONTEXT_MXCSR == offsetof(struct context, trap), "context");
_Static_assert(CONTEXT_RIP == offsetof(struct context, rip), "context");
_Static_assert(CONTEXT_RSP == offsetof(struct context, rsp), "context");
_Static_assert(CONTEXT_FS_BASE == offsetof(struct context, fs_base), "context");

/* --- entry.S ------------------------------------------------------------------------------------
 */

extern uint64_t first_tsc; /* the time-stamp counter at the first instruction of the process */

/* Vcore context. Goes on with a whole context, from the block it stands in (pinned), touching no
 * stack; FP state must be in place. Clears notif_disabled; if notif_pending is set then, sets it
 * again and calls vcore_raced on the transition stack instead. Interrupted in between, the
 * instruction pointer lies in [context_pop_begin, context_pop_end) and the block is still true. */
_Noreturn void context_pop(const struct context *context);
extern const char context_pop_begin[], context_pop_end[];

/* Uthread context. Saves the caller as a function call may see it saved (callee-saved registers, FP
 * control words, FS base) in *context (pinned), masks, and calls vcore_switched(after, arg) on the
 * transition stack. Returns when somebody calls context_switch_back, perhaps on another vcore. */
void context_switch(struct context *context, void (*after)(struct uthread *, void *), void *arg);

/* Vcore context. Makes the context_switch that filled *context return. Races as context_pop does.
 */
_Noreturn void context_switch_back(const struct context *context);

/* Makes *context such that context_switch_back calls function(arg) on an empty stack, with the
 * caller's FP control words. function must not return. */
void context_make(struct context *context, void *stack_top, void (*function)(void *), void *arg);

/* Vcore context. Calls function(arg) on that stack in uthread context, without FP state being
 * touched; the stack may fault. function must not return. */
_Noreturn void context_begin(void *stack_top, void (*function)(void *), void *arg);

/* Uthread context. A kernel call that may move the caller to another vcore. */
long kernel_call(long number, long a, long b, long c, long d);
/* A context with this instruction pointer was moved by the kernel in kernel_call: not reflected. */
extern const char kernel_call_return[];

/* Called by entry.S, on the transition stack in vcore context. */
_Noreturn void process_begin(uint32_t vcoreid); /* the process's first entry */
_Noreturn void vcore_entered(uint32_t vcoreid); /* each later entry by the kernel */
_Noreturn void vcore_raced(void);               /* notif_pending was set on leaving vcore context */
_Noreturn void vcore_switched(void (*after)(struct uthread *, void *), void *arg);
/* Called by entry.S in uthread context: as vcore_raced. */
void uthread_notice(void);

/* --- masking ------------------------------------------------------------------------------------
 */

static inline void vcore_mask(void)
{
    __asm__ volatile("movb $1, %%gs:%c0" : : "i"(GS_DISABLED) : "memory");
}

/* A notification that came while masked was kept in notif_pending: it is taken up now. */
static inline void vcore_unmask(void)
{
    uint8_t pending;

    __asm__ volatile("movb $0, %%gs:%c1\n\tmovb %%gs:%c2, %0"
                     : "=q"(pending)
                     : "i"(GS_DISABLED), "i"(GS_PENDING)
                     : "memory");
    if (pending)
        uthread_notice();
}

/* The current uthread; any context. */
static inline struct uthread *user_current(void)
{
    struct uthread *current;

    __asm__ volatile("movq %%gs:%c1, %0" : "=r"(current) : "i"(GS_CURRENT));
    return current;
}

/* The vcore that runs this instruction; unless masked, it may be another at the next. */
static inline uint32_t user_vcoreid(void)
{
    uint32_t vcoreid;

    __asm__ volatile("movl %%gs:%c1, %0" : "=r"(vcoreid) : "i"(GS_VCOREID));
    return vcoreid;
}

/* A kernel call; masked. */
static inline long system_call(long number, long a, long b, long c, long d)
{
    register long r10 __asm__("r10") = d;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
                     : "rcx", "r11", "memory");
    return result;
}

/* --- FP state -----------------------------------------------------------------------------------
 */

/* Saves all FP state of these components to a 64-byte-aligned area whose header was zero or written
 * by fp_save, and leaves the x87 stack empty. */
static inline void fp_save(void *area, uint64_t mask)
{
    __asm__ volatile("xsave64 (%0)\n\tfninit"
                     :
                     : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
                     : "memory");
}

static inline void fp_restore(const void *area, uint64_t mask)
{
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32))
                     : "memory");
}

/* --- the processor ------------------------------------------------------------------------------
 */

static inline void words_copy(void *to, const void *from, uint64_t words)
{
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

static inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}

static inline uint64_t cpu_clock(void)
{
    uint32_t low, high;

    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* CPUID leaf 1, EDX: what a Linux program finds as AT_HWCAP. */
uint32_t cpu_features(void);
/* Fills *word from the processor's generator. False: it has none, or it has nothing to give now. */
bool cpu_random(uint64_t *word);

#endif
