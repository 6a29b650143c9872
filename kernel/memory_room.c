#include "kernel/memory_room.h"
#include <stddef.h>
#include "abi/process.h"
#include "kernel/event.h"
#include "kernel/process.h"
#include "kernel/process_end.h"
#include "kernel/slot.h"

static struct process *giver; /* its room is not ROOM_NONE */
static uint32_t last_giver;   /* pid: the next one is asked next */

static int may_give(const struct process *p)
{
    return p->evict_order && !p->evict_none && p->state < PROCESS_DYING;
}

/* Processes are in the order of their pids, the highest first. */
static struct process *choose(void)
{
    struct process *first = NULL;
    for (struct process *p = process_after(NULL); p; p = process_after(p)) {
        if (!may_give(p))
            continue;
        if (p->pid < last_giver)
            return p;
        if (!first)
            first = p;
    }
    return first;
}

static void ask(struct process *p)
{
    giver = p;
    last_giver = p->pid;
    p->room = ROOM_ASKED;
    p->awaited++;
    slots_ours(p, 0, USER_TOP);
    process_continue_later(p);
}

int memory_room_ask(struct process *p)
{
    if (!giver && frame_short()) {
        struct process *chosen = choose();
        if (chosen)
            ask(chosen);
    }
    if (!giver)
        return 0;
    p->awaited += !p->room_waits;
    p->room_waits = 1;
    return 1;
}

void memory_room_take(struct process *p)
{
    if (p->room != ROOM_ASKED || p->awaited != 1u + p->room_waits)
        return;
    p->room = ROOM_TAKING;
    memory_evict(p);
}

static void wait_no_more(struct process *p)
{
    if (!p->room_waits)
        return;
    p->room_waits = 0;
    p->awaited--;
    if (p->change.waiting)
        process_continue_later(p);
}

void memory_room_done(struct process *p)
{
    giver = NULL;
    p->room = ROOM_NONE;
    p->awaited--;
    for (struct process *each = process_after(NULL); each; each = process_after(each))
        wait_no_more(each);
}

void memory_room_leave(struct process *p)
{
    if (p->room)
        memory_room_done(p);
    wait_no_more(p);
}

/* --- the warning ------------------------------------------------------------------------------ */

/* In the middle of anything that takes or frees frames: no more than marks, and messages. */
static void short_changed(int is_short)
{
    for (struct process *p = process_after(NULL); p; p = process_after(p)) {
        p->short_untold = is_short && p->state > PROCESS_CREATED && p->state < PROCESS_DYING;
        if (p->short_untold)
            process_continue_later(p);
    }
}

void memory_room_start(void)
{
    frame_on_short(short_changed);
}

void memory_room_tell(struct process *p)
{
    p->short_untold = 0;
    event_post(p, EVENT_MEMORY_PRESSURE, PRESSURE_MACHINE,
               (const uint64_t[6]){frame_free_count(), frame_usable_count()});
}
