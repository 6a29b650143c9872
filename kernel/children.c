/* The calls by which a process creates and controls its children. docs/process.md. */
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/home.h"
#include "kernel/process.h"
#include "lib/string.h"

static struct process *child_of(struct process *p, unsigned long pid)
{
    struct process *child = pid <= 0xffffffff ? process_find((uint32_t)pid) : NULL;
    return child && child->parent == p->pid ? child : NULL;
}

static long create(struct process *p, unsigned vcoreid, unsigned long bytes)
{
    if (bytes < 1 || bytes > PAGE_BYTES)
        return -E_INVALID;
    char *copy = arch_private_alloc(); /* the page is the process's to change: read once */
    if (!copy)
        return -E_NO_MEMORY;
    memcpy(copy, frame_pointer(process_record(p, vcoreid)->message), bytes);
    long pid = process_create(p->pid, copy, bytes);
    arch_private_free(copy);
    return pid;
}

static long wait_for(struct process *p, unsigned vcoreid, struct process *child)
{
    if (child->waited_by)
        return -E_STATE;
    child->waited_by = p->pid;
    child->waiter_vcore = vcoreid;
    if (child->gone)
        process_answer_waiter(child);
    return CALL_LATER;
}

long children_call(struct process *p, unsigned vcoreid, long number, const long argument[4])
{
    if (number == PANDO_proc_create)
        return create(p, vcoreid, (unsigned long)argument[0]);
    struct process *child = child_of(p, (unsigned long)argument[0]);
    if (!child)
        return -E_NO_ENTRY;
    switch (number) {
    case PANDO_proc_run:
        return process_run(child);
    case PANDO_proc_kill:
        process_end(child, STATUS_KILLED);
        return 0;
    default:
        return wait_for(p, vcoreid, child);
    }
}
