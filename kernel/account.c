#include "kernel/account.h"
#include "abi/error.h"
#include "abi/layout.h"
#include "kernel/kernel.h"
#include "lib/string.h"

int account_charge(struct frame_account *account, uint32_t frames)
{
    if (frames > account->limit || account->used > account->limit - frames)
        return -E_LIMIT;
    account->used += frames;
    return 0;
}

void account_credit(struct frame_account *account, uint32_t frames)
{
    ASSERT(account->used >= frames);
    account->used -= frames;
}

frame_t account_alloc(struct frame_account *account, enum frame_kind kind, int *error)
{
    if (account->used >= account->limit) {
        *error = -E_LIMIT;
        return FRAME_NONE;
    }
    frame_t frame = frame_alloc(ZONE_GENERAL, kind, account->owner);
    if (frame)
        account->used++;
    else
        *error = -E_NO_MEMORY;
    return frame;
}

frame_t account_alloc_zeroed(struct frame_account *account, enum frame_kind kind, int *error)
{
    frame_t frame = account_alloc(account, kind, error);
    if (frame)
        page_clear(frame_pointer(frame));
    return frame;
}

frame_t account_alloc_table(struct frame_account *account, int *error)
{
    if (account->used < account->limit) {
        frame_t frame = frame_alloc_cleared(FRAME_USER_TABLE, account->owner);
        if (frame) {
            account->used++;
            return frame;
        }
    }
    return account_alloc_zeroed(account, FRAME_USER_TABLE, error);
}

frame_t account_alloc_block(struct frame_account *account, unsigned order, enum frame_kind kind,
                            int *error)
{
    *error = account_charge(account, 1u << order);
    if (*error)
        return FRAME_NONE;
    frame_t frame = frame_alloc_block(ZONE_GENERAL, order, kind, account->owner);
    if (!frame) {
        account_credit(account, 1u << order);
        *error = -E_NO_MEMORY;
    }
    return frame;
}

void account_free(struct frame_account *account, frame_t frame)
{
    account_credit(account, 1);
    frame_free(frame);
}

void account_free_user(struct frame_account *account, const frame_t *frame, unsigned count)
{
    account_credit(account, frame_free_user(frame, count));
}

void account_free_block(struct frame_account *account, frame_t frame, unsigned order)
{
    account_credit(account, 1u << order);
    frame_free_block(frame, order);
}
