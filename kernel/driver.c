/* The driver: carries out what the homes of this kernel's vcores command. docs/vcore.md; messages:
 * kernel/vcore.h. */
#include "abi/error.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/multicast.h"
#include "kernel/pool.h"
#include "kernel/shared/user_word.h"
#include "kernel/vcore.h"
#include "kernel/vcore_state.h"
#include "lib/string.h"

struct actor *vcore_driver;
static struct pool vcore_pool = POOL_OF(struct vcore);
static struct pool fp_pool;

static void __attribute__((constructor)) fp_pool_make(void)
{
    fp_pool.bytes = (arch_fp_bytes() + 63) & ~63u; /* XSAVE areas are aligned to 64 */
}

static int vcore_fill(struct vcore *v, const struct message *m)
{
    v->pid = key_pid(m->word[0]);
    v->id = (uint16_t)key_vcoreid(m->word[0]);
    v->home = m->word[1];
    v->process = address_core(v->home) == this_core ? process_find(v->pid) : NULL;
    v->permitted = m->word[5];
    v->data = frame_pointer((frame_t)m->word[2]);
    v->xsave = (frame_t)(m->word[2] >> 32);
    v->message = (frame_t)m->word[3];
    v->procdata = frame_pointer((frame_t)(m->word[3] >> 32));
    v->ring = mailbox_first_slots(v->data, 1);
    v->ring.written = (uint32_t)m->word[4];
    v->granted = m->word[4] >> 32 & 1;
    v->slot.account.owner = (struct frame_owner){(uint8_t)address_core(v->home), v->pid};
    v->run = VCORE_ATTACHED;
    v->space = arch_space_make();
    v->fp = pool_get(&fp_pool);
    return v->space && v->fp ? 0 : -E_NO_MEMORY;
}

static void vcore_free(struct vcore *v)
{
    if (v->space)
        arch_space_free(v->space);
    if (v->fp)
        pool_put(&fp_pool, v->fp);
    pool_put(&vcore_pool, v);
}

/* What answers a command. A home has few commands under way, so the answers find room; a home that
 * has ended needs no answer. */
static void tell_home(uint64_t home, struct message *m)
{
    int error = actor_send(home, m);
    ASSERT(!error || error == -E_GONE);
}

static void tell_stopped(uint64_t home, uint64_t key, int error, uint32_t written, uint64_t used,
                         uint32_t frames)
{
    struct message m = {.head = message_head(MESSAGE_VCORE_STOPPED)};
    m.word[0] = key;
    m.word[1] = (uint64_t)error;
    m.word[2] = written;
    m.word[3] = used;
    m.word[4] = frames;
    tell_home(home, &m);
}

static int attach(const struct message *m)
{
    struct vcore *v = pool_get(&vcore_pool);
    if (v && !vcore_fill(v, m)) {
        vcore_add(v);
        return 0;
    }
    if (v)
        vcore_free(v);
    return -E_NO_MEMORY;
}

static void on_attach(struct actor *self, const struct message *m, unsigned from)
{
    if (attach(m))
        tell_stopped(m->word[1], m->word[0], E_NO_MEMORY, (uint32_t)m->word[4], 0, 0);
}

static void set_slot(const struct message *m)
{
    struct vcore *v = vcore_find(m->word[0]);
    if (!v)
        return;
    arch_space_set(v->space, (unsigned)m->word[1], (frame_t)m->word[2]);
    if (slot_holds(v->id, m->word[1] << SLOT_SHIFT))
        v->slot.root = (frame_t)m->word[2];
}

static void on_slot(struct actor *self, const struct message *m, unsigned from)
{
    set_slot(m);
}

