/* proc_cycle: a process is created, run, ends itself, is waited for and forgotten. Its runtime image,
 * an existing memory object, is a few instructions. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "abi/runtime.h"
#include "pando.h"

enum { ROUNDS = 16, ENTRY = 64 };
#define WHERE 0x200000000000ull

static const char name[] = "minimal";

static long check(long result)
{
    if (result >= 0)
        return result;
    fprintf(stderr, "error %ld\n", result);
    exit(1);
}

/* exit(0) */
static const unsigned char code[] = {
    0x31, 0xff,                /* xor edi, edi */
    0xb8, PANDO_exit, 0, 0, 0, /* mov eax, number */
    0x0f, 0x05,                /* syscall */
    0x0f, 0x0b,                /* ud2 */
};

static long make_image(void)
{
    long object = check(pando_object_create(PAGE_BYTES));
    struct map_request request = {.addr = WHERE, .bytes = PAGE_BYTES, .prot = PROT_R | PROT_W};
    check(pando_object_map(object, 0, &request));
    *(struct runtime_head *)WHERE = (struct runtime_head){
        .magic = RUNTIME_MAGIC, .entry = RUNTIME_BASE + ENTRY, .text_bytes = PAGE_BYTES};
    memcpy((char *)WHERE + ENTRY, code, sizeof code);
    return object;
}

static uint64_t cycle(long image)
{
    uint64_t from = __builtin_ia32_rdtsc();
    long process = check(pando_proc_create_of(sizeof name, image, 0, 0, name));
    check(pando_proc_run(process));
    if (check(pando_proc_wait(process)) != 0)
        exit(2);
    check(pando_handle_close(process));
    return __builtin_ia32_rdtsc() - from;
}

int main(void)
{
    long image = make_image();
    uint64_t last = 0;
    for (unsigned i = 0; i < ROUNDS; i++)
        last = cycle(image);
    printf("%lu\n", last);
    return 0;
}
