/* A document: a text of paragraphs with empty lines between them, in a memory
 * object. */
#ifndef BROWSER_DOCUMENT_H
#define BROWSER_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

enum { PARAGRAPHS_MAX = 256 };

struct paragraph {
    uint64_t offset, bytes;
};

struct document {
    long object; /* handle */
    uint64_t bytes;
    unsigned paragraphs;
    struct paragraph paragraph[PARAGRAPHS_MAX];
};

/* Reads the file into an object that is mapped at DOCUMENT_AT, and finds its
 * paragraphs. Returns NULL, or a sentence why not. */
const char *document_open(struct document *document, const char *path);

#endif