int vcore_change_rings(const struct message *m)
{
    struct vcore *v = vcore_find(m->word[0]);
    if (!v)
        return -1;
    uint32_t events = (uint32_t)m->word[1];
    const frame_t frame[MAILBOX_PAGES] = {(frame_t)m->word[2], (frame_t)(m->word[2] >> 32),
                                          (frame_t)m->word[3], (frame_t)(m->word[3] >> 32)};
    struct mailbox_writer to =
        events == EVENTS_MIN ? mailbox_first_slots(v->data, 1) : mailbox_slots(frame, events);
    if (m->word[1] >> 32 == RINGS_AS_THEY_ARE) {
        to.written = v->ring.written;
        v->ring = to;
        return 0;
    }
    uint64_t address = vcore_block(v->id) + (events == EVENTS_MIN ? VCORE_DRIVER_RING_OFFSET
                                                                  : VCORE_DRIVER_RINGS_OFFSET);
    mailbox_resize(&v->ring, &v->data->mailbox, &v->data->mailbox.driver, &to, address);
    return 0;
}

/* A vcore that could not be attached has no ring to change; its home is to know that all the same. */
static void on_rings(struct actor *self, const struct message *m, unsigned from)
{
    vcore_change_rings(m);
    if (m->word[1] >> 32 == RINGS_AS_THEY_ARE)
        return;
    struct message done = {.head = message_head(MESSAGE_VCORE_RINGS_DONE)};
    done.word[0] = m->word[0];
    done.word[1] = m->word[1] >> 32;
    tell_home(m->word[4], &done);
}

/* No notif_pending: the vcore is entered, and looks. */
static void post_granted(struct vcore *v)
{
    struct event event = {.type = EVENT_CORE_GRANTED, .source = v->id, .time = arch_clock()};
    event.payload[0] = this_core;
    mailbox_post(&v->ring, &v->data->mailbox, &v->data->mailbox.driver, &event);
}

static void load_saved(struct vcore *v, frame_t frame)
{
    const struct saved_context *saved = frame_pointer(frame);
    v->context = saved->context;
    v->gs_base = saved->gs_base;
    memcpy(v->fp, saved->fp, arch_fp_bytes());
}

static void start(const struct message *m)
{
    struct vcore *v = vcore_find(m->word[0]);
    if (!v)
        return;
    v->fresh = m->word[1] == FRAME_NONE;
    if (!v->fresh)
        load_saved(v, (frame_t)m->word[1]);
    v->slice_ticks = (uint32_t)m->word[2] * (arch_clock_hz() / 1000000);
    vcore_make_runnable(v);
    v->data->idle = 0;
    if (v->granted)
        post_granted(v);
}

static void on_start(struct actor *self, const struct message *m, unsigned from)
{
    start(m);
}

int vcore_command(const struct message *m)
{
    switch (message_type(m)) {
    case MESSAGE_VCORE_ATTACH:
        return attach(m);
    case MESSAGE_VCORE_SLOT:
        set_slot(m);
        return 0;
    case MESSAGE_VCORE_RINGS:
        vcore_change_rings(m);
        return 0;
    default:
        start(m);
        return 0;
    }
}

void vcore_wake(uint64_t key)
{
    struct vcore *v = vcore_find(key);
    if (v && v->run == VCORE_HALTED && user_flag_take(&v->data->notif_pending)) {
        user_flag_clear(&v->data->idle);
        v->run = VCORE_PARKED;
        vcore_answered(v, 0);
    }
}

static void on_wake(struct actor *self, const struct message *m, unsigned from)
{
    vcore_wake(m->word[0]);
    struct message woken = {.head = message_head(MESSAGE_VCORE_WOKEN), .word = {m->word[0]}};
    tell_home(m->word[1], &woken);
}

enum { FLUSH_SINGLY = 64 }; /* of more pages than these, all translations go */

/* MULTICAST_FLUSH. Where no vcore of the process is loaded there is nothing to drop: loading one
 * enters its table anew. */
static void flush(const uint64_t word[MULTICAST_WORDS])
{
    if (!vcore_loaded || vcore_loaded->pid != word[0])
        return;
    if (word[2] > FLUSH_SINGLY)
        arch_user_flush_all();
    else
        for (uint64_t i = 0; i < word[2]; i++)
            arch_user_flush(word[1] + i * PAGE_BYTES);
}
MULTICAST_OPERATION(MULTICAST_FLUSH, flush)

