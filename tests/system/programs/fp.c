/* fp TEST [ARGUMENT]: x87, SSE and AVX state is kept across whatever happens to a uthread; "ok" at
 * the end.
 *
 * A state is loaded whole by XRSTOR, something happens, and it is stored whole by XSAVE, in one
 * piece of assembly, so that the compiler has no part in it. */
#include <stddef.h>
#include <time.h>
#include "tests/system/programs/check.h"

enum { LINUX_GETPID = 39, LINUX_SCHED_YIELD = 24, LINUX_NANOSLEEP = 35, LINUX_UNAME = 63 };
enum { X87 = 1, SSE = 2, AVX = 4, REGISTERS = 16, X87_REGISTERS = 8, UTHREADS_MAX = 64 };

struct area {
    uint16_t control, status;
    uint8_t tags, unused;
    uint16_t opcode;
    uint64_t instruction, operand;
    uint32_t mxcsr, mxcsr_mask;
    struct {
        uint8_t value[10], unused[6];
    } x87[X87_REGISTERS];
    uint8_t xmm[REGISTERS][16];
    uint8_t unused_2[96];
    uint64_t present, header[7];
    uint8_t ymm_high[REGISTERS][16];
    uint8_t rest[4096 - 832];
} __attribute__((aligned(64)));

_Static_assert(offsetof(struct area, xmm) == 160 && offsetof(struct area, ymm_high) == 832 - 256,
               "area");

uint64_t mask; /* the components that there are */

/* A state of its own for each seed: registers full, rounding and masks changed. */
static void area_fill(struct area *area, unsigned seed)
{
    uint64_t state = seed * 0x9e3779b97f4a7c15ull + 1;
    memset(area, 0, sizeof *area);
    area->present = mask;
    area->control = 0x7f | (seed & 3) << 10 | 2 << 8;
    area->mxcsr = 0x1f80 | (seed >> 2 & 3) << 13 | (seed & 1) << 15;
    area->tags = 0xff;
    for (unsigned i = 0; i < X87_REGISTERS; i++) {
        for (unsigned j = 0; j < 8; j++)
            area->x87[i].value[j] = (uint8_t)random_next(&state);
        area->x87[i].value[7] |= 0x80; /* a normal number */
        area->x87[i].value[8] = (uint8_t)random_next(&state);
        area->x87[i].value[9] = 0x3f;
    }
    for (unsigned i = 0; i < REGISTERS; i++)
        for (unsigned j = 0; j < 16; j++) {
            area->xmm[i][j] = (uint8_t)random_next(&state);
            area->ymm_high[i][j] = (uint8_t)random_next(&state);
        }
}

static int area_differs(const struct area *a, const struct area *b)
{
    if (a->control != b->control || a->status != b->status || a->tags != b->tags)
        return X87;
    for (unsigned i = 0; i < X87_REGISTERS; i++)
        if (memcmp(a->x87[i].value, b->x87[i].value, 10))
            return X87;
    if (a->mxcsr != b->mxcsr || memcmp(a->xmm, b->xmm, sizeof a->xmm))
        return SSE;
    return mask & AVX && memcmp(a->ymm_high, b->ymm_high, sizeof a->ymm_high) ? AVX : 0;
}

#define ALL_REGISTERS                                                                              \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",       \
        "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "rcx", "r8", "r9", "r10", "r11", "rbx", "cc", \
        "memory"

/* ACTION with `in` loaded; what is there afterwards goes to `out`. number, a, b: in r14, rdi, rsi.
 */
#define ACROSS(action)                                                                             \
    static void __attribute__((noinline))                                                          \
    across_##action(const struct area *in, struct area *out, long number, long a, long b)          \
    {                                                                                              \
        static const uint32_t usual_mxcsr = 0x1f80;                                                \
        register const void *from __asm__("r12") = in;                                             \
        register void *to __asm__("r13") = out;                                                    \
        register long what __asm__("r14") = number;                                                \
        register uint64_t components __asm__("r15") = mask;                                        \
        uint64_t low = mask, high = 0;                                                             \
        __asm__ volatile("xrstor64 (%[from])\n\t" ACTION_##action                                  \
                         "\n\tmov %[components], %%rax\n\txor %%edx, %%edx\n\txsave64 (%[to])\n\t" \
                         "fninit\n\tldmxcsr %[usual]"                                              \
                         : "+a"(low), "+d"(high), "+D"(a), "+S"(b)                                 \
                         : [from] "r"(from), [to] "r"(to), [what] "r"(what),                       \
                           [components] "r"(components), [usual] "m"(usual_mxcsr)                  \
                         : ALL_REGISTERS);                                                         \
    }

