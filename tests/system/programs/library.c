/* library print WORD... | library allocate | library read FILE | library missing: the C library at
 * work. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/stat.h>
#include "tests/system/programs/check.h"

enum { BLOCKS = 300, TURNS = 20000, PIECE = 4113 };

static void print(int argc, char *argv[])
{
    for (int i = 0; i < argc; i++)
        printf("%d:%s:%5.1f:%.17g:%x|", i, argv[i], i * 1.5, 1.0 / (i + 1), i * 1000003);
    printf("%s\n", getenv("HOME") ? "home" : "no home");
    fprintf(stderr, "to the other stream\n");
}

static struct block {
    unsigned char *bytes, fill;
    size_t size;
} blocks[BLOCKS];

static void check_block(const struct block *block)
{
    for (size_t i = 0; i < block->size; i++)
        CHECK_IS(block->bytes[i], block->fill);
}

static void allocate(void)
{
    uint64_t state = 362436069;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        struct block *block = &blocks[random_next(&state) % BLOCKS];
        uint64_t kind = random_next(&state) % 8;
        size_t size = random_next(&state) % (turn % 200 ? 700 : 400000) + 1;
        if (turn % 200 == 0)
            check_block(block);
        if (block->bytes && kind < 4) {
            free(block->bytes);
            *block = (struct block){0};
            continue;
        }
        size_t kept = size < block->size ? size : block->size;
        block->bytes = realloc(block->bytes, size);
        CHECK(block->bytes);
        block->size = kept;
        check_block(block);
        block->size = size;
        block->fill = (unsigned char)turn;
        memset(block->bytes, block->fill, size);
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        check_block(&blocks[i]);
        free(blocks[i].bytes);
    }
    printf("ok\n");
}

/* The file's size, then its pieces from the last to the first. */
static void read_file(const char *name)
{
    static char piece[PIECE];
    struct stat status;
    FILE *file = fopen(name, "rb");
    CHECK(file);
    CHECK_IS(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    CHECK_IS(stat(name, &status), 0);
    CHECK_IS(status.st_size, size);
    printf("%ld\n", size);
    for (long at = (size - 1) / PIECE * PIECE; size > 0 && at >= 0; at -= PIECE) {
        CHECK_IS(fseek(file, at, SEEK_SET), 0);
        size_t got = fread(piece, 1, PIECE, file);
        CHECK_IS(got, size - at < PIECE ? size - at : PIECE);
        fwrite(piece, 1, got, stdout);
    }
    CHECK_IS(fseek(file, size, SEEK_SET), 0);
    CHECK_IS(fgetc(file), EOF);
    CHECK(feof(file));
    CHECK_IS(fclose(file), 0);
}

static void missing(void)
{
    char byte;
    CHECK(!fopen("nowhere", "r") && errno == ENOENT);
    CHECK(!fopen("bin/hello", "w") && errno == EROFS);
    CHECK(!fopen("new", "w") && errno == EROFS);
    CHECK(open("bin", O_RDONLY) >= 0);
    CHECK(read(77, &byte, 1) < 0 && errno == EBADF);
    CHECK(read(open("bin", O_RDONLY), &byte, 1) < 0 && errno == EISDIR);
    CHECK(close(77) < 0 && errno == EBADF);
    printf("ok\n");
}

int main(int argc, char *argv[])
{
    if (!strcmp(argv[1], "print"))
        print(argc - 2, argv + 2);
    else if (!strcmp(argv[1], "allocate"))
        allocate();
    else if (!strcmp(argv[1], "read"))
        read_file(argv[2]);
    else
        missing();
    return 0;
}
