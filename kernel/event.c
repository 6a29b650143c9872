#include "kernel/event.h"
#include "abi/error.h"
#include "abi/syscall.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/home.h"
#include "kernel/kernel.h"
#include "kernel/mailbox.h"
#include "kernel/memory.h"
#include "kernel/process.h"
#include "kernel/shared/user_word.h"
#include "kernel/vcore.h"
#include "lib/string.h"

static struct vcore_record *made(struct process *p, unsigned vcoreid)
{
    struct vcore_record *record = vcoreid < VCORES_MAX ? process_record(p, vcoreid) : NULL;
    return record && record->message ? record : NULL;
}

/* --- posting --------------------------------------------------------------------------------- */

/* The lowest vcore that has a core, is idle if that is asked for, and is none of `but`; VCORES_MAX:
 * there is none. */
static unsigned lowest(struct process *p, int idle, unsigned but)
{
    unsigned seen = 0;
    for (unsigned id = 0; id < VCORES_MAX && seen < p->attached; id++) {
        struct vcore_record *record = process_record(p, id);
        if (!record || !record->attached)
            continue;
        seen++;
        struct vcore_data *data = frame_pointer(record->data);
        if (!record->stop_sent && id != but && (!idle || user_flag_read(&data->idle)))
            return id;
    }
    return VCORES_MAX;
}

/* Any vcore may take what lies in any mailbox. So it is enough that one of them looks again. */
static void wake_one(struct process *p, unsigned first)
{
    if (home_notify(p, first))
        return;
    unsigned other = lowest(p, 1, first);
    if (other < VCORES_MAX)
        home_notify(p, other);
}

void event_post_to(struct process *p, unsigned vcoreid, enum event_type type, uint32_t source,
                   const uint64_t *payload)
{
    if (p->state >= PROCESS_DYING)
        return;
    struct vcore_record *record = made(p, vcoreid);
    if (!record)
        return;
    struct event event = {.type = (uint16_t)type, .source = source, .time = arch_clock()};
    if (payload)
        memcpy(event.payload, payload, sizeof event.payload);
    struct mailbox *mailbox = &((struct vcore_data *)frame_pointer(record->data))->mailbox;
    mailbox_post(&record->ring, mailbox, &mailbox->home, &event);
    wake_one(p, vcoreid);
}

void event_post(struct process *p, enum event_type type, uint32_t source, const uint64_t *payload)
{
    unsigned vcoreid = lowest(p, 0, VCORES_MAX);
    if (vcoreid == VCORES_MAX)
        vcoreid = p->many ? 0 : p->single;
    event_post_to(p, vcoreid, type, source, payload);
}

void event_pass_on(struct process *p, unsigned vcoreid)
{
    struct vcore_data *data = frame_pointer(process_record(p, vcoreid)->data);
    unsigned other = lowest(p, 0, VCORES_MAX);
    if (other < VCORES_MAX && user_flag_read(&data->notif_pending))
        wake_one(p, other);
}

/* --- rings ----------------------------------------------------------------------------------- */

static uint64_t ring_address(unsigned vcoreid, uint32_t events, int driver)
{
    uint64_t block = vcore_block(vcoreid);
    if (events == EVENTS_MIN)
        return block + (driver ? VCORE_DRIVER_RING_OFFSET : VCORE_HOME_RING_OFFSET);
    return block + (driver ? VCORE_DRIVER_RINGS_OFFSET : VCORE_RINGS_OFFSET);
}

static struct mailbox_writer slots(const struct vcore_record *record, uint32_t events, int driver)
{
    struct vcore_data *data = frame_pointer(record->data);
    if (events == EVENTS_MIN)
        return mailbox_first_slots(data, driver);
    const frame_t *frame = record->ring_frame + (driver ? MAILBOX_PAGES : 0);
    return mailbox_slots(frame, events);
}

void event_rings_make(struct process *p, unsigned vcoreid)
{
    struct vcore_record *record = process_record(p, vcoreid);
    struct mailbox *mailbox = &((struct vcore_data *)frame_pointer(record->data))->mailbox;
    record->ring = slots(record, EVENTS_MIN, 0);
    mailbox->home.address = ring_address(vcoreid, EVENTS_MIN, 0);
    mailbox->driver.address = ring_address(vcoreid, EVENTS_MIN, 1);
    mailbox->home.events = mailbox->driver.events = EVENTS_MIN;
}