#define ACTION_nothing ""
#define ACTION_syscall "mov %[what], %%rax\n\tsyscall"
#define ACTION_store   "movb $1, (%%rdi)"
#define ACTION_spin    "mov %[what], %%rcx\n\t1: dec %%rcx\n\tjnz 1b"
#define ACTION_call \
    "mov %%rsp, %%rbx\n\tsub $256, %%rsp\n\tand $-16, %%rsp\n\tcall *%[what]\n\tmov %%rbx, %%rsp"
ACROSS(nothing)
ACROSS(syscall)
ACROSS(store)
ACROSS(spin)
ACROSS(call)

struct area filled[UTHREADS_MAX + 1], found[UTHREADS_MAX + 1];

static void prepare(unsigned seed)
{
    area_fill(&filled[seed], seed);
    memset(&found[seed], 0, sizeof found[seed]);
}

static void expect_kept(unsigned seed)
{
    int differs = area_differs(&filled[seed], &found[seed]);
    CHECK_IS(differs, 0);
}

/* --- one uthread ----------------------------------------------------------------------------- */

static void test_syscalls(void)
{
    static char name[400];
    static const struct timespec nap = {.tv_nsec = 3000000};
    const struct {
        long number, a, b;
    } calls[] = {{LINUX_GETPID, 0, 0},
                 {LINUX_SCHED_YIELD, 0, 0},
                 {LINUX_UNAME, (long)name, 0},
                 {LINUX_NANOSLEEP, (long)&nap, 0},
                 {9999, 0, 0}};
    for (unsigned i = 0; i < sizeof calls / sizeof *calls; i++) {
        prepare(i);
        across_syscall(&filled[i], &found[i], calls[i].number, calls[i].a, calls[i].b);
        expect_kept(i);
    }
}

static void test_faults(void)
{
    const uint64_t at = 0x200000000000, pages = 50;
    CHECK_IS(pando_kernel_call(PANDO_mem_map, at, pages * PAGE_BYTES, PROT_R | PROT_W, 0), 0);
    for (unsigned i = 0; i < pages; i++) {
        prepare(i);
        across_store(&filled[i], &found[i], 0, at + i * PAGE_BYTES, 0);
        expect_kept(i);
    }
    CHECK_IS(pando_kernel_call(PANDO_mem_unmap, at, pages * PAGE_BYTES, 0, 0), 0);
}

/* kernel_call(number, a, ...), called with the state in the registers: the runtime does not touch
 * it. */
static void test_kernel_call(long number, long a)
{
    prepare(5);
    across_call(&filled[5], &found[5], (long)PANDO_TABLE.kernel_call, number, a);
    expect_kept(5);
}

static void test_single(void)
{
    prepare(3);
    across_nothing(&filled[3], &found[3], 0, 0, 0);
    expect_kept(3);
    test_syscalls();
    test_faults();
    test_kernel_call(PANDO_null, 0);
    test_kernel_call(PANDO_vcore_id, 0);
    test_kernel_call(PANDO_proc_wait, 9999);
}

/* From one core to another: the state goes through the uthread slot. */
static void test_many_core(void)
{
    test_kernel_call(PANDO_cores_request, pando_procinfo()->max_vcores);
    CHECK_IS(pando_procinfo()->manycore, 1);
    test_single();
}

/* To many cores and back: through the uthread slot, and through the frame for a single context. */
static void test_moves(void)
{
    for (unsigned round = 0; round < 5; round++) {
        test_kernel_call(PANDO_cores_request, pando_procinfo()->max_vcores);
        CHECK_IS(pando_procinfo()->manycore, 1);
        test_kernel_call(PANDO_cores_request, 0);
        CHECK_IS(pando_procinfo()->manycore, 0);
        test_single();
    }
}

