#include "bin/browser/document.h"
#include "bin/browser/protocol.h"
#include "pando.h"
#include <stdio.h>
#include <string.h>

static long file_bytes(FILE *file)
{
    return fseek(file, 0, SEEK_END) ? -1 : ftell(file);
}

/* An object of that size, mapped at DOCUMENT_AT. */
static int object_make(struct document *document, uint64_t bytes)
{
    uint64_t whole = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    struct map_request request = {
        .addr = DOCUMENT_AT, .bytes = whole, .prot = PROT_R | PROT_W, .mode = OBJECT_SHARED};
    document->object = pando_object_create(whole);
    document->bytes = bytes;
    return document->object > 0 && pando_object_map(document->object, 0, &request) == 0 ? 0 : -1;
}

/* The end of the paragraph that begins there: an empty line, or the text's end.
 */
static const char *paragraph_end(const char *at, const char *end)
{
    while (at < end && !(at[0] == '\n' && (at + 1 == end || at[1] == '\n')))
        at++;
    return at;
}

static const char *find_paragraphs(struct document *document)
{
    const char *text = (const char *)DOCUMENT_AT, *end = text + document->bytes;
    for (const char *at = text; at < end;) {
        if (*at == '\n') {
            at++;
            continue;
        }
        const char *last = paragraph_end(at, end);
        if (document->paragraphs == PARAGRAPHS_MAX)
            return "the document has too many paragraphs";
        if (last - at > PARAGRAPH_BYTES_MAX)
            return "a paragraph is too long";
        document->paragraph[document->paragraphs++] =
            (struct paragraph){(uint64_t)(at - text), (uint64_t)(last - at)};
        at = last;
    }
    return NULL;
}

const char *document_open(struct document *document, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file)
        return "there is no such file";
    long bytes = file_bytes(file);
    const char *wrong = bytes <= 0 ? "the document is empty" : NULL;
    if (!wrong && object_make(document, (uint64_t)bytes))
        wrong = "there is no memory for the document";
    rewind(file);
    if (!wrong && fread((void *)DOCUMENT_AT, 1, (size_t)bytes, file) != (size_t)bytes)
        wrong = "the document cannot be read";
    fclose(file);
    return wrong ? wrong : find_paragraphs(document);
}
