#include "kernel/letter.h"
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/channel_end.h"
#include "kernel/kernel.h"
#include "kernel/pool.h"
#include "kernel/process.h"
#include "kernel/shared/user_word.h"
#include "lib/string.h"

enum {
    WORDS = sizeof(struct channel_message) / sizeof(uint64_t),
    SENT_A_TURN = 64,
    RECORDS_A_LETTER = MESSAGE_HANDLES * (1 + CHANNEL_MAX_DEPTH), /* each handle may close an end */
};
_Static_assert(sizeof(struct channel_message) % sizeof(uint64_t) == 0, "read by words");

static struct pool letters = POOL_OF(struct letter);

void letter_read(const struct vcore_record *record, struct channel_message *message)
{
    const uint64_t *from = frame_pointer(record->message);
    uint64_t *to = (uint64_t *)message;
#pragma GCC unroll 16
    for (unsigned i = 0; i < WORDS; i++)
        to[i] = user_word_read(&from[i]);
}

/* Of a plain message addr and rights mean nothing, and go along only as zero. */
void letter_write(const struct vcore_record *record, const struct channel_message *message)
{
    struct channel_message *to = frame_pointer(record->message);
    int pages = message->pages != 0;
    *to = *message;
    to->addr = pages ? message->addr : 0;
    to->rights = 0;
}

/* --- sending --------------------------------------------------------------------------------- */

static int check_handle(struct process *p, const struct channel_message *message, unsigned which,
                        const struct channel_end *to)
{
    struct handle *handle;
    for (unsigned i = 0; i < which; i++)
        if (message->handle[i] == message->handle[which])
            return -E_INVALID;
    int error = handle_find(p, message->handle[which], HANDLE_NONE, RIGHT_GIVE, &handle);
    if (!error && handle->kind == HANDLE_CHANNEL)
        error = channel_may_lie(handle->object, to);
    return error;
}

int letter_check(struct process *p, const struct channel_message *message, struct channel_end *to)
{
    if (message->page_mode >= PAGE_MODES ||
        (message->page_mode == PAGES_NONE ? message->pages != 0
                                          : !message->pages || message->pages > MESSAGE_PAGES))
        return -E_INVALID;
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++) {
        int error = message->handle[i] ? check_handle(p, message, i, to) : 0;
        if (error)
            return error;
    }
    return 0;
}

static void take_handle(struct process *p, struct letter *letter, unsigned which, unsigned number,
                        unsigned rights)
{
    struct handle *entry;
    int error = handle_find(p, number, HANDLE_NONE, 0, &entry);
    ASSERT(!error);
    if (entry->kind == HANDLE_CHANNEL)
        channel_lay(entry, letter->to);
    letter->handle[which] = handle_take(p, entry);
    letter->handle[which].rights &= (uint8_t)rights;
}

static void sent_add(struct process *p, struct letter *letter)
{
    letter->sender = p;
    letter->sent_next = p->sent;
    letter->sent_at = &p->sent;
    if (p->sent)
        p->sent->sent_at = &letter->sent_next;
    p->sent = letter;
    p->sent_count++;
}

static void sent_remove(struct letter *letter)
{
    if (!letter->sender)
        return;
    *letter->sent_at = letter->sent_next;
    if (letter->sent_next)
        letter->sent_next->sent_at = letter->sent_at;
    letter->sender->sent_count--;
    letter->sender = NULL;
}

static void give_back(struct letter *letter);

/* The pages are taken, or (-E_GONE) the sender dies; the end may have been closed meanwhile. */
static void filled(struct process *p, unsigned vcoreid, void *context, int error)
{
    struct letter *letter = context;
    struct channel_end *to = letter->to;
    letter->filling = 0;
    if (!to)
        give_back(letter);
    else if (error)
        letter_discard(letter);
    if (to)
        channel_settle(to);
    home_answer(p, vcoreid, 0);
}

static long take_pages(struct process *p, unsigned vcoreid, struct letter *letter,
                       const struct channel_message *message)
{
    switch (message->page_mode) {
    case PAGES_NONE:
        return 0;
    case PAGES_MOVE:
        return memory_take(p, vcoreid, message->addr, message->pages, &letter->parcel, filled,
                           letter);
    default:
        return memory_share(p, vcoreid, message->addr, message->pages, message->page_mode,
                            &letter->share, filled, letter);
    }
}