/* Yields until it is on another management core. */
static void test_migration(void)
{
    unsigned before = pando_kernel_call(PANDO_vcore_id, 0, 0, 0, 0) >> 16;
    while (pando_kernel_call(PANDO_vcore_id, 0, 0, 0, 0) >> 16 == before)
        test_kernel_call(PANDO_vcore_yield, 0);
    test_single();
}

/* As long as other processes have their slices in between. */
static void test_slices(long seed)
{
    for (unsigned round = 0; round < 10; round++) {
        prepare(seed);
        across_spin(&filled[seed], &found[seed], 3000000, 0, 0);
        expect_kept(seed);
    }
}

static void run_children(const char *test, unsigned count)
{
    char seeds[UTHREADS_MAX][24];
    long children[UTHREADS_MAX];
    for (unsigned i = 0; i < count; i++) {
        snprintf(seeds[i], sizeof seeds[i], "%u", i + 1);
        char *words[] = {"fp", (char *)test, seeds[i]};
        CHECK((children[i] = pando_proc_create(3, words)) > 0);
    }
    for (unsigned i = 0; i < count; i++)
        CHECK_IS(pando_kernel_call(PANDO_proc_run, children[i], 0, 0, 0), 0);
    for (unsigned i = 0; i < count; i++)
        CHECK_IS(child_wait(children[i]), 0);
}

/* --- many uthreads --------------------------------------------------------------------------- */

static unsigned migrations;

/* Its calls let others run, which have other states, and it goes on wherever a vcore is free. */
static void *keep_state(void *arg)
{
    unsigned seed = (unsigned)(long)arg;
    for (unsigned round = 0; round < 50; round++) {
        int before = pando_vcore_id();
        area_fill(&filled[seed], seed + round);
        across_syscall(&filled[seed], &found[seed], LINUX_SCHED_YIELD, 0, 0);
        if (area_differs(&filled[seed], &found[seed]))
            return (void *)1;
        if (pando_vcore_id() != before)
            __atomic_fetch_add(&migrations, 1, __ATOMIC_SEQ_CST);
    }
    return NULL;
}

/* A call need not keep the registers, but the control words it must. */
static void *keep_control_words(void *arg)
{
    uint16_t control = 0x37f | ((long)arg & 3) << 10, control_now;
    uint32_t mxcsr = 0x1f80 | ((long)arg >> 2 & 3) << 13, mxcsr_now;
    __asm__ volatile("fldcw %0\n\tldmxcsr %1" : : "m"(control), "m"(mxcsr));
    for (unsigned round = 0; round < 200; round++) {
        uthread_yield();
        __asm__ volatile("fnstcw %0\n\tstmxcsr %1" : "=m"(control_now), "=m"(mxcsr_now));
        if (control_now != control || (mxcsr_now & ~0x3fu) != mxcsr)
            return (void *)1;
    }
    return NULL;
}

static void run_uthreads(void *(*start)(void *), unsigned count)
{
    struct uthread *uthreads[UTHREADS_MAX];
    void *result;
    for (unsigned i = 0; i < count; i++)
        CHECK_IS(uthread_create(&uthreads[i], start, (void *)(long)i), 0);
    for (unsigned i = 0; i < count; i++) {
        CHECK_IS(uthread_join(uthreads[i], &result), 0);
        CHECK_IS((long)result, 0);
    }
}

static void test_uthreads(long vcores)
{
    CHECK_IS(pando_vcores_request(vcores), vcores);
    run_uthreads(keep_state, 32);
    run_uthreads(keep_control_words, 32);
    CHECK(vcores == 1 || migrations > 0);
}

/* --- what others left ------------------------------------------------------------------------ */

static unsigned together, wanted;

static void meet(void)
{
    __atomic_fetch_add(&together, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&together, __ATOMIC_SEQ_CST) < wanted)
        ;
}

/* Ends while every vcore but main's has its registers full. */
static void *leave_state(void *arg)
{
    __asm__ volatile("xrstor64 (%0)"
                     :
                     : "r"(&filled[(long)arg]), "a"((uint32_t)mask), "d"(0)
                     : "memory");
    meet();
    pando_kernel_call(PANDO_exit, 0, 0, 0, 0);
    return NULL;
}

