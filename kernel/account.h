/* A frame account: who owns frames, how many it holds, and how many it may hold. docs/frame.md.
 *
 * Invariant: used <= limit, unless frames of a process that has ended came to the account
 * (charges_hand_over): then nothing is had until it is below. Private to one kernel: a process's is at
 * its home; a driver that makes pages in a vcore's own slot has one of its own, filled from the
 * home's. */
#ifndef KERNEL_ACCOUNT_H
#define KERNEL_ACCOUNT_H

#include <stdint.h>
#include "kernel/shared/frame.h"

struct frame_account {
    struct frame_owner owner;
    uint32_t used, limit; /* frames, page tables counted */
};

#define ACCOUNT_UNLIMITED 0xffffffffu

/* A frame on the account: FRAME_NONE with *error -E_LIMIT (the account's) or -E_NO_MEMORY (the
 * machine's); *error is not touched on success. Contents unspecified. */
frame_t account_alloc(struct frame_account *account, enum frame_kind kind, int *error);
/* The same, cleared. */
frame_t account_alloc_zeroed(struct frame_account *account, enum frame_kind kind, int *error);
/* A page table without entries. */
frame_t account_alloc_table(struct frame_account *account, int *error);
/* A block of 2^order frames, aligned to its size, contents unspecified. As account_alloc. */
frame_t account_alloc_block(struct frame_account *account, unsigned order, enum frame_kind kind,
                            int *error);
/* Frees a frame, or a block, that was allocated or taken over on the account. */
void account_free(struct frame_account *account, frame_t frame);
void account_free_block(struct frame_account *account, frame_t frame, unsigned order);

/* Frees of these frames, which were mapped by its process, those that are on the account: pages, and
 * tables without entries; see frame_free_user. */
void account_free_user(struct frame_account *account, const frame_t *frame, unsigned count);

/* Frames that come from, or go to, another account: no frame is touched. account_charge: 0, or
 * -E_LIMIT with nothing done. account_credit: the account must hold as many. */
int account_charge(struct frame_account *account, uint32_t frames);
void account_credit(struct frame_account *account, uint32_t frames);

#endif
