#include "runtime/program.h"
#include "runtime/call.h"
#include "runtime/console.h"
#include "runtime/elf.h"
#include "runtime/file.h"
#include "runtime/place.h"
#include "runtime/program_stack.h"
#include "runtime/uthread.h"
#include "runtime/vcore.h"
#include "abi/error.h"
#include "lib/string.h"

enum { PATH_MAX_BYTES = 512, STRINGS_MAX = 64 };

static _Noreturn void refuse(int status, const char *name, const char *reason)
{
    console_complain(name, reason);
    for (;;)
        kernel_call(PANDO_exit, status, 0, 0, 0);
}

static const char *error_sentence(long error)
{
    static const char *const sentences[ERRORS] = {
#define ERROR_SENTENCE(name, text) [name] = text,
        ERROR_LIST(ERROR_SENTENCE)
#undef ERROR_SENTENCE
    };

    return -error > 0 && -error < ERRORS ? sentences[-error] : "of an error without a name";
}

/* A name with a slash is a path in the archive, any other one is of bin/. */
static void program_find(const char *name, struct cpio_entry *entry)
{
    static const char folder[] = "bin/";
    char path[PATH_MAX_BYTES];
    size_t length = strlen(name);
    size_t start = strchr(name, '/') ? 0 : sizeof folder - 1;

    int error = -E_NO_ENTRY;
    if (start + length < sizeof path && length > 0) {
        memcpy(path, folder, start);
        memcpy(path + start, name, length + 1);
        error = archive_find(path, entry);
    }
    if (error == 0 && (entry->mode & CPIO_TYPE_MASK) == CPIO_REGULAR)
        return;
    refuse(STATUS_NOT_FOUND, name,
           error == -E_DAMAGED ? "the boot archive is damaged"
                               : "no such program in the boot archive");
}

static long segment_load(const struct elf_segment *segment, const uint8_t *file, uint64_t base)
{
    uint64_t addr = base + segment->addr;
    uint64_t start = addr / PAGE_BYTES * PAGE_BYTES;
    uint64_t bytes = addr + segment->memory_bytes - start;

    bytes = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    long error = kernel_call(PANDO_mem_map, start, bytes, PROT_R | PROT_W, 0);
    if (error < 0)
        return error;
    memcpy((void *)addr, file + segment->file_offset, segment->file_bytes);
    if (segment->prot == (PROT_R | PROT_W))
        return 0;
    return kernel_call(PANDO_mem_protect, start, bytes, segment->prot, 0);
}

static long segments_load(const struct elf_image *image, const uint8_t *file, uint64_t base)
{
    long error = 0;

    for (int i = 0; i < image->segment_count && error == 0; i++)
        error = segment_load(&image->segment[i], file, base);
    return error;
}

static _Noreturn void program_become(struct uthread *uthread, uint64_t entry, uint64_t stack)
{
    uthread->context[LEVEL_PROGRAM] = (struct context){
        .rip = entry,
        .cs = USER_CS,
        .rflags = USER_RFLAGS,
        .rsp = stack,
        .ss = USER_SS,
    };
    call_end(uthread);
}

void program_start(void *arg)
{
    const char *name = (const char *)PROCINFO_ARGS;
    struct cpio_entry entry;
    struct elf_image image;

    if (pando_procinfo()->argc == 0)
        refuse(STATUS_NOT_FOUND, "runtime", "the process was given no program's name");
    program_find(name, &entry);
    const char *reason = elf_check(entry.data, entry.bytes, &image);
    if (reason)
        refuse(STATUS_NOT_LOADABLE, name, reason);

    uint64_t base = image.any_place ? PLACE_PROGRAM : 0;
    long error = segments_load(&image, entry.data, base);
    if (error < 0)
        refuse(STATUS_NOT_LOADABLE, name, error_sentence(error));
    call_memory_init(base + image.high);
    error = program_stack_map();
    if (error < 0)
        refuse(STATUS_NOT_LOADABLE, name, error_sentence(error));
    uint64_t stack = program_stack_fill(&image, base);
    program_become(arg, base + image.entry, stack);
}

int runtime_proc_create(int argc, char *const argv[], char *const env[], uint32_t image,
                        unsigned flags)
{
    struct io_piece pieces[STRINGS_MAX];
    int env_count = 0;

    while (env && env[env_count])
        env_count++;
    if (argc < 1)
        return -E_INVALID;
    if (argc > STRINGS_MAX || env_count > STRINGS_MAX - argc)
        return -E_TOO_LONG;
    for (int i = 0; i < argc + env_count; i++) {
        char *string = i < argc ? argv[i] : env[i - argc];
        pieces[i] = (struct io_piece){(uint8_t *)string, strlen(string) + 1};
    }
    return console_message_call(PANDO_proc_create, pieces, argc + env_count, image, flags,
                                env_count);
}
