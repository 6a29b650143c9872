/* Made by tools/calls.py of abi/calls.txt. A line each: number, name, how many arguments, their
 * names, what lies in the message page. */
#ifndef ABI_CALLS_H
#define ABI_CALLS_H

/* clang-format off */
#define SYSCALL_LIST(X)                                                                       \
    X(0, null, 0, "", "")                                                                     \
    X(1, exit, 1, "status", "")                                                               \
    X(2, console_write, 2, "stream bytes", "in void data[bytes]")                             \
    X(3, mem_map, 4, "addr bytes prot flags", "")                                             \
    X(4, mem_unmap, 2, "addr bytes", "")                                                      \
    X(5, mem_protect, 3, "addr bytes prot", "")                                               \
    X(6, cores_request, 1, "amt_wanted", "")                                                  \
    X(7, vcore_yield, 1, "flags", "")                                                         \
    X(8, vcore_halt, 0, "", "")                                                               \
    X(9, vcore_notify, 3, "vcoreid type value", "")                                           \
    X(10, proc_create, 4, "bytes image flags environment", "in char strings[bytes]")          \
    X(11, proc_run, 1, "process", "")                                                         \
    X(12, proc_wait, 1, "process", "")                                                        \
    X(13, proc_kill, 2, "process flags", "")                                                  \
    X(14, vcore_id, 0, "", "")                                                                \
    X(15, handle_close, 1, "handle", "")                                                      \
    X(16, handle_duplicate, 2, "handle rights", "")                                           \
    X(17, handle_info, 1, "handle", "")                                                       \
    X(18, proc_give, 3, "process handle rights", "")                                          \
    X(19, object_create, 1, "bytes", "")                                                      \
    X(20, object_map, 2, "object process", "in struct map_request request")                   \
    X(21, object_bytes, 1, "object", "")                                                      \
    X(22, mem_pin, 2, "addr bytes", "")                                                       \
    X(23, mem_unpin, 2, "addr bytes", "")                                                     \
    X(24, mem_resident, 2, "addr bytes", "out uint8_t bits[(bytes / PAGE_BYTES + 7) / 8]")    \
    X(25, mem_evict, 2, "addr bytes", "")                                                     \
    X(26, proc_limit, 3, "process frames pinned", "")                                         \
    X(27, proc_sandbox, 3, "process permitted action", "")                                    \
    X(28, proc_watch, 1, "process", "")                                                       \
    X(29, proc_info, 1, "process", "out struct proc_info info")                               \
    X(30, proc_call, 3, "process vcoreid flags", "out void call[CALL_BYTES(flags)]")          \
    X(31, proc_reply, 4, "process vcoreid result flags", "in void reply[REPLY_BYTES(flags)]") \
    X(32, channel_create, 1, "depth", "")                                                     \
    X(33, channel_send, 2, "end flags", "in struct channel_message message")                  \
    X(34, channel_receive, 4, "end addr pages flags", "out struct channel_message message")   \
    X(35, channel_ring, 1, "end", "")                                                         \
    X(36, channel_watch, 2, "end events", "")                                                 \
    X(37, event_rings, 2, "vcoreid events", "")                                               \
    X(38, partition_root, 0, "", "")                                                          \
    X(39, proc_arguments, 3, "process bytes environment", "in char strings[bytes]")           \
    X(40, proc_image, 2, "process image", "")
/* clang-format on */

#endif
