#include "kernel/mailbox.h"
#include "kernel/shared/frame.h"
#include "kernel/shared/user_word.h"

static struct event *slot(const struct mailbox_writer *writer, uint32_t position)
{
    uint32_t at = position & (writer->events - 1);
    return &writer->page[at / MAILBOX_PAGE_EVENTS][at % MAILBOX_PAGE_EVENTS];
}

struct mailbox_writer mailbox_slots(const frame_t frame[MAILBOX_PAGES], uint32_t events)
{
    struct mailbox_writer writer = {.events = events};
    for (unsigned i = 0; i < mailbox_pages(events); i++)
        writer.page[i] = frame_pointer(frame[i]);
    return writer;
}

/* The count first, so that who finds the bit finds it too. */
static void lose(struct mailbox *mailbox, struct event_ring *ring, unsigned type)
{
    type %= EVENT_TYPES;
    user_count_up(&ring->lost);
    user_bits_set(&mailbox->bits[type / 64], 1ull << type % 64);
    user_bits_set(&mailbox->bits[EVENT_OVERFLOW / 64], 1ull << EVENT_OVERFLOW % 64);
}

void mailbox_post(struct mailbox_writer *writer, struct mailbox *mailbox, struct event_ring *ring,
                  const struct event *event)
{
    uint32_t waiting = writer->written - user_count_read(&ring->taken);
    if (waiting >= writer->events) {
        lose(mailbox, ring, event->type);
        return;
    }
    *slot(writer, writer->written) = *event;
    user_count_publish(&ring->written, ++writer->written);
}

/* What is lost is read before its slot can be used again: the new slots may lie in the old pages. */
void mailbox_resize(struct mailbox_writer *writer, struct mailbox *mailbox, struct event_ring *ring,
                    const struct mailbox_writer *slots, uint64_t address)
{
    struct mailbox_writer to = *slots;
    uint32_t waiting = writer->written - user_count_read(&ring->taken);
    if (waiting > writer->events)
        waiting = writer->events;
    uint32_t first = writer->written - waiting, kept = waiting < to.events ? waiting : to.events;
    for (uint32_t i = kept; i < waiting; i++)
        lose(mailbox, ring, slot(writer, first + i)->type);
    to.written = first + kept;
    for (uint32_t i = 0; i < kept; i++)
        *slot(&to, first + i) = *slot(writer, first + i);
    *writer = to;
    user_word_write(&ring->address, address);
    user_count_publish(&ring->events, to.events);
    user_count_publish(&ring->written, to.written);
}
