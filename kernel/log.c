/* A line from another core travels as LOG messages of up to 40 bytes: word[0] = bytes here and
 * whether the line ends; word[1..5] = text. They come in order, so core 0 puts each core's line
 * together. What a full channel refuses is counted, and said in the next line that gets through. */
#include "kernel/log.h"
#include <stdarg.h>
#include "arch/arch.h"
#include "kernel/actor.h"
#include "kernel/backlog.h"
#include "kernel/kernel.h"
#include "kernel/port.h"
#include "kernel/shared/shared.h"
#include "lib/format.h"
#include "lib/string.h"

enum { LINE_BYTES = 200, PART_BYTES = 40, LAST_PART = 0x100 };

struct line {
    unsigned bytes;
    char text[LINE_BYTES];
};

static struct line *partial[CORES_MAX]; /* made when a core first sends one */
static unsigned lines_lost;

static void write_line(unsigned core, const char *text, size_t bytes)
{
    char out[LINE_BYTES + 16];
    size_t length = format(out, sizeof out, "[%u] ", core);
    if (bytes > LINE_BYTES)
        bytes = LINE_BYTES;
    memcpy(out + length, text, bytes);
    length += bytes;
    out[length++] = '\n';
    arch_serial_write(PORT_LOG, out, length);
}

static int send_part(const char *text, size_t bytes, int last)
{
    struct message m = {.head = message_head(MESSAGE_LOG)};
    m.word[0] = bytes | (last ? LAST_PART : 0);
    memcpy(&m.word[1], text, bytes);
    return actor_send(actor_well_known(0, ACTOR_LOG), &m);
}

/* A flood of lines must not take the places of messages that matter more. */
enum { WAITING_MOST = 64 };

static void send_line(const char *text, size_t bytes)
{
    if (backlog_nodes_used(ACCOUNT_PLAIN) > WAITING_MOST) {
        lines_lost++;
        return;
    }
    while (bytes > PART_BYTES) {
        if (send_part(text, PART_BYTES, 0)) {
            lines_lost++;
            return;
        }
        text += PART_BYTES;
        bytes -= PART_BYTES;
    }
    if (send_part(text, bytes, 1))
        lines_lost++;
}

void log_line(const char *f, ...)
{
    char text[LINE_BYTES];
    va_list list;
    va_start(list, f);
    size_t length = format_list(text, sizeof text, f, list);
    va_end(list);
    if (this_core == 0) {
        write_line(0, text, length);
        return;
    }
    if (lines_lost) {
        char lost[48];
        unsigned count = lines_lost;
        lines_lost = 0;
        send_line(lost, format(lost, sizeof lost, "(%u lines of this log were lost)", count));
    }
    send_line(text, length);
}

static void on_log(struct actor *self, const struct message *m, unsigned from)
{
    if (!partial[from])
        partial[from] = arch_private_alloc();
    struct line *line = partial[from];
    size_t bytes = m->word[0] & 0xff;
    if (!line || bytes > PART_BYTES)
        return;
    if (line->bytes + bytes > LINE_BYTES)
        bytes = LINE_BYTES - line->bytes;
    memcpy(line->text + line->bytes, &m->word[1], bytes);
    line->bytes += bytes;
    if (m->word[0] & LAST_PART) {
        write_line(from, line->text, line->bytes);
        line->bytes = 0;
    }
}

static struct actor_class log_class = {.name = "log", .handler = {[MESSAGE_LOG] = on_log}};
ACTOR_CLASS(log_class)

void log_start(void)
{
    ASSERT(this_core == 0);
    struct actor *made;
    ASSERT(actor_create_at(ACTOR_LOG, &log_class, NULL, &made) == 0);
}
