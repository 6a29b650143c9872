/* A vcore's own slot: a part of the address space whose page tables the vcore's driver writes, so
 * that vcores map pages without one another. docs/slot.md. Architecture: "Memory".
 *
 * Regions stay the home's. It lends a driver windows, ranges in which a missing page is a zeroed
 * page, and frames to make them with. While a slot is lent its tables are the driver's; to touch
 * them the home has it back first. A slot whose vcore runs on the home's core is never lent. */
#ifndef KERNEL_SLOT_H
#define KERNEL_SLOT_H

#include <stdint.h>
#include "abi/layout.h"
#include "kernel/account.h"

struct process;
struct message;
struct user_fault;

/* --- the driver's side: slot.c --------------------------------------------------------------- */

enum { SLOT_WINDOWS = 4 };

struct slot_window {
    uint64_t base, end; /* empty: none */
    unsigned prot;
};

/* Private to the driver. Invariants: of account.limit frames, which the home has lent, account.used
 * are in the tables; without windows the limit is what is used. */
struct own_slot {
    frame_t root; /* FRAME_NONE: nothing was mapped there yet */
    struct frame_account account;
    unsigned next; /* the window that goes when another comes */
    struct slot_window window[SLOT_WINDOWS];
};

/* Whether the vcore has a slot of its own, in which the address is. */
static inline int slot_holds(unsigned vcoreid, uint64_t address)
{
    return vcoreid < OWN_SLOTS && address >> SLOT_SHIFT == OWN_SLOT_FIRST + vcoreid;
}

/* A page that is missing there: 1 = it is mapped now. 0: the home is to be asked; what FAULT says of
 * the slot is slot_word: frames that are left, and SLOT_STUCK when windows and frames sufficed and
 * it failed all the same, for lack of memory. */
int slot_fault(struct own_slot *slot, const struct user_fault *fault);
uint64_t slot_word(struct own_slot *slot, const struct user_fault *fault);
#define SLOT_STUCK 0x100000000ull

/* Takes what a FAULT_DONE lends: nothing, a window, frames, or both. */
void slot_lend(struct own_slot *slot, const struct message *m);
/* Gives windows and frames back: how many frames were not used. */
uint32_t slot_return(struct own_slot *slot);

/* --- the home's side: home_slots.c ----------------------------------------------------------- */

enum { LENT_WINDOW = 3, LENT_END = 4 }; /* words of FAULT_DONE: base | prot, end | frames */

/* A missing page in some vcore's own slot, of a region that permits the access: SLOT_OURS, the home
 * maps it; SLOT_LENT, the vcore's own driver does, with what slots_lend gives it; SLOT_AWAITED: it
 * was asked for, or cannot be lent now, and the fault waits (memory_wait_fault). */
enum slot_answer { SLOT_OURS, SLOT_LENT, SLOT_AWAITED };
enum slot_answer slots_fault(struct process *p, unsigned vcoreid, const struct user_fault *fault);

/* Puts into a FAULT_DONE what the vcore's driver is lent to do without the home from now on. The
 * fault was resolved. */
void slots_lend(struct process *p, unsigned vcoreid, uint64_t address, struct message *done);

/* Whether the home may touch the tables under [base, base + bytes). 0: those that are lent were asked
 * for; what the caller has to do waits (memory_wait, memory_wait_fault). */
int slots_ours(struct process *p, uint64_t base, uint64_t bytes);

/* The vcore's driver has given its slot back, with frames that were not used: in VCORE_RECALLED, or
 * as it stopped. */
void slots_returned(struct process *p, unsigned vcoreid, uint32_t frames);

#endif