static struct message rings_message(const struct vcore_record *record, uint64_t key,
                                    uint32_t events, uint64_t caller)
{
    const frame_t *frame = record->ring_frame + MAILBOX_PAGES;
    struct message m = {.head = message_head(MESSAGE_VCORE_RINGS)};
    m.word[0] = key;
    m.word[1] = events | caller << 32;
    m.word[2] = frame[0] | (uint64_t)frame[1] << 32;
    m.word[3] = frame[2] | (uint64_t)frame[3] << 32;
    return m;
}
_Static_assert(MAILBOX_PAGES == 4, "two words of frames");

int event_rings_message(const struct vcore_record *record, uint64_t key, struct message *m)
{
    if (record->ring.events == EVENTS_MIN)
        return 0;
    *m = rings_message(record, key, record->ring.events, RINGS_AS_THEY_ARE);
    return 1;
}

/* Pages for both rings, where there are none yet. What a failure leaves is used the next time, and
 * goes with the process. */
static int make_pages(struct process *p, struct vcore_record *record, unsigned vcoreid,
                      uint32_t events)
{
    if (events == EVENTS_MIN)
        return 0;
    for (int driver = 0; driver < 2; driver++) {
        frame_t *frame = record->ring_frame + (driver ? MAILBOX_PAGES : 0);
        uint64_t address = ring_address(vcoreid, events, driver);
        for (unsigned i = 0; i < mailbox_pages(events); i++) {
            int error = frame[i] ? 0
                                 : memory_map_zeroed(p, address + i * PAGE_BYTES, PROT_R | PROT_W,
                                                     &frame[i]);
            if (error)
                return error;
        }
    }
    return 0;
}

static void resize_home(struct vcore_record *record, unsigned vcoreid, uint32_t events)
{
    struct mailbox *mailbox = &((struct vcore_data *)frame_pointer(record->data))->mailbox;
    struct mailbox_writer to = slots(record, events, 0);
    mailbox_resize(&record->ring, mailbox, &mailbox->home, &to, ring_address(vcoreid, events, 0));
}

/* Nobody drives the vcore: the driver's ring is the home's to write. */
static void resize_driver(struct vcore_record *record, unsigned vcoreid, uint32_t events)
{
    struct mailbox *mailbox = &((struct vcore_data *)frame_pointer(record->data))->mailbox;
    struct mailbox_writer from = slots(record, record->ring.events, 1);
    from.written = record->driver_written;
    struct mailbox_writer to = slots(record, events, 1);
    mailbox_resize(&from, mailbox, &mailbox->driver, &to, ring_address(vcoreid, events, 1));
    record->driver_written = from.written;
}

/* The driver's ring is changed by its driver: here at once, elsewhere by a message, whose answer is
 * awaited. */
static long tell_driver(struct process *p, struct vcore_record *record, unsigned vcoreid,
                        unsigned caller, uint32_t events)
{
    uint64_t key = vcore_key(p->pid, vcoreid);
    struct message m = rings_message(record, key, events, caller);
    m.word[4] = p->address;
    if (record->core == this_core)
        return vcore_change_rings(&m) ? -E_STATE : 0;
    home_command(record->core, &m);
    record->rings_asked = 1;
    process_record(p, caller)->rings_awaited = 1;
    return CALL_LATER;
}

long event_call(struct process *p, unsigned caller, long number, const long argument[4])
{
    unsigned long vcoreid = (unsigned long)argument[0], events = (unsigned long)argument[1];
    struct vcore_record *record = vcoreid < VCORES_MAX ? made(p, (unsigned)vcoreid) : NULL;
    if (!record)
        return -E_NO_ENTRY;
    if (events < EVENTS_MIN || events > EVENTS_MAX || (events & (events - 1)))
        return -E_INVALID;
    if (record->rings_asked || (record->attached && record->stop_sent))
        return -E_STATE;
    if (events == record->ring.events)
        return 0;
    long result = make_pages(p, record, (unsigned)vcoreid, (uint32_t)events);
    if (result)
        return result;
    if (record->attached)
        result = tell_driver(p, record, (unsigned)vcoreid, caller, (uint32_t)events);
    else
        resize_driver(record, (unsigned)vcoreid, (uint32_t)events);
    if (!result || result == CALL_LATER)
        resize_home(record, (unsigned)vcoreid, (uint32_t)events);
    return result;
}

void event_rings_done(struct process *p, const struct message *m)
{
    process_record(p, key_vcoreid(m->word[0]))->rings_asked = 0;
    unsigned caller = (unsigned)m->word[1];
    if (!process_record(p, caller)->rings_awaited)
        return; /* it was stopped, and does not wait any more */
    process_record(p, caller)->rings_awaited = 0;
    home_answer(p, caller, 0);
}
