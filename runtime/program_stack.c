#include "runtime/program_stack.h"
#include "runtime/call.h"
#include "runtime/place.h"
#include "runtime/vcore.h"
#include "lib/string.h"

enum { RANDOM_BYTES = 16, STACK_ALIGN = 16, CLOCK_TICKS = 100 };

struct aux {
    uint64_t type, value;
};

long program_stack_map(void)
{
    return kernel_call(PANDO_mem_map, PLACE_STACK_TOP - PROGRAM_STACK_BYTES, PROGRAM_STACK_BYTES,
                       PROT_R | PROT_W, 0);
}

/* Copies the strings, arguments then environment, to the top of the stack. */
static char *args_push(uint64_t *top)
{
    uint64_t bytes = pando_procinfo()->args_bytes;

    *top -= bytes;
    memcpy((void *)*top, (const void *)PROCINFO_ARGS, bytes);
    return (char *)*top;
}

/* The vector of pointers to strings that stand one behind another, from *strings on. */
static uint64_t *pointers_put(uint64_t *to, const char **strings, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        *to++ = (uint64_t)*strings;
        *strings += strlen(*strings) + 1;
    }
    *to++ = 0;
    return to;
}

uint64_t program_stack_fill(const struct elf_image *image, uint64_t base)
{
    unsigned argc = pando_procinfo()->argc, env_count = pando_procinfo()->env_count;
    uint64_t top = PLACE_STACK_TOP;
    char *args = args_push(&top);

    top -= RANDOM_BYTES;
    random_fill((void *)top, RANDOM_BYTES);
    const struct aux aux[] = {
        {AUX_HEADERS, image->headers ? base + image->headers : 0},
        {AUX_HEADER_BYTES, ELF_PROGRAM_HEADER_BYTES},
        {AUX_HEADER_COUNT, image->header_count},
        {AUX_PAGE_BYTES, PAGE_BYTES},
        {AUX_BASE, 0},
        {AUX_FLAGS, 0},
        {AUX_ENTRY, base + image->entry},
        {AUX_UID, 0},
        {AUX_EUID, 0},
        {AUX_GID, 0},
        {AUX_EGID, 0},
        {AUX_HWCAP, cpu_features()},
        {AUX_CLOCK_TICKS, CLOCK_TICKS},
        {AUX_SECURE, 0},
        {AUX_RANDOM, top},
        {AUX_PROGRAM_NAME, (uint64_t)args},
        {AUX_END, 0},
    };

    /* argc, the arguments and a NULL, the environment and a NULL, the auxiliary vector */
    uint64_t words = 1 + argc + 1 + env_count + 1;
    top = (top - words * sizeof(uint64_t) - sizeof aux) / STACK_ALIGN * STACK_ALIGN;
    uint64_t *to = (uint64_t *)top;
    *to++ = argc;
    const char *strings = args;
    to = pointers_put(to, &strings, argc);
    to = pointers_put(to, &strings, env_count);
    memcpy(to, aux, sizeof aux);
    return top;
}
