/* printf-style formatting into a buffer, freestanding: %s %c %d %u %x %ld %lu %lx %p %%, each with
 * an optional width and zero flag. */
#ifndef LIB_FORMAT_H
#define LIB_FORMAT_H

#include <stdarg.h>
#include <stddef.h>

/* Writes at most bytes - 1 characters and a NUL; returns the number of characters written. */
size_t format(char *to, size_t bytes, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t format_list(char *to, size_t bytes, const char *format, va_list list)
    __attribute__((format(printf, 3, 0)));

#endif
