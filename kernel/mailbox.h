/* A vcore's mailbox as a kernel writes it: docs/event.md. abi/process.h: what the process sees.
 *
 * Two kernels write a mailbox, each a ring of its own and both the bitmap: the home, and the kernel
 * that drives the vcore. While nobody drives it, the home keeps the position of the driver's ring
 * too; it goes along in VCORE_ATTACH and comes back in VCORE_STOPPED. Plain C: it is also built on
 * the host. */
#ifndef KERNEL_MAILBOX_H
#define KERNEL_MAILBOX_H

#include <stdint.h>
#include "abi/process.h"
#include "arch/arch.h"

#define MAILBOX_PAGE_EVENTS (PAGE_BYTES / sizeof(struct event))
#define MAILBOX_PAGES       (EVENTS_MAX / MAILBOX_PAGE_EVENTS)

/* What the writer of a ring knows of it. Invariants: events is a power of two, EVENTS_MIN to
 * EVENTS_MAX; there are as many pages as they need; `written` is what the process was shown. The
 * process can write the slots and its `taken`, and nothing else that is used here. */
struct mailbox_writer {
    struct event *page[MAILBOX_PAGES]; /* through the direct map */
    uint32_t events;
    uint32_t written; /* events ever, modulo 2^32 */
};

/* How many pages a ring takes. */
static inline unsigned mailbox_pages(uint32_t events)
{
    return (unsigned)((events + MAILBOX_PAGE_EVENTS - 1) / MAILBOX_PAGE_EVENTS);
}

/* A writer of the first rings, in the vcore's block; of slots in these pages. Nothing written. */
static inline struct mailbox_writer mailbox_first_slots(struct vcore_data *data, int driver)
{
    void *at = (uint8_t *)data + (driver ? VCORE_DRIVER_RING_OFFSET : VCORE_HOME_RING_OFFSET);
    return (struct mailbox_writer){.page = {at}, .events = EVENTS_MIN};
}
struct mailbox_writer mailbox_slots(const frame_t frame[MAILBOX_PAGES], uint32_t events);

/* Makes the event the ring's next. Is the ring full, or `taken` no count of what could have been
 * taken: the bit of its type, that of EVENT_OVERFLOW, and one more lost. Never fails. ring: the
 * writer's, of the mailbox. */
void mailbox_post(struct mailbox_writer *writer, struct mailbox *mailbox, struct event_ring *ring,
                  const struct event *event);

/* Changes the ring's slots: those that are not taken go along, the oldest first; what does not fit
 * goes to the bitmap. address: of the new slots, for the process, which takes nothing meanwhile.
 * The pages stay the owner's. */
void mailbox_resize(struct mailbox_writer *writer, struct mailbox *mailbox, struct event_ring *ring,
                    const struct mailbox_writer *slots, uint64_t address);

#endif
