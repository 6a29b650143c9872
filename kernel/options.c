#include "kernel/options.h"
#include <stddef.h>
#include <stdint.h>
#include "lib/format.h"
#include "lib/string.h"

enum { SLICE_US = 2000, SLICE_MIN_US = 50, SLICE_MAX_US = 1000000 };

struct options options;
static char complaint[160];

int probe_asked(void)
{
    return options.probe[0] != 0;
}

/* The next word of the line, copied; its length, 0 at the end. */
static size_t next_word(const char **line, char *word, size_t most)
{
    while (**line == ' ' || **line == '\t')
        ++*line;
    size_t length = 0;
    for (; **line && **line != ' ' && **line != '\t'; ++*line)
        if (length < most - 1)
            word[length++] = **line;
    word[length] = 0;
    return length;
}

static int number(const char *text, unsigned *value)
{
    unsigned base = 10;
    if (text[0] == '0' && text[1] == 'x') {
        base = 16;
        text += 2;
    }
    *value = 0;
    if (!*text)
        return -1;
    for (; *text; text++) {
        unsigned digit = *text >= '0' && *text <= '9'   ? (unsigned)(*text - '0')
                         : *text >= 'a' && *text <= 'f' ? (unsigned)(*text - 'a') + 10
                                                        : 99;
        if (digit >= base || *value > 0xffffff)
            return -1;
        *value = *value * base + digit;
    }
    return 0;
}

static const char *complain(const char *what, const char *word)
{
    format(complaint, sizeof complaint, "the kernel's command line: %s %s", what, word);
    return complaint;
}

static const char *take_slice(unsigned *slice, const char *value)
{
    unsigned n;
    if (number(value, &n) || n < SLICE_MIN_US || n > SLICE_MAX_US)
        return complain("a slice is 50 to 1000000 microseconds, not", value);
    *slice = n;
    return NULL;
}

static const char *take(const char *name, const char *value)
{
    unsigned n;
    if (!strcmp(name, "--exit-port")) {
        if (number(value, &n) || n > 0xffff)
            return complain("--exit-port takes a port number, not", value);
        options.exit_port = n;
    } else if (!strcmp(name, "--cores-up")) {
        if (strcmp(value, "all"))
            return complain("--cores-up takes `all`, not", value);
    } else if (!strcmp(name, "--management")) {
        if (number(value, &n) || n < 1 || n > MANAGEMENT_MAX)
            return complain("--management takes 1 to 4 cores, not", value);
        options.management = n;
    } else if (!strcmp(name, "--slice-us")) {
        return take_slice(&options.slice_us, value);
    } else if (!strcmp(name, "--granted-slice-us")) {
        return take_slice(&options.granted_slice_us, value);
    } else if (!strcmp(name, "--trace")) {
        if (strcmp(value, "states"))
            return complain("--trace takes `states`, not", value);
        options.trace_states = 1;
    } else if (!strcmp(name, "--probe")) {
        memcpy(options.probe, value, strnlen(value, sizeof options.probe - 1));
    } else {
        return complain("there is no option", name);
    }
    return NULL;
}

const char *options_parse(const struct boot_info *boot)
{
    const char *line = boot->command, *wrong = NULL;
    char name[64], value[64];
    options.management = 1;
    options.slice_us = options.granted_slice_us = SLICE_US;
    if (boot->command_cut)
        return "the kernel's command line is too long";
    while (!wrong && next_word(&line, name, sizeof name)) {
        if (name[0] != '-')
            continue; /* the loader's name for the kernel */
        if (!next_word(&line, value, sizeof value))
            wrong = complain("a value is missing behind", name);
        else
            wrong = take(name, value);
    }
    return wrong;
}
