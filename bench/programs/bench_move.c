/* move_1m, move_2m: pages that move through a channel to another address, as bench_move PAGES: from the first
 * instruction of the send to the last of the receive. Each page was written; nothing else is mapped near. */
#include <stdio.h>
#include <stdlib.h>
#include "abi/syscall.h"
#include "pando.h"

enum { ROUNDS = 8 };
#define HERE  0x100000000ull
#define THERE 0x140000000ull

static uint64_t ticks(void)
{
    return __builtin_ia32_rdtsc();
}

static void expect(long result, long wanted)
{
    if (result == wanted)
        return;
    fprintf(stderr, "%ld, not %ld\n", result, wanted);
    exit(1);
}

static uint64_t round_of(long sender, long receiver, unsigned pages)
{
    struct channel_message message = {.addr = HERE, .pages = pages, .page_mode = PAGES_MOVE}, got;
    expect(pando_mem_map(HERE, pages * 4096ull, PROT_R | PROT_W, 0), 0);
    for (unsigned i = 0; i < pages; i++)
        ((volatile unsigned *)HERE)[i * 1024] = i;
    uint64_t from = ticks();
    expect(pando_channel_send(sender, 0, &message), 0);
    expect(pando_channel_receive(receiver, THERE, pages, 0, &got), pages);
    uint64_t taken = ticks() - from;
    for (unsigned i = 0; i < pages; i++)
        expect(((volatile unsigned *)THERE)[i * 1024], i);
    expect(pando_mem_unmap(THERE, pages * 4096ull), 0);
    return taken;
}

int main(int argc, char *argv[])
{
    unsigned pages = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 256;
    long ends = pando_channel_create(1);
    uint64_t last = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        last = round_of(ends & 0xffffffff, ends >> 32, pages);
    printf("%lu\n", last);
    return 0;
}
