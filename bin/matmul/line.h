/* Numbered lines of a text file, split into words at blanks (spaces and tabs).
 *
 * Any bytes are allowed; a carriage return before the newline belongs to the line's end, and the
 * last line need not have a newline. */
#ifndef MATMUL_LINE_H
#define MATMUL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define LINE_BYTES        1024
#define LINE_BUFFER_BYTES 4096

/* The current line is text[0 .. length), followed by a NUL; `word` is where the next word is looked
 * for. Of a longer line only the first bytes are kept, and `cut` is set. */
struct line_reader {
    FILE *file;
    unsigned long number; /* of the current line, from 1; 0 before the first */
    bool cut;
    size_t length, word;
    char text[LINE_BYTES];
    size_t at, filled; /* what of the buffer is still to be read */
    char buffer[LINE_BUFFER_BYTES];
};

/* A word of the current line: valid until line_next. Ends at a blank or the line's NUL. */
struct word {
    const char *start;
    size_t length;
};

/* Starts reading an open file, which stays the caller's. */
void line_reader_start(struct line_reader *reader, FILE *file);

/* Moves to the next line: 1; at the end of the file: 0; could not be read: -1, with errno set.
 * After 0 and -1 the number is that of the last line there was. */
int line_next(struct line_reader *reader);

/* Whether the current line is empty but for blanks. */
bool line_is_blank(const struct line_reader *reader);

/* Takes the next word of the current line; false: there is none. */
bool line_word(struct line_reader *reader, struct word *word);

#endif
