/* Events, for the process's uthreads: docs/event.md.
 *
 * Any vcore takes from the mailbox of any vcore that was ever entered. A uthread that waits for an
 * event is in a queue; each time a vcore looks for work it first hands out events to who waits.
 *
 * No wake-up is lost. A uthread joins the queue before its vcore looks at the mailboxes. A vcore
 * that finds nothing to run sets `idle`, looks at the mailboxes once more, and halts; the home posts
 * an event before it looks for a vcore that is idle. Of the two looks at least one sees the other's
 * store. */
#ifndef RUNTIME_EVENT_H
#define RUNTIME_EVENT_H

#include <stdbool.h>
#include "abi/process.h"

/* Vcore context, or masked: hands events to the uthreads that wait for some, which are runnable
 * then. */
void events_hand_out(void);

/* Whether there is an event that nobody has taken. Any context. */
bool events_there(void);

/* Whether somebody waits and there is an event, or a new one. A vcore's last look before it halts. */
bool events_wanted(void);

/* The vcore is entered: its mailbox is there. Masked. */
void events_vcore_entered(unsigned vcoreid);

/* For programs, through the table: pando.h. Uthread context. */
int runtime_event_poll(struct event *event);
void runtime_event_wait(struct event *event);
int runtime_event_rings(unsigned vcoreid, unsigned events);
uint32_t runtime_events_posted(void);
void runtime_events_await(uint32_t posted);
int runtime_alone(void);

#endif