long letter_post(struct process *p, unsigned vcoreid, const struct channel_message *message,
                 struct channel_end *to)
{
    if (p->sent_count == LETTERS_MAX)
        return -E_LIMIT;
    struct letter *letter = pool_get(&letters);
    if (!letter)
        return -E_NO_MEMORY;
    long result = take_pages(p, vcoreid, letter, message);
    if (result && result != CALL_LATER) {
        pool_put(&letters, letter);
        return result;
    }
    letter->filling = result == CALL_LATER;
    letter->page_mode = (uint8_t)message->page_mode;
    letter->pages = (uint16_t)message->pages;
    letter->to = to;
    memcpy(letter->word, message->word, sizeof letter->word);
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        if (message->handle[i])
            take_handle(p, letter, i, message->handle[i], message->rights);
    sent_add(p, letter);
    list_append(&to->letters, &letter->queue);
    to->count++;
    return result;
}

/* --- receiving ------------------------------------------------------------------------------- */

static void letter_leave(struct letter *letter)
{
    list_remove(&letter->queue);
    letter->to->count--;
    letter->to = NULL;
}

/* The handle is out of the queue. */
static void unlay(const struct handle *handle)
{
    if (handle->kind == HANDLE_CHANNEL)
        channel_lay(handle, NULL);
}

static uint32_t give_handle(struct process *p, const struct handle *handle)
{
    if (handle->kind == HANDLE_NONE)
        return 0;
    unlay(handle);
    long number = handle_add(p, handle);
    ASSERT(number > 0);
    return (uint32_t)number;
}

static int put_pages(struct process *p, struct letter *letter, uint64_t addr)
{
    switch (letter->page_mode) {
    case PAGES_NONE:
        return 0;
    case PAGES_MOVE:
        return memory_put(p, addr, letter->parcel, PROT_R | PROT_W);
    default:
        return memory_put_share(p, addr, &letter->share);
    }
}

long letter_open(struct process *p, unsigned vcoreid, struct letter *letter, uint64_t addr)
{
    unsigned handles = 0, pages = letter->pages;
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        handles += letter->handle[i].kind != HANDLE_NONE;
    int error = handles ? handle_room(p, handles) : 0;
    if (!error)
        error = put_pages(p, letter, addr);
    if (error)
        return error;
    struct channel_message message = {.addr = addr, .pages = pages, .page_mode = letter->page_mode};
    memcpy(message.word, letter->word, sizeof letter->word);
    for (unsigned i = 0; handles && i < MESSAGE_HANDLES; i++)
        message.handle[i] = give_handle(p, &letter->handle[i]);
    letter_write(process_record(p, vcoreid), &message);
    letter_leave(letter);
    sent_remove(letter);
    pool_put(&letters, letter);
    return pages;
}

/* --- giving back ----------------------------------------------------------------------------- */

static void free_pages(struct letter *letter)
{
    if (letter->parcel)
        parcel_free(letter->parcel);
    if (letter->share.object)
        share_free(&letter->share);
}

/* The ends among its handles may be closed with it, and their letters discarded: those come after. */
static int give_back_turn(struct reclaim *reclaim, struct reclaim_budget *budget)
{
    struct letter *letter = LIST_ENTRY(reclaim, struct letter, reclaim);
    if (budget->records < RECORDS_A_LETTER)
        return 0;
    budget->records -= RECORDS_A_LETTER;
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        if (letter->handle[i].kind != HANDLE_NONE)
            handle_release(&letter->handle[i], NULL);
    free_pages(letter);
    sent_remove(letter);
    pool_put(&letters, letter);
    return 1;
}

static void give_back(struct letter *letter)
{
    letter->reclaim.turn = give_back_turn;
    reclaim_add(&letter->reclaim);
}

void letter_discard(struct letter *letter)
{
    letter_leave(letter);
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        unlay(&letter->handle[i]);
    if (!letter->filling)
        give_back(letter);
}

int letters_let_go(struct process *p, int abort)
{
    for (unsigned budget = SENT_A_TURN; budget && p->sent; budget--) {
        struct letter *letter = p->sent;
        struct channel_end *to = letter->to;
        sent_remove(letter);
        if (!abort || !to)
            continue;
        letter_discard(letter);
        channel_settle(to);
    }
    return !p->sent;
}
