#include "kernel/watch.h"
#include "abi/error.h"
#include "kernel/event.h"
#include "kernel/pool.h"
#include "kernel/process.h"

static struct pool watch_pool = POOL_OF(struct watch);

static void tell(const struct process *p, struct process *watcher, uint16_t number)
{
    uint64_t payload[6] = {(uint64_t)p->status, p->reason};
    event_post(watcher, EVENT_CHILD_ENDED, number, payload);
}

static struct watch **find(struct process *p, const struct process *watcher, uint16_t number)
{
    struct watch **at = &p->watches;
    while (*at && ((*at)->watcher != watcher || (*at)->number != number))
        at = &(*at)->next;
    return at;
}

int watch_add(struct process *p, struct process *watcher, uint16_t number)
{
    if (p->gone) {
        tell(p, watcher, number);
        return 0;
    }
    struct watch **at = find(p, watcher, number);
    if (*at)
        return 0;
    if (p->watched_by == WATCHES_MAX)
        return -E_LIMIT;
    struct watch *watch = pool_get(&watch_pool);
    if (!watch)
        return -E_NO_MEMORY;
    *watch = (struct watch){.watcher = watcher, .number = number};
    *at = watch;
    p->watched_by++;
    return 0;
}

static void take(struct process *p, struct watch **at)
{
    struct watch *watch = *at;
    *at = watch->next;
    p->watched_by--;
    pool_put(&watch_pool, watch);
}

void watch_remove(struct process *p, const struct process *watcher, uint16_t number)
{
    struct watch **at = find(p, watcher, number);
    if (*at)
        take(p, at);
}

void watches_tell(struct process *p)
{
    while (p->watches) {
        tell(p, p->watches->watcher, p->watches->number);
        take(p, &p->watches);
    }
}
