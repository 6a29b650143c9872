#include "lib/string.h"
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    void *start = to;
    size_t words = bytes / 8;
    size_t tail = bytes % 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(tail) : : "memory");
    return start;
}

void *memmove(void *to, const void *from, size_t bytes)
{
    if ((uintptr_t)to - (uintptr_t)from >= bytes)
        return memcpy(to, from, bytes);
    unsigned char *t = to;
    const unsigned char *f = from;
    while (bytes-- > 0)
        t[bytes] = f[bytes];
    return to;
}

void *memset(void *to, int byte, size_t bytes)
{
    void *start = to;
    size_t words = bytes / 8;
    size_t tail = bytes % 8;
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(tail) : "a"(pattern) : "memory");
    return start;
}

void page_clear(void *page)
{
    size_t words = 512;
    __asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0) : "memory");
}

int memcmp(const void *a, const void *b, size_t bytes)
{
    const unsigned char *x = a;
    const unsigned char *y = b;

    for (size_t i = 0; i < bytes; i++) {
        if (x[i] != y[i])
            return x[i] - y[i];
    }
    return 0;
}

size_t strlen(const char *string)
{
    size_t length = 0;

    while (string[length])
        length++;
    return length;
}

size_t strnlen(const char *string, size_t bytes)
{
    size_t length = 0;

    while (length < bytes && string[length])
        length++;
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (a[i] != b[i] || !a[i])
            return (unsigned char)a[i] - (unsigned char)b[i];
    }
    return 0;
}

char *strchr(const char *string, int character)
{
    for (;; string++) {
        if (*string == (char)character)
            return (char *)string;
        if (!*string)
            return NULL;
    }
}
