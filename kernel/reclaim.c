#include "kernel/reclaim.h"
#include <stddef.h>
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/process.h"

static struct reclaim *first, **last = &first;
static uint64_t added, finished; /* counts of all ever */
static struct actor *worker;
static int continue_sent;

/* A refusal loses nothing: the next addition, or the end of a process, goes on with the list. */
static void continue_later(void)
{
    struct message m = {.head = message_head(MESSAGE_CONTINUE)};
    if (first && !continue_sent)
        continue_sent = !actor_send(actor_address(worker), &m);
}

static void turn(void)
{
    struct reclaim_budget budget = {RECLAIM_FRAMES, RECLAIM_RECORDS};
    while (first && budget.frames && budget.records) {
        struct reclaim *what = first, *next = what->next;
        if (!what->turn(what, &budget))
            return;
        first = next;
        if (!first)
            last = &first;
        finished++;
    }
}

static void on_continue(struct actor *self, const struct message *m, unsigned from)
{
    continue_sent = 0;
    turn();
    continue_later();
}

static struct actor_class reclaim_class = {
    .name = "reclaim",
    .handler = {[MESSAGE_CONTINUE] = on_continue},
};
ACTOR_CLASS(reclaim_class)

int reclaim_ready(void)
{
    return worker ? 0 : actor_create(&reclaim_class, NULL, &worker);
}

void reclaim_add(struct reclaim *what)
{
    what->next = NULL;
    *last = what;
    last = &what->next;
    added++;
    continue_later();
}

int reclaim_for(struct process *p)
{
    if (!p->reclaim_until)
        p->reclaim_until = added + 1; /* never 0 */
    if (finished + 1 < p->reclaim_until)
        turn();
    return finished + 1 >= p->reclaim_until;
}
