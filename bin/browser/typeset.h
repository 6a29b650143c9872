/* A paragraph as lines of at most `width` characters. */
#ifndef BROWSER_TYPESET_H
#define BROWSER_TYPESET_H

#include <stddef.h>

/* Text that is being set: at most `room` bytes. */
struct band {
    char *text;
    size_t bytes, room;
    unsigned width;
};

/* Sets a paragraph: words are separated by whitespace, and cut if they do not
 * fit in a line. One that begins with '=' is a heading. Returns 0, or -1: there
 * is no room. */
int typeset(struct band *band, const char *paragraph, size_t bytes);

#endif
