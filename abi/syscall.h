/* The system calls: number, name, arguments. Called with the `syscall` instruction in vcore context
 * (notif_disabled set); in uthread context the same instruction is reflected to the runtime.
 * Number in rax, arguments in rdi, rsi, rdx, r10; result in rax, negative = an error of error.h.
 * rcx and r11 are lost. "message" = the calling vcore's message page.
 *
 *  null()                            0. Costs one entry and one exit of the kernel.
 *  exit(status)                      ends the process; does not return. status: 0 to 255.
 *  console_write(stream, bytes)      writes message[0..bytes) to stream 1 (output) or 2 (error).
 *                                    bytes: 1 to 4096. Returns when the bytes are with the console.
 *  mem_map(addr, bytes, prot, flags) anonymous zeroed memory, on demand, or at once with MEM_EAGER
 *  (at
 *                                    most 64 pages a call, else E_INVALID).
 *                                    E_EXISTS on any overlap, E_LIMIT when the process would have
 *                                    too many regions or slots; nothing is mapped on failure.
 *  mem_unmap(addr, bytes)            undoes mem_map for the range, whatever is mapped in it.
 *  mem_protect(addr, bytes, prot)    the whole range must be mapped. prot 0: no access; what the
 *  pages
 *                                    hold stays.
 *                                    Of these three, none returns before every core that runs the
 *                                    process has dropped stale translations.
 *  cores_request(amt_wanted)         seed 2.4.1, 2.4.3. amt_wanted: 1 to procinfo.max_vcores,
 *  counts
 *                                    the cores the process wants in all. From _S the calling
 *                                    context (result 0 in rax) goes to vcore 0's uthread slot and
 *                                    vcore 0 starts at the entry point on a granted core; it waits
 *                                    for at least one. From _M returns 0 when what is idle now is
 *                                    granted, which may be nothing; more follows as cores become
 *                                    idle. What is granted is seen in procinfo.
 *  vcore_yield()                     seed 2.4.4. Gives the calling core back and lowers amt_wanted.
 *                                    Does not return, but with E_LAST_VCORE or E_STATE (in _S).
 *  vcore_halt()                      waits until notif_pending is set (returns at once when it is),
 *                                    clears it, returns 0.
 *  vcore_notify(vcoreid)             sets the vcore's notif_pending and wakes it from vcore_halt.
 *                                    E_NO_ENTRY when the process has no such vcore now.
 *  proc_create(bytes)                message[0..bytes) = the arguments, each ended by a NUL, the
 *                                    first names the program. Returns the new process's id; it is
 *                                    CREATED, a child of the caller. E_LIMIT: too many processes.
 *  proc_run(pid)                     CREATED to RUNNABLE_S. E_NO_ENTRY unless a child of the
 *  caller.
 *  proc_wait(pid)                    waits until the child has ended and all it owned is back;
 *                                    returns its status and forgets the child.
 *                                    E_STATE: another vcore waits for it already.
 *  proc_kill(pid)                    ends the child, in whatever state it is, with status 137. A
 *                                    process's children end so when it ends.
 *  vcore_id()                        the calling vcore's id, and (result >> 16) its physical core.
 */
#ifndef ABI_SYSCALL_H
#define ABI_SYSCALL_H

#define SYSCALL_LIST(X) \
    X(0, null)          \
    X(1, exit)          \
    X(2, console_write) \
    X(3, mem_map)       \
    X(4, mem_unmap)     \
    X(5, mem_protect)   \
    X(6, cores_request) \
    X(7, vcore_yield)   \
    X(8, vcore_halt)    \
    X(9, vcore_notify)  \
    X(10, proc_create)  \
    X(11, proc_run)     \
    X(12, proc_wait)    \
    X(13, proc_kill)    \
    X(14, vcore_id)

enum syscall_number {
#define SYSCALL_ENUM(number, name) PANDO_##name = number,
    SYSCALL_LIST(SYSCALL_ENUM)
#undef SYSCALL_ENUM
        SYSCALLS
};

enum { PROT_R = 1, PROT_W = 2, PROT_X = 4 }; /* W with X is refused (E_INVALID); both imply R */
enum { MEM_EAGER = 1 };                      /* allocated and mapped at once, and pinned */

enum { STATUS_FAULT = 139, STATUS_KILLED = 137 };

#endif
