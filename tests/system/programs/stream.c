/* stream BYTES [VCORES]: writes that many bytes of a pattern to standard output, and of another to
 * standard error, in pieces of changing size; with VCORES, from a granted core. */
#include <unistd.h>
#include "tests/system/programs/check.h"

enum { PIECE_MAX = 10007 };

static size_t write_piece(int stream, size_t at, size_t piece, unsigned factor)
{
    static unsigned char bytes[PIECE_MAX];
    for (size_t i = 0; i < piece; i++)
        bytes[i] = (unsigned char)((at + i) * factor + ((at + i) >> 8));
    for (size_t done = 0; done < piece;) {
        ssize_t written = write(stream, bytes + done, piece - done);
        CHECK(written > 0);
        done += written;
    }
    return at + piece;
}

int main(int argc, char *argv[])
{
    size_t total = number_of(argv[1]), at = 0;
    uint64_t random = 88172645463325252;
    if (argc > 2)
        CHECK_IS(pando_vcores_request(number_of(argv[2])), number_of(argv[2]));
    while (at < total) {
        size_t piece = random_next(&random) % PIECE_MAX + 1;
        if (piece > total - at)
            piece = total - at;
        write_piece(1, at, piece, 1);
        at = write_piece(2, at, piece, 7);
    }
    return 0;
}
