#include "lib/format.h"
#include <stdint.h>
#include "lib/string.h"

struct out {
    char *to;
    size_t used, most;
};

static void put(struct out *out, char c)
{
    if (out->used < out->most)
        out->to[out->used++] = c;
}

static void put_text(struct out *out, const char *text, size_t length, unsigned width, char pad)
{
    for (size_t i = length; i < width; i++)
        put(out, pad);
    for (size_t i = 0; i < length; i++)
        put(out, text[i]);
}

static void put_number(struct out *out, uint64_t value, unsigned base, int negative, unsigned width,
                       char pad)
{
    char digits[24];
    size_t at = sizeof digits;
    do
        digits[--at] = "0123456789abcdef"[value % base];
    while (value /= base);
    if (negative && pad == ' ') {
        digits[--at] = '-';
    } else if (negative) {
        put(out, '-');
        width -= width > 0;
    }
    put_text(out, digits + at, sizeof digits - at, width, pad);
}

/* One conversion, after the %; returns the format behind it. */
static const char *convert(struct out *out, const char *f, va_list *list)
{
    char pad = ' ';
    unsigned width = 0, is_long = 0;
    if (*f == '0')
        pad = *f++;
    while (*f >= '0' && *f <= '9')
        width = width * 10 + (unsigned)(*f++ - '0');
    while (*f == 'l' || *f == 'z')
        is_long = 1, f++;
    switch (*f) {
    case 's': {
        const char *text = va_arg(*list, const char *);
        text = text ? text : "(none)";
        put_text(out, text, strlen(text), width, ' ');
        break;
    }
    case 'c':
        put(out, (char)va_arg(*list, int));
        break;
    case 'd': {
        long value = is_long ? va_arg(*list, long) : va_arg(*list, int);
        put_number(out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, value < 0, width,
                   pad);
        break;
    }
    case 'u':
    case 'x': {
        uint64_t value = is_long ? va_arg(*list, unsigned long) : va_arg(*list, unsigned);
        put_number(out, value, *f == 'u' ? 10 : 16, 0, width, pad);
        break;
    }
    case 'p':
        put_number(out, (uint64_t)va_arg(*list, void *), 16, 0, width, pad);
        break;
    case 0:
        return f;
    default:
        put(out, *f);
    }
    return f + 1;
}

size_t format_list(char *to, size_t bytes, const char *f, va_list list)
{
    struct out out = {to, 0, bytes - 1};
    va_list rest;
    va_copy(rest, list);
    while (*f) {
        if (*f != '%')
            put(&out, *f++);
        else
            f = convert(&out, f + 1, &rest);
    }
    va_end(rest);
    to[out.used] = 0;
    return out.used;
}

size_t format(char *to, size_t bytes, const char *f, ...)
{
    va_list list;
    va_start(list, f);
    size_t length = format_list(to, bytes, f, list);
    va_end(list);
    return length;
}
