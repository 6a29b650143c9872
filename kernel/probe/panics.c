/* Broken invariants, on purpose: what each protection must turn into a panic of the last core's
 * kernel. */
#include "abi/layout.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/account.h"
#include "kernel/kernel.h"
#include "kernel/probe/probe.h"
#include "kernel/shared/frame.h"
#include "lib/string.h"

extern char text_start[];

static void conduct(void)
{
    probe_tell(probe_cores() - 1, 0);
}

#define PANIC_PROBE(name, text, function)               \
    static uint64_t perform_##name(uint64_t step)       \
    {                                                   \
        function();                                     \
        log_line("probe " text ": nothing stopped it"); \
        return 0;                                       \
    }                                                   \
    extern const struct probe probe_##name;             \
    const struct probe probe_##name = {text, conduct, perform_##name, NULL};

static void __attribute__((noinline)) break_an_invariant(void)
{
    panic("asked for by a probe");
}
PANIC_PROBE(panic, "panic", break_an_invariant)

static unsigned __attribute__((noinline)) use_up_the_stack(unsigned depth)
{
    volatile char room[512];
    room[0] = (char)depth;
    return depth > 1000 ? 0 : use_up_the_stack(depth + 1) + (unsigned)room[0];
}
static void overflow(void)
{
    use_up_the_stack(0);
}
PANIC_PROBE(stack, "stack", overflow)

static void __attribute__((noinline)) write_to_text(void)
{
    *(volatile char *)text_start = 0;
}
PANIC_PROBE(write_text, "write-text", write_to_text)

static void __attribute__((noinline)) execute_the_heap(void)
{
    char *page = arch_private_alloc();
    page[0] = (char)0xc3;
    ((void (*)(void))page)();
}
PANIC_PROBE(execute_data, "execute-data", execute_the_heap)

/* A page that a process could reach, in a space that is entered for it. */
static void enter_user_page(void)
{
    struct frame_account account = {.owner = owned_by_kernel(this_core),
                                    .limit = ACCOUNT_UNLIMITED};
    int error = 0;
    frame_t frame = account_alloc(&account, FRAME_USER, &error);
    frame_t root = arch_root_make(&account, &error);
    memset(frame_pointer(frame), 0xc3, PAGE_BYTES);
    error = arch_user_map(root, PAGE_BYTES, frame, PROT_R | PROT_X, &account);
    ASSERT(!error);
    void *space = arch_space_make();
    arch_space_set(space, 0, root);
    arch_space_enter(space);
}

static void __attribute__((noinline)) read_a_user_address(void)
{
    enter_user_page();
    (void)*(volatile char *)PAGE_BYTES;
}
PANIC_PROBE(read_user, "read-user", read_a_user_address)

static void __attribute__((noinline)) execute_a_user_address(void)
{
    enter_user_page();
    ((void (*)(void))PAGE_BYTES)();
}
PANIC_PROBE(execute_user, "execute-user", execute_a_user_address)

static void __attribute__((noinline)) write_to_the_pool(void)
{
    *(volatile char *)frame_pointer(frame_pool_base) = 0;
}
PANIC_PROBE(write_pool, "write-pool", write_to_the_pool)
