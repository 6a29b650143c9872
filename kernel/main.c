/* How a kernel begins: the first by boot_main, which makes the snapshot; then each, the first
 * included, by kernel_enter on a copy of it. docs/kernel.md, docs/fork.md. */
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/archive.h"
#include "kernel/console.h"
#include "kernel/kernel.h"
#include "kernel/log.h"
#include "kernel/memory_room.h"
#include "kernel/multicast.h"
#include "kernel/options.h"
#include "kernel/probe.h"
#include "kernel/shared/channel.h"
#include "kernel/shared/core.h"
#include "kernel/shared/frame.h"
#include "kernel/shared/shared.h"
#include "kernel/supervisor.h"
#include "kernel/vcore.h"

EAGER unsigned this_core;
static struct boot_info boot;

static void run_constructors(void)
{
    extern void (*init_array_start[])(void), (*init_array_end[])(void);
    for (void (**constructor)(void) = init_array_start; constructor < init_array_end; constructor++)
        (*constructor)();
}

static void stop_on(const char *sentence)
{
    if (sentence)
        machine_stop(sentence);
}

static void say_on(const char *sentence)
{
    if (sentence)
        log_line("%s", sentence);
}

_Noreturn void boot_main(uint32_t magic, uint64_t info)
{
    arch_serial_init();                                     /* so that anything can be said */
    const char *wrong = arch_boot_info(magic, info, &boot); /* one form for all loaders */
    const char *wrong_option = options_parse(&boot);
    arch_exit_port_set(options.exit_port);
    stop_on(wrong);
    stop_on(arch_unsupported());
    stop_on(wrong_option);
    unsigned cores = arch_core_estimate(&boot);
    stop_on(frame_table_make(&boot, cores)); /* who owns what memory */
    arch_memory_init(&boot);                 /* our own page tables */
    say_on(arch_discover_cores(&boot));
    arch_clock_calibrate();
    arch_interrupts_quiet();
    stop_on(archive_open(&boot));
    run_constructors(); /* actor classes and their like */
    log_line("pando: booted by %s, %u cores, clock %lu kHz", boot.loader, arch_core_count(),
             arch_clock_hz() / 1000);
    arch_snapshot_freeze(); /* what all kernels begin with */
    core_incarnation_raise(0);
    if (arch_kernel_fork(0))
        machine_stop("too little memory: the first kernel cannot be forked");
    frame_cache_drain();
    arch_kernel_become(0);
}

_Noreturn void kernel_enter(unsigned core, uint64_t began)
{
    probe_kernel_began(began);
    ASSERT(core == this_core);
    frame_cache_forget();
    frame_reserve_fill();
    arch_core_init();
    if (core == 0) {
        int error = channel_inbox_make(0);
        ASSERT(!error);
    }
    channel_start();
    vcore_driver_start();
    multicast_start();
    probe_start();
    memory_room_start();
    if (core == 0) {
        log_start();
        console_start();
        supervisor_start();
    } else {
        supervisor_report_up();
    }
    kernel_loop();
}

/* For so long messages keep vcores waiting; then one is entered briefly, whatever else waits. */
#define PATIENCE_US 100

/* Takes turns while there are messages. 1: there were some for longer than patience lasts. */
static int take_turns(void)
{
    uint64_t patience = arch_clock_hz() / 1000000 * PATIENCE_US, since = arch_clock();
    while (actor_turn())
        if (arch_clock() - since > patience)
            return 1;
    return 0;
}

static void loop(void)
{
    channel_back();
    probe_loop_begins();
    for (;;) {
        int late = take_turns();
        frame_reserve_fill();
        probe_between_turns();
        supervisor_poll();
        struct vcore *next = vcore_next();
        if (!actor_prepare_to_leave()) {
            if (next && late)
                vcore_enter_briefly(next);
            continue;
        }
        if (next)
            vcore_enter(next);
        arch_wait();
        channel_back();
    }
}

_Noreturn void kernel_loop(void)
{
    arch_stack_reset(loop);
}
