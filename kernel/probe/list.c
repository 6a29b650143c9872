#include <stddef.h>
#include "kernel/probe/probe.h"

extern const struct probe probe_inherit, probe_audit, probe_watch, probe_messages, probe_panic,
    probe_stack, probe_write_text, probe_execute_data, probe_read_user, probe_execute_user,
    probe_write_pool, probe_kmsg, probe_multicast, probe_heap;
#ifdef PATHS
extern const struct probe probe_fork;
#endif

const struct probe *const probe_list[] = {
    &probe_inherit,
    &probe_audit,
    &probe_heap,
    &probe_watch,
    &probe_messages,
    &probe_panic,
    &probe_stack,
    &probe_write_text,
    &probe_execute_data,
    &probe_read_user,
    &probe_execute_user,
    &probe_write_pool,
    &probe_kmsg,
    &probe_multicast,
#ifdef PATHS
    &probe_fork,
#endif
    NULL,
};
