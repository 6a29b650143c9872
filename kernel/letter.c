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
    LETTERS_A_TURN = 8, /* given back: each may close four ends with a queue of letters */
    SENT_A_TURN = 64,
};
_Static_assert(sizeof(struct channel_message) % sizeof(uint64_t) == 0, "read by words");

static struct pool letters = POOL_OF(struct letter);
static struct list discarded = {&discarded, &discarded};

static struct channel_message *message_page(struct process *p, unsigned vcoreid)
{
    return frame_pointer(process_record(p, vcoreid)->message);
}

void letter_read(struct process *p, unsigned vcoreid, struct channel_message *message)
{
    const uint64_t *from = (const uint64_t *)message_page(p, vcoreid);
    uint64_t *to = (uint64_t *)message;
    for (unsigned i = 0; i < WORDS; i++)
        to[i] = user_word_read(&from[i]);
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
    if (message->page_mode != PAGES_NONE || message->pages)
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
        channel_lay(entry, p, letter->to);
    letter->handle[which] = handle_take(p, entry);
    letter->handle[which].rights &= (uint8_t)rights;
    letter->handle[which].note = 0;
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

int letter_post(struct process *p, const struct channel_message *message, struct channel_end *to)
{
    if (p->sent_count == LETTERS_MAX)
        return -E_LIMIT;
    struct letter *letter = pool_get(&letters);
    if (!letter)
        return -E_NO_MEMORY;
    letter->to = to;
    memcpy(letter->word, message->word, sizeof letter->word);
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        if (message->handle[i])
            take_handle(p, letter, i, message->handle[i], message->rights);
    sent_add(p, letter);
    list_append(&to->letters, &letter->queue);
    to->count++;
    return 0;
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
        ((struct channel_end *)handle->object)->lies_in = NULL;
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

long letter_open(struct process *p, unsigned vcoreid, struct letter *letter)
{
    unsigned handles = 0;
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        handles += letter->handle[i].kind != HANDLE_NONE;
    int error = handles ? handle_room(p, handles) : 0;
    if (error)
        return error;
    struct channel_message *message = message_page(p, vcoreid);
    memset(message, 0, sizeof *message);
    memcpy(message->word, letter->word, sizeof letter->word);
    for (unsigned i = 0; handles && i < MESSAGE_HANDLES; i++)
        message->handle[i] = give_handle(p, &letter->handle[i]);
    letter_leave(letter);
    sent_remove(letter);
    pool_put(&letters, letter);
    return 0;
}

/* --- giving back ----------------------------------------------------------------------------- */

static struct actor *giver; /* gives back what was discarded; made with the first channel */
static uint8_t continue_sent;

static void continue_later(void)
{
    if (continue_sent)
        return;
    struct message m = {.head = message_head(MESSAGE_CONTINUE)};
    continue_sent = actor_send(actor_address(giver), &m) == 0;
}

static void on_continue(struct actor *self, const struct message *m, unsigned from)
{
    continue_sent = 0;
    if (!letters_give_back())
        continue_later();
}

static struct actor_class giver_class = {
    .name = "letters",
    .handler = {[MESSAGE_CONTINUE] = on_continue},
};
ACTOR_CLASS(giver_class)

int letters_prepare(void)
{
    return giver ? 0 : actor_create(&giver_class, NULL, &giver);
}

void letter_discard(struct letter *letter)
{
    letter_leave(letter);
    for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
        unlay(&letter->handle[i]);
    list_append(&discarded, &letter->queue);
    continue_later();
}

int letters_give_back(void)
{
    for (unsigned budget = LETTERS_A_TURN; budget && !list_empty(&discarded); budget--) {
        struct letter *letter = LIST_ENTRY(discarded.next, struct letter, queue);
        list_remove(&letter->queue);
        for (unsigned i = 0; i < MESSAGE_HANDLES; i++)
            if (letter->handle[i].kind != HANDLE_NONE)
                handle_release(&letter->handle[i], NULL);
        sent_remove(letter);
        pool_put(&letters, letter);
    }
    return list_empty(&discarded);
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
