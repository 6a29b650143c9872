/* A stand-in for the kernel, for tests of the pando command: it obeys the option fake=WHAT on its
 * command line, on the serial ports and the exit port that the real one uses. */
#include <stdint.h>

enum { LOG = 0x3f8, CONTROL = 0x2f8, OUTPUT = 0x3e8, ERROR = 0x2e8, EXIT_PORT = 0xf4 };
enum { MULTIBOOT2 = 0x36d76289, TAG_COMMAND = 1, TAG_MODULE = 3, BIG_BYTES = 5 << 20 };

struct start_info {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command;
};

struct tag {
    uint32_t type, bytes;
    uint32_t word[2];
};

static const char *command = "";
static const uint8_t *archive;
static uint32_t archive_bytes;

_Noreturn void triple_fault(void);
void hang(void);
void fake_main(uint32_t magic, const void *info);

static void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void write(uint16_t port, const char *text)
{
    while (*text)
        out8(port, *text++);
}

static void power_off(void)
{
    __asm__ volatile("outl %0, %1" : : "a"(0), "Nd"((uint16_t)EXIT_PORT));
}

static void read_pvh(const struct start_info *info)
{
    command = (const char *)(uintptr_t)info->command;
    if (info->modules) {
        const uint64_t *module = (const void *)(uintptr_t)info->module_list;
        archive = (const void *)(uintptr_t)module[0];
        archive_bytes = module[1];
    }
}

static void read_multiboot2(const uint32_t *info)
{
    const struct tag *tag = (const void *)(info + 2);
    while (tag->type) {
        if (tag->type == TAG_COMMAND)
            command = (const char *)tag->word;
        if (tag->type == TAG_MODULE) {
            archive = (const void *)(uintptr_t)tag->word[0];
            archive_bytes = tag->word[1] - tag->word[0];
        }
        tag = (const void *)((const char *)tag + ((tag->bytes + 7) & ~7u));
    }
}

/* What follows fake=WHAT on the command line, or NULL when it does not say so. */
static const char *asked(const char *what)
{
    for (const char *at = command; *at; at++) {
        const char *a = at, *b = "fake=";
        while (*b && *a == *b)
            a++, b++;
        if (*b)
            continue;
        for (b = what; *b && *a == *b; b++)
            a++;
        if (!*b)
            return a;
    }
    return 0;
}

__attribute__((noinline)) void hang(void)
{
    for (;;)
        __asm__ volatile("pause");
}

static void write_all_bytes(void)
{
    for (unsigned i = 0; i < 1024; i++)
        out8(OUTPUT, i);
    for (unsigned i = 0; i < 1024; i++)
        out8(ERROR, 255 - i);
}

static void write_big(void)
{
    for (uint32_t word = 0; word < BIG_BYTES / 4; word++)
        for (unsigned shift = 0; shift < 32; shift += 8)
            out8(OUTPUT, word >> shift);
}

static void panic(void)
{
    write(LOG, "[1] panic: something broke\n[1]   1000 somewhere+0x10\n");
    write(CONTROL, "exit 0\npanic 1\nstop later\n");
    power_off();
}

void fake_main(uint32_t magic, const void *info)
{
    if (magic == MULTIBOOT2)
        read_multiboot2(info);
    else
        read_pvh(info);
    write(LOG, "first line\ncommand: ");
    write(LOG, command);
    write(LOG, "\n");
    if (asked("bytes"))
        write_all_bytes();
    if (asked("big"))
        write_big();
    if (asked("archive"))
        for (uint32_t i = 0; i < archive_bytes; i++)
            out8(OUTPUT, archive[i]);
    if (asked("begin"))
        write(OUTPUT, "begun\n");
    if (asked("begin") || asked("hang"))
        hang();
    if (asked("flood"))
        for (;;)
            write(OUTPUT, "flood\n");
    if (asked("panic"))
        panic();
    if (asked("stop"))
        write(CONTROL, "exit 3\nstop no memory to speak of\nexit 4\n");
    if (asked("triple"))
        triple_fault();
    if (asked("unended"))
        write(CONTROL, "exit 7");
    if (asked("exit")) {
        write(CONTROL, "exit ");
        for (const char *digit = asked("exit") + 1; *digit >= '0' && *digit <= '9'; digit++)
            out8(CONTROL, *digit);
        write(CONTROL, "\n");
    }
    if (asked("linger"))
        hang();
    power_off();
}
