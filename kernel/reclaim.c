#include "kernel/reclaim.h"
#include <stddef.h>
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/process.h"

static struct reclaim *first, **last = &first;
static uint64_t added, finished;             /* counts of all ever */
static struct reclaim *nested, *nested_last; /* added in a turn */
static int in_turn;
static struct actor *worker;
static int continue_sent;

/* A refusal loses nothing: the next addition, or the end of a process, goes on with the list. */
static void continue_later(void)
{
    struct message m = {.head = message_head(MESSAGE_CONTINUE)};
    if (first && !continue_sent)
        continue_sent = !actor_send(actor_address(worker), &m);
}

/* What was added meanwhile comes before what waits, and counts as a part of `what`: its count goes
 * to the last of them. */
static void put_nested_first(struct reclaim *what)
{
    if (!nested)
        return;
    nested_last->counts = what->counts;
    what->counts = 0;
    nested_last->next = first;
    if (!first)
        last = &nested_last->next;
    first = nested;
    nested = nested_last = NULL;
}

static void put_first(struct reclaim *what)
{
    what->next = first;
    if (!first)
        last = &what->next;
    first = what;
}

/* `what` is out of the list while it has its turn, since that may add to the list. */
static int one_turn(struct reclaim_budget *budget)
{
    struct reclaim *what = first, rest = {.counts = what->counts};
    first = what->next;
    if (!first)
        last = &first;
    in_turn = 1;
    int done = what->turn(what, budget);
    in_turn = 0;
    put_nested_first(&rest);
    if (done) {
        finished += rest.counts;
    } else {
        what->counts = rest.counts;
        put_first(what);
    }
    return done;
}

static void turn(void)
{
    struct reclaim_budget budget = {RECLAIM_FRAMES, RECLAIM_RECORDS};
    while (first && budget.frames && budget.records)
        if (!one_turn(&budget))
            return;
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

static void add_nested(struct reclaim *what)
{
    what->counts = 0;
    if (nested)
        nested_last->next = what;
    else
        nested = what;
    nested_last = what;
}

void reclaim_add(struct reclaim *what)
{
    what->next = NULL;
    if (in_turn) {
        add_nested(what);
        return;
    }
    what->counts = 1;
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
