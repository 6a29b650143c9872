#include "runtime/console.h"
#include "runtime/mutex.h"
#include "runtime/vcore.h"
#include "abi/error.h"
#include "lib/string.h"

static struct mutex mutex; /* for these: */
static uint8_t bounce[PAGE_BYTES];
static size_t bounce_bytes;

static long bounce_write(int stream)
{
    vcore_mask();
    memcpy(vcore_message(), bounce, bounce_bytes);
    long result = system_call(PANDO_console_write, stream, bounce_bytes, 0, 0);
    vcore_unmask();
    bounce_bytes = 0;
    return result < 0 ? result : 0;
}

/* Returns how much of the data found room. */
static size_t bounce_fill(const uint8_t *data, size_t bytes)
{
    size_t room = sizeof bounce - bounce_bytes;
    size_t part = bytes < room ? bytes : room;

    memcpy(bounce + bounce_bytes, data, part);
    bounce_bytes += part;
    return part;
}

/* Writes what fills the buffer and counts it; what does not stays in the buffer. 0, or an error. */
static long piece_write(int stream, const struct io_piece *piece, int64_t *written)
{
    long result = 0;

    for (size_t done = 0; done < piece->bytes;) {
        done += bounce_fill(piece->data + done, piece->bytes - done);
        if (bounce_bytes < sizeof bounce)
            continue;
        result = bounce_write(stream);
        if (result < 0)
            return result;
        *written += sizeof bounce;
    }
    return result;
}

int64_t console_write(int stream, const struct io_piece *pieces, size_t count)
{
    int64_t written = 0;
    long result = 0;

    mutex_take(&mutex);
    for (size_t i = 0; i < count && result == 0; i++)
        result = piece_write(stream, &pieces[i], &written);
    size_t rest = bounce_bytes;
    if (result == 0 && rest > 0) {
        result = bounce_write(stream);
        if (result == 0)
            written += rest;
    }
    mutex_release(&mutex);
    return result < 0 && written == 0 ? result : written;
}

static struct io_piece piece_of(const char *text)
{
    return (struct io_piece){(uint8_t *)text, strlen(text)};
}

void console_complain(const char *subject, const char *predicate)
{
    struct io_piece pieces[] = {piece_of("pando: "), piece_of(subject), piece_of(": "),
                                piece_of(predicate), piece_of("\n")};

    console_write(STREAM_ERROR, pieces, sizeof pieces / sizeof pieces[0]);
}

_Noreturn void console_fail(const char *reason)
{
    static const char head[] = "pando: runtime: ";
    char *message = vcore_message();
    size_t length = strnlen(reason, PAGE_BYTES / 2);

    memcpy(message, head, sizeof head - 1);
    memcpy(message + sizeof head - 1, reason, length);
    message[sizeof head - 1 + length] = '\n';
    system_call(PANDO_console_write, STREAM_ERROR, sizeof head + length, 0, 0);
    for (;;)
        system_call(PANDO_exit, STATUS_FAULT, 0, 0, 0);
}

long console_message_call(long number, const struct io_piece *pieces, size_t count, long b, long c,
                          long d)
{
    long result = 0;

    mutex_take(&mutex);
    for (size_t i = 0; i < count && result == 0; i++) {
        if (bounce_fill(pieces[i].data, pieces[i].bytes) < pieces[i].bytes)
            result = -E_TOO_LONG;
    }
    if (result == 0) {
        vcore_mask();
        memcpy(vcore_message(), bounce, bounce_bytes);
        result = system_call(number, bounce_bytes, b, c, d);
        vcore_unmask();
    }
    bounce_bytes = 0;
    mutex_release(&mutex);
    return result;
}