static void save_to_uthread_slot(struct vcore *v)
{
    v->context.trap = 0; /* not a reflected trap */
    v->data->uthread = v->context;
    memcpy(frame_pointer(v->xsave), v->fp, arch_fp_bytes());
    v->data->uthread_fp_saved = 1;
    v->data->uthread_valid = 1;
}

static void save_to_frame(struct vcore *v)
{
    struct saved_context *saved = frame_pointer(v->stop_frame);
    saved->context = v->context;
    saved->gs_base = v->gs_base;
    memcpy(saved->fp, v->fp, arch_fp_bytes());
}

/* What becomes of the context: kernel/vcore.h. One that never entered has none to abandon. */
static void save(struct vcore *v)
{
    if (v->stop_flags == STOP_DROP)
        return;
    if (v == vcore_loaded)
        vcore_unload();
    if (v->stop_flags == STOP_ABANDON) {
        if (!v->fresh && !v->data->notif_disabled)
            save_to_uthread_slot(v);
        return;
    }
    arch_context_result(&v->context, v->stop_result);
    if (v->stop_flags == STOP_SAVE)
        save_to_frame(v);
    else
        save_to_uthread_slot(v);
}

static void stop(struct vcore *v)
{
    uint64_t home = v->home, key = vcore_key_of(v);
    save(v);
    vcore_remove(v);
    uint32_t written = v->ring.written;
    uint64_t used = v->used;
    uint32_t frames = slot_return(&v->slot);
    vcore_free(v);
    tell_stopped(home, key, 0, written, used, frames);
}

static void on_recall(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    if (!v)
        return; /* VCORE_STOPPED has brought it back */
    struct message back = {.head = message_head(MESSAGE_VCORE_RECALLED)};
    back.word[0] = m->word[0];
    back.word[1] = slot_return(&v->slot);
    tell_home(m->word[1], &back);
}

static void on_stop(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    if (!v)
        return; /* it could not be attached, and the home was told */
    v->stop_flags = (uint8_t)m->word[1];
    v->stop_result = (long)m->word[2];
    v->stop_frame = (frame_t)m->word[3];
    v->stopping = v->asked;
    if (!v->asked)
        stop(v);
}

/* The reply to any request of a vcore's: {key, result}. */
static void on_done(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    ASSERT(v && v->asked);
    v->asked = 0;
    if (v->stopping)
        stop(v);
    else
        vcore_answered(v, (long)m->word[1]);
}

static void on_fault_done(struct actor *self, const struct message *m, unsigned from)
{
    struct vcore *v = vcore_find(m->word[0]);
    ASSERT(v && v->asked);
    v->asked = 0;
    slot_lend(&v->slot, m);
    if (v->stopping) {
        stop(v);
    } else if (m->word[1] == 0) {
        vcore_make_runnable(v);
        if (v == vcore_loaded)
            arch_user_flush(m->word[2]);
    }
}

static struct actor_class driver_class = {
    .name = "driver",
    .handler =
        {
            [MESSAGE_VCORE_ATTACH] = on_attach,
            [MESSAGE_VCORE_SLOT] = on_slot,
            [MESSAGE_VCORE_RINGS] = on_rings,
            [MESSAGE_VCORE_START] = on_start,
            [MESSAGE_VCORE_WAKE] = on_wake,
            [MESSAGE_VCORE_RECALL] = on_recall,
            [MESSAGE_VCORE_STOP] = on_stop,
            [MESSAGE_CALL_DONE] = on_done,
            [MESSAGE_CONSOLE_DONE] = on_done,
            [MESSAGE_FAULT_DONE] = on_fault_done,
        },
};
ACTOR_CLASS(driver_class)

void vcore_driver_start(void)
{
    ASSERT(actor_create_at(ACTOR_KERNEL, &driver_class, NULL, &vcore_driver) == 0);
}
