/* The table of functions for programs, at its fixed place in the image: see pando.h. */
#include "runtime/event.h"
#include "runtime/message.h"
#include "runtime/program.h"
#include "runtime/uthread.h"
#include "runtime/vcore.h"

extern const struct pando_table pando_table;

__attribute__((section(".pando_table"), used)) const struct pando_table pando_table = {
    .version = 1,
    .first_tsc = &first_tsc,
    .vcores_request = runtime_vcores_request,
    .vcore_id = runtime_vcore_id,
    .uthread_create = runtime_uthread_create,
    .uthread_join = runtime_uthread_join,
    .uthread_yield = runtime_uthread_yield,
    .uthread_self = runtime_uthread_self,
    .kernel_call = runtime_kernel_call,
    .proc_create = runtime_proc_create,
    .message_call = runtime_message_call,
    .event_poll = runtime_event_poll,
    .event_wait = runtime_event_wait,
    .event_rings = runtime_event_rings,
    .events_posted = runtime_events_posted,
    .events_await = runtime_events_await,
    .alone = runtime_alone,
};
