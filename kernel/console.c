#include "kernel/console.h"
#include "abi/error.h"
#include "abi/layout.h"
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/kernel.h"
#include "kernel/port.h"

enum { STREAM_OUTPUT = 1, STREAM_ERROR = 2 };

long console_write(frame_t frame, uint64_t stream, uint64_t bytes)
{
    ASSERT(this_core == 0);
    if (stream < STREAM_OUTPUT || stream > STREAM_ERROR || !bytes || bytes > PAGE_BYTES)
        return -E_INVALID;
    unsigned port = stream == STREAM_OUTPUT ? PORT_OUTPUT : PORT_ERROR;
    arch_serial_write(arch_serial_present(port) ? port : PORT_LOG, frame_pointer(frame), bytes);
    return 0;
}

static void on_write(struct actor *self, const struct message *m, unsigned from)
{
    struct message reply = {.head = message_head(MESSAGE_CONSOLE_DONE)};
    reply.word[0] = m->word[0];
    reply.word[1] = (uint64_t)console_write((frame_t)m->word[1], m->word[2], m->word[3]);
    actor_reply(self, m->word[5], &reply);
}

static struct actor_class console_class = {
    .name = "console",
    .handler = {[MESSAGE_CONSOLE_WRITE] = on_write},
};
ACTOR_CLASS(console_class)

void console_start(void)
{
    struct actor *made;
    ASSERT(actor_create_at(ACTOR_CONSOLE, &console_class, NULL, &made) == 0);
}
