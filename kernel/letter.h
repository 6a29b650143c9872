/* Letters: messages of channels under way, from the send to the receive. docs/channel_end.md.
 *
 * All functions: at the home, in handlers. */
#ifndef KERNEL_LETTER_H
#define KERNEL_LETTER_H

#include <stdint.h>
#include "abi/syscall.h"
#include "kernel/handle.h"
#include "kernel/memory_move.h"
#include "kernel/reclaim.h"
#include "lib/list.h"

struct channel_end;
struct process;
struct vcore_record;

/* Invariants: in the queue of `to`, or (to NULL) out of it: about to be given back. Nothing in front of a
 * letter is received after it. While it is filling, its pages are still being taken, and it is not
 * received. In the list of its sender's until it is received, given back, or the sender is gone. Each
 * handle holds its object; a channel's end among them lies in `to`. */
struct letter {
    struct list queue;
    struct letter *sent_next, **sent_at;
    struct process *sender; /* NULL: gone */
    struct channel_end *to;
    uint64_t word[6];
    struct handle handle[MESSAGE_HANDLES]; /* HANDLE_NONE: none in that place */
    uint16_t pages;
    uint8_t page_mode; /* enum page_mode; PAGES_MOVE: parcel, a share: share */
    uint8_t filling;
    struct parcel *parcel;
    struct share share;
    struct reclaim reclaim;
};

enum { LETTERS_MAX = 1024 }; /* of one sender that nobody has received */

/* The message in a vcore's message page, each word read once; and one written there. */
void letter_read(const struct vcore_record *record, struct channel_message *message);
void letter_write(const struct vcore_record *record, const struct channel_message *message);

/* Words alone: neither handles nor pages. */
static inline int letter_is_plain(const struct channel_message *message)
{
    return !(message->handle[0] | message->handle[1] | message->handle[2] | message->handle[3] |
             message->pages | message->page_mode);
}

/* May the process send this to the end? 0, or an error, and nothing is done. */
int letter_check(struct process *p, const struct channel_message *message, struct channel_end *to);
/* Takes what a checked message brings, puts it into a letter and that at the end of the queue, which has
 * room. 0. CALL_LATER: the letter is in its place, and filling; the sender is answered later. Errors:
 * nothing was done. */
long letter_post(struct process *p, unsigned vcoreid, const struct channel_message *message,
                 struct channel_end *to);

/* Gives what the letter brings to a receiver, the pages at addr, and ends it. The number of pages, or an
 * error: the letter stays. */
long letter_open(struct process *p, unsigned vcoreid, struct letter *letter, uint64_t addr);

/* Takes it out of its queue; what it brings is given back in later turns (kernel/reclaim.h). */
void letter_discard(struct letter *letter);

/* A process that ends lets go of some of what it sent: it stays to be received, or with `abort` is
 * taken back. 1: nothing is left. */
int letters_let_go(struct process *p, int abort);

#endif
