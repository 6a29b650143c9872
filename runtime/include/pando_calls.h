/* Made by tools/calls.py of abi/calls.txt: a function for each system call. docs/calls/ says what
 * each does. Any uthread may call them. Result: as the page says, or a negative error.
 * What a call has in the message page is a pointer here, to anywhere in the program's memory; what
 * comes out is written after a success alone. */
#ifndef PANDO_CALLS_H
#define PANDO_CALLS_H

#include "pando.h"

/* clang-format off */

static inline long pando_null(void)
{
    return PANDO_TABLE.kernel_call(PANDO_null, 0, 0, 0, 0);
}

static inline long pando_exit(long status)
{
    return PANDO_TABLE.kernel_call(PANDO_exit, status, 0, 0, 0);
}

static inline long pando_console_write(long stream, uint64_t bytes, const void *data)
{
    const struct pando_message page = {.in = data, .in_bytes = bytes};
    return PANDO_TABLE.message_call(PANDO_console_write, stream, (long)bytes, 0, 0, &page);
}

static inline long pando_mem_map(uint64_t addr, uint64_t bytes, long prot, long flags)
{
    return PANDO_TABLE.kernel_call(PANDO_mem_map, (long)addr, (long)bytes, prot, flags);
}

static inline long pando_mem_unmap(uint64_t addr, uint64_t bytes)
{
    return PANDO_TABLE.kernel_call(PANDO_mem_unmap, (long)addr, (long)bytes, 0, 0);
}

static inline long pando_mem_protect(uint64_t addr, uint64_t bytes, long prot)
{
    return PANDO_TABLE.kernel_call(PANDO_mem_protect, (long)addr, (long)bytes, prot, 0);
}

static inline long pando_cores_request(long amt_wanted)
{
    return PANDO_TABLE.kernel_call(PANDO_cores_request, amt_wanted, 0, 0, 0);
}

static inline long pando_vcore_yield(long flags)
{
    return PANDO_TABLE.kernel_call(PANDO_vcore_yield, flags, 0, 0, 0);
}

static inline long pando_vcore_halt(void)
{
    return PANDO_TABLE.kernel_call(PANDO_vcore_halt, 0, 0, 0, 0);
}

static inline long pando_vcore_notify(long vcoreid, long type, long value)
{
    return PANDO_TABLE.kernel_call(PANDO_vcore_notify, vcoreid, type, value, 0);
}

static inline long pando_proc_create_of(uint64_t bytes, long image, long flags, long environment,
                                        const char *strings)
{
    const struct pando_message page = {.in = strings, .in_bytes = bytes};
    return PANDO_TABLE.message_call(PANDO_proc_create, (long)bytes, image, flags, environment,
                                    &page);
}

static inline long pando_proc_run(long process)
{
    return PANDO_TABLE.kernel_call(PANDO_proc_run, process, 0, 0, 0);
}

static inline long pando_proc_wait(long process)
{
    return PANDO_TABLE.kernel_call(PANDO_proc_wait, process, 0, 0, 0);
}

static inline long pando_proc_kill(long process, long flags)
{
    return PANDO_TABLE.kernel_call(PANDO_proc_kill, process, flags, 0, 0);
}

static inline long pando_vcore_place(void)
{
    return PANDO_TABLE.kernel_call(PANDO_vcore_id, 0, 0, 0, 0);
}

static inline long pando_handle_close(long handle)
{
    return PANDO_TABLE.kernel_call(PANDO_handle_close, handle, 0, 0, 0);
}

static inline long pando_handle_duplicate(long handle, long rights)
{
    return PANDO_TABLE.kernel_call(PANDO_handle_duplicate, handle, rights, 0, 0);
}

static inline long pando_handle_info(long handle)
{
    return PANDO_TABLE.kernel_call(PANDO_handle_info, handle, 0, 0, 0);
}

static inline long pando_proc_give(long process, long handle, long rights)
{
    return PANDO_TABLE.kernel_call(PANDO_proc_give, process, handle, rights, 0);
}

static inline long pando_object_create(uint64_t bytes)
{
    return PANDO_TABLE.kernel_call(PANDO_object_create, (long)bytes, 0, 0, 0);
}

static inline long pando_object_map(long object, long process, const struct map_request *request)
{
    const struct pando_message page = {.in = request, .in_bytes = sizeof *request};
    return PANDO_TABLE.message_call(PANDO_object_map, object, process, 0, 0, &page);
}

