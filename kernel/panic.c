/* The ends of the machine: a broken invariant, and the orderly ones. The control port tells the
 * host which: "exit STATUS", "stop SENTENCE" or "panic CORE". */
#include <stdarg.h>
#include "arch/arch.h"
#include "kernel/kernel.h"
#include "kernel/port.h"
#include "kernel/shared/core.h"
#include "kernel/shared/shared.h"
#include "kernel/symbol.h"
#include "lib/format.h"
#include "lib/string.h"

enum { TRACE_MOST = 24 };

EAGER static int panicking; /* this kernel */

static void say(unsigned port, const char *f, ...) __attribute__((format(printf, 2, 3)));
static void say(unsigned port, const char *f, ...)
{
    char text[256];
    va_list list;
    va_start(list, f);
    size_t length = format_list(text, sizeof text - 1, f, list);
    va_end(list);
    text[length++] = '\n';
    arch_serial_write(port, text, length);
}

static void print_backtrace(const struct context *context)
{
    uint64_t address[TRACE_MOST], offset;
    unsigned count = arch_backtrace(context, address, TRACE_MOST);
    for (unsigned i = 0; i < count; i++) {
        const char *name = symbol_find(address[i], &offset);
        if (name)
            say(PORT_LOG, "[%u]   %lx %s+0x%lx", this_core, address[i], name, offset);
        else
            say(PORT_LOG, "[%u]   %lx", this_core, address[i]);
    }
}

static _Noreturn void panic_list(const struct context *context, const char *f, va_list list)
{
    char text[200];
    if (panicking) { /* while saying why: say at least that */
        say(PORT_CONTROL, "\npanic %u", this_core);
        arch_power_off(70);
    }
    if (!core_panic_claim())
        arch_park();
    panicking = 1;
    core_stop_all();
    arch_stop_others();
    format_list(text, sizeof text, f, list);
    say(PORT_LOG, "[%u] panic: %s", this_core, text);
    print_backtrace(context);
    say(PORT_CONTROL, "\npanic %u", this_core);
    arch_power_off(70);
}

_Noreturn void panic(const char *f, ...)
{
    va_list list;
    va_start(list, f);
    panic_list(NULL, f, list);
}

_Noreturn void panic_at(const struct context *context, const char *f, ...)
{
    va_list list;
    va_start(list, f);
    panic_list(context, f, list);
}

_Noreturn void machine_exit(int status)
{
    core_stop_all();
    arch_stop_others();
    say(PORT_CONTROL, "\nexit %d", status);
    arch_power_off((unsigned)status);
}

_Noreturn void machine_stop(const char *sentence)
{
    core_stop_all();
    arch_stop_others();
    say(PORT_LOG, "[%u] stop: %s", this_core, sentence);
    say(PORT_CONTROL, "\nstop %s", sentence);
    arch_power_off(125);
}