/* The first instructions of a uthread on a vcore that has run none before: rdi = number. */
void first_on_vcore(void);
__asm__(".globl first_on_vcore\nfirst_on_vcore:\n\t"
        "mov %rdi, %rsi\n\tshl $12, %rsi\n\tlea found(%rip), %rcx\n\tadd %rcx, %rsi\n\t"
        "mov mask(%rip), %rax\n\txor %edx, %edx\n\txsave64 (%rsi)\n\tjmp look_at_first");

void *look_at_first(void *arg);
void *look_at_first(void *arg)
{
    static const uint8_t zeroes[sizeof((struct area *)0)->xmm];
    const struct area *area = &found[(long)arg];
    meet();
    if (area->present & X87 && (area->tags || area->status || area->control != 0x37f))
        return (void *)X87;
    if (area->mxcsr != 0x1f80 || (area->present & SSE && memcmp(area->xmm, zeroes, sizeof zeroes)))
        return (void *)SSE;
    if (area->present & AVX && memcmp(area->ymm_high, zeroes, sizeof zeroes))
        return (void *)AVX;
    return NULL;
}

static void on_all_vcores(void *(*start)(void *))
{
    struct uthread *uthreads[UTHREADS_MAX];
    void *result;
    wanted = pando_vcores_request(pando_procinfo()->max_vcores);
    CHECK(wanted >= 1 && wanted <= UTHREADS_MAX);
    for (unsigned i = 1; i < wanted; i++) {
        prepare(i);
        CHECK_IS(uthread_create(&uthreads[i], start, (void *)(long)i), 0);
    }
    meet();
    for (unsigned i = 1; i < wanted; i++) {
        CHECK_IS(uthread_join(uthreads[i], &result), 0);
        CHECK_IS((long)result, 0);
    }
}

/* No value of another process's is in the registers of a new one. */
static void look_for_others(void)
{
    static struct area area, other;
    __asm__ volatile("xsave64 (%0)" : : "r"(&area), "a"((uint32_t)mask), "d"(0) : "memory");
    for (unsigned seed = 1; seed < UTHREADS_MAX; seed++) {
        area_fill(&other, seed);
        for (unsigned i = 0; i < REGISTERS; i++) {
            CHECK(!(area.present & SSE) || memcmp(area.xmm[i], other.xmm[i], 16));
            CHECK(!(area.present & AVX) || memcmp(area.ymm_high[i], other.ymm_high[i], 16));
        }
        for (unsigned i = 0; i < X87_REGISTERS; i++)
            CHECK(!(area.present & X87) || memcmp(area.x87[i].value, other.x87[i].value, 10));
    }
}

static void test_fresh(void)
{
    for (unsigned round = 0; round < 4; round++) {
        run_children("leave", 1);
        run_children("look", 1);
    }
}

int main(int argc, char *argv[])
{
    const char *test = argv[1];
    mask = pando_procinfo()->xsave_mask & (X87 | SSE | AVX);
    if (!strcmp(test, "look"))
        look_for_others();
    if (argc > 3 && !(mask & AVX))
        return 3; /* fp TEST ARGUMENT avx: it is to be there */
    if (!strcmp(test, "single"))
        test_single();
    else if (!strcmp(test, "many-core"))
        test_many_core();
    else if (!strcmp(test, "moves"))
        test_moves();
    else if (!strcmp(test, "migrate"))
        test_migration();
    else if (!strcmp(test, "slices"))
        test_slices(number_of(argv[2]));
    else if (!strcmp(test, "processes"))
        run_children("slices", number_of(argv[2]));
    else if (!strcmp(test, "uthreads"))
        test_uthreads(number_of(argv[2]));
    else if (!strcmp(test, "fresh"))
        test_fresh();
    else if (!strcmp(test, "leave"))
        on_all_vcores(leave_state);
    else if (!strcmp(test, "look"))
        on_all_vcores((void *(*)(void *))first_on_vcore);
    else
        return 2;
    if (strcmp(test, "slices") && strcmp(test, "look"))
        printf("ok\n");
    return 0;
}
