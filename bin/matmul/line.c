#include "bin/matmul/line.h"

void line_reader_start(struct line_reader *reader, FILE *file)
{
    reader->file = file;
    reader->number = 0;
    reader->cut = false;
    reader->length = reader->word = 0;
    reader->text[0] = '\0';
    reader->at = reader->filled = 0;
}

/* The next byte of the file, or EOF at its end or at an error. */
static int next_byte(struct line_reader *reader)
{
    if (reader->at == reader->filled) {
        reader->at = 0;
        reader->filled = fread(reader->buffer, 1, sizeof reader->buffer, reader->file);
        if (!reader->filled)
            return EOF;
    }
    return (unsigned char)reader->buffer[reader->at++];
}

static void keep(struct line_reader *reader, int byte)
{
    if (reader->length < LINE_BYTES - 1)
        reader->text[reader->length++] = (char)byte;
    else
        reader->cut = true;
}

static void end_line(struct line_reader *reader)
{
    if (!reader->cut && reader->length && reader->text[reader->length - 1] == '\r')
        reader->length--;
    reader->text[reader->length] = '\0';
}

int line_next(struct line_reader *reader)
{
    int byte = next_byte(reader);
    if (byte != EOF) {
        reader->number++;
        reader->length = reader->word = 0;
        reader->cut = false;
    }
    bool any = byte != EOF;
    for (; byte != EOF && byte != '\n'; byte = next_byte(reader))
        keep(reader, byte);
    if (ferror(reader->file))
        return -1;
    if (any)
        end_line(reader);
    return any;
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t';
}

static size_t skip_blanks(const struct line_reader *reader, size_t at)
{
    while (at < reader->length && is_blank(reader->text[at]))
        at++;
    return at;
}

bool line_is_blank(const struct line_reader *reader)
{
    return skip_blanks(reader, 0) == reader->length;
}

bool line_word(struct line_reader *reader, struct word *word)
{
    size_t start = skip_blanks(reader, reader->word), end = start;
    while (end < reader->length && !is_blank(reader->text[end]))
        end++;
    reader->word = end;
    *word = (struct word){.start = &reader->text[start], .length = end - start};
    return end > start;
}
