/* Letters: messages of channels under way, from the send to the receive. docs/channel_end.md.
 *
 * All functions: at the home, in handlers. */
#ifndef KERNEL_LETTER_H
#define KERNEL_LETTER_H

#include <stdint.h>
#include "abi/syscall.h"
#include "kernel/handle.h"
#include "lib/list.h"

struct channel_end;
struct process;

/* Invariants: in the queue of `to`, or (to NULL) discarded, its handles still to be released. In the
 * list of its sender's until it is received, given back, or the sender is gone. Each handle holds its
 * object; a channel's end among them lies in `to`. */
struct letter {
    struct list queue;
    struct letter *sent_next, **sent_at;
    struct process *sender; /* NULL: gone */
    struct channel_end *to;
    uint64_t word[6];
    struct handle handle[MESSAGE_HANDLES]; /* HANDLE_NONE: none in that place */
};

enum { LETTERS_MAX = 1024 }; /* of one sender that nobody has received */

/* Before the first channel: whoever gives back what is discarded. 0, -E_LIMIT. */
int letters_prepare(void);

/* The process's message from its message page, read once. */
void letter_read(struct process *p, unsigned vcoreid, struct channel_message *message);
/* Writes a message to be received there. */
void letter_write(struct process *p, unsigned vcoreid, const struct channel_message *message);

/* Takes the handles of a checked message out of the sender's table, puts all into a letter and that at
 * the end of the queue: letter_check, then letter_post. -E_LIMIT, -E_NO_MEMORY: nothing was done. */
int letter_check(struct process *p, const struct channel_message *message, struct channel_end *to);
int letter_post(struct process *p, const struct channel_message *message, struct channel_end *to);

/* Gives what the first letter of the queue brings to a receiver, and ends the letter. The number of
 * pages, or an error, with which the letter stays where it is: -E_LIMIT, -E_NO_MEMORY. */
long letter_open(struct process *p, unsigned vcoreid, struct letter *letter);

/* Takes it out of its queue; what it brings is given back in later turns: letters_give_back. */
void letter_discard(struct letter *letter);

/* Gives back some of what was discarded; 1: nothing is left. */
int letters_give_back(void);

/* A process that ends lets go of some of what it sent: it stays to be received, or with `abort` is
 * taken back. 1: nothing is left. */
int letters_let_go(struct process *p, int abort);

#endif
