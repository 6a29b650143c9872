/* Handles: what a process may name. docs/handle.md. Architecture: "Handles".
 *
 * A process's table belongs to its home, and so do the objects: a handle is never more than a number
 * and a check away from its object. Each handle, and each handle in a message under way, holds its
 * object; the class says what that means. All functions: at the home, in handlers. */
#ifndef KERNEL_HANDLE_H
#define KERNEL_HANDLE_H

#include <stdint.h>
#include "abi/layout.h"
#include "abi/syscall.h"

struct process;

/* An entry of a table; kind HANDLE_NONE: free. Copied freely, but who keeps a copy must hold the
 * object: handle_hold. */
struct handle {
    uint8_t kind;
    uint8_t rights;
    uint16_t note; /* 0, or the handle's own number: something of the class's stands on it */
    void *object;
};

/* What is done with objects of a kind; registered in handle.c's table. */
struct handle_class {
    const char *name;
    void (*hold)(const struct handle *handle);
    /* `holder`: whose table it was in; NULL: it was in a message. */
    void (*release)(const struct handle *handle, struct process *holder);
    /* The handle, whose note is set, leaves the holder's table: ends what stands on it, such as a
     * watch. May be NULL. */
    void (*leave)(const struct handle *handle, struct process *holder);
};
extern const struct handle_class process_handles, object_handles, channel_handles,
    partition_handles;

enum {
    HANDLE_PAGE_ENTRIES = 32,
    HANDLE_PAGES = HANDLES_MAX / HANDLE_PAGE_ENTRIES,
};

/* Invariant: count is the sum of used; the first `pages` pages are there. */
struct handle_table {
    struct handle *page[HANDLE_PAGES]; /* of a pool, each made when it is needed */
    uint8_t used[HANDLE_PAGES];        /* entries of each */
    uint16_t count, pages;
};

/* A number for a copy of *handle, which must hold its object already: the number goes on with that
 * hold. -E_LIMIT, -E_NO_MEMORY: nothing was done, the hold is still the caller's. */
long handle_add(struct process *p, const struct handle *handle);
/* Makes room for so many more: handle_add will take them without failing. -E_LIMIT, -E_NO_MEMORY. */
int handle_room(struct process *p, unsigned wanted);

/* The entry of a number that is of the kind (HANDLE_NONE: of any) and has all these rights. Valid until the table
 * changes. 0, -E_NO_ENTRY, -E_KIND, -E_PERMISSION. */
int handle_find(struct process *p, unsigned long number, enum handle_kind kind, unsigned rights,
                struct handle **found);
/* handle_find, and its object; NULL in *object on error. */
int handle_object(struct process *p, unsigned long number, enum handle_kind kind, unsigned rights,
                  void *object);

void handle_hold(const struct handle *handle);
void handle_release(const struct handle *handle, struct process *holder);

/* Takes the entry out without releasing: the hold is the caller's, and nothing stands on it any
 * more. */
struct handle handle_take(struct process *p, struct handle *entry);

/* Closes at most `budget` handles of a process that ends; 1 when none is left. */
int handles_give_back(struct process *p, unsigned budget);

/* handle_close, handle_duplicate, handle_info, partition_root. */
long handle_call(struct process *p, unsigned vcoreid, long number, const long argument[4]);

#endif