static inline long pando_object_bytes(long object)
{
    return PANDO_TABLE.kernel_call(PANDO_object_bytes, object, 0, 0, 0);
}

static inline long pando_mem_pin(uint64_t addr, uint64_t bytes)
{
    return PANDO_TABLE.kernel_call(PANDO_mem_pin, (long)addr, (long)bytes, 0, 0);
}

static inline long pando_mem_unpin(uint64_t addr, uint64_t bytes)
{
    return PANDO_TABLE.kernel_call(PANDO_mem_unpin, (long)addr, (long)bytes, 0, 0);
}

static inline long pando_mem_resident(uint64_t addr, uint64_t bytes, uint8_t *bits)
{
    const struct pando_message page = {.out = bits,
                                       .out_bytes = ((bytes / PAGE_BYTES + 7) / 8) * sizeof *bits};
    return PANDO_TABLE.message_call(PANDO_mem_resident, (long)addr, (long)bytes, 0, 0, &page);
}

static inline long pando_mem_evict(uint64_t addr, uint64_t bytes)
{
    return PANDO_TABLE.kernel_call(PANDO_mem_evict, (long)addr, (long)bytes, 0, 0);
}

static inline long pando_proc_limit(long process, uint64_t frames, uint64_t pinned)
{
    return PANDO_TABLE.kernel_call(PANDO_proc_limit, process, (long)frames, (long)pinned, 0);
}

static inline long pando_proc_sandbox(long process, uint64_t permitted, long action)
{
    return PANDO_TABLE.kernel_call(PANDO_proc_sandbox, process, (long)permitted, action, 0);
}

static inline long pando_proc_watch(long process)
{
    return PANDO_TABLE.kernel_call(PANDO_proc_watch, process, 0, 0, 0);
}

static inline long pando_proc_info(long process, struct proc_info *info)
{
    const struct pando_message page = {.out = info, .out_bytes = sizeof *info};
    return PANDO_TABLE.message_call(PANDO_proc_info, process, 0, 0, 0, &page);
}

static inline long pando_proc_call(long process, long vcoreid, long flags, void *call)
{
    const struct pando_message page = {.out = call, .out_bytes = CALL_BYTES(flags)};
    return PANDO_TABLE.message_call(PANDO_proc_call, process, vcoreid, flags, 0, &page);
}

static inline long pando_proc_reply(long process, long vcoreid, long result, long flags,
                                    const void *reply)
{
    const struct pando_message page = {.in = reply, .in_bytes = REPLY_BYTES(flags)};
    return PANDO_TABLE.message_call(PANDO_proc_reply, process, vcoreid, result, flags, &page);
}

static inline long pando_channel_create(long depth)
{
    return PANDO_TABLE.kernel_call(PANDO_channel_create, depth, 0, 0, 0);
}

static inline long pando_channel_send(long end, long flags, const struct channel_message *message)
{
    const struct pando_message page = {.in = message, .in_bytes = sizeof *message};
    return PANDO_TABLE.message_call(PANDO_channel_send, end, flags, 0, 0, &page);
}

static inline long pando_channel_receive(long end, uint64_t addr, uint64_t pages, long flags,
                                         struct channel_message *message)
{
    const struct pando_message page = {.out = message, .out_bytes = sizeof *message};
    return PANDO_TABLE.message_call(PANDO_channel_receive, end, (long)addr, (long)pages, flags,
                                    &page);
}

static inline long pando_channel_ring(long end)
{
    return PANDO_TABLE.kernel_call(PANDO_channel_ring, end, 0, 0, 0);
}

static inline long pando_channel_watch(long end, long events)
{
    return PANDO_TABLE.kernel_call(PANDO_channel_watch, end, events, 0, 0);
}

static inline long pando_event_rings(long vcoreid, long events)
{
    return PANDO_TABLE.kernel_call(PANDO_event_rings, vcoreid, events, 0, 0);
}

static inline long pando_partition_root(void)
{
    return PANDO_TABLE.kernel_call(PANDO_partition_root, 0, 0, 0, 0);
}

static inline long pando_proc_arguments(long process, uint64_t bytes, long environment,
                                        const char *strings)
{
    const struct pando_message page = {.in = strings, .in_bytes = bytes};
    return PANDO_TABLE.message_call(PANDO_proc_arguments, process, (long)bytes, environment, 0,
                                    &page);
}

static inline long pando_proc_image(long process, long image)
{
    return PANDO_TABLE.kernel_call(PANDO_proc_image, process, image, 0, 0);
}

/* clang-format on */

#endif
