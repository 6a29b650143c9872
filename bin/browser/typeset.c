#include "bin/browser/typeset.h"

struct word {
    const char *text;
    size_t bytes;
};

static int is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The next word, cut to the band's width; empty at the end. */
static struct word word_next(const char **at, const char *end, size_t longest)
{
    while (*at < end && is_space(**at))
        ++*at;
    struct word word = {*at, 0};
    while (*at < end && !is_space(**at) && word.bytes < longest) {
        ++*at;
        word.bytes++;
    }
    return word;
}

static int put(struct band *band, const char *text, size_t bytes)
{
    if (band->room - band->bytes < bytes)
        return -1;
    for (size_t i = 0; i < bytes; i++)
        band->text[band->bytes++] = text[i];
    return 0;
}

static int put_many(struct band *band, char c, size_t count)
{
    int error = 0;
    while (count-- && !error)
        error = put(band, &c, 1);
    return error;
}

static int set_heading(struct band *band, const char *text, size_t bytes)
{
    const char *at = text, *end = text + bytes;
    size_t begin = band->bytes;
    struct word word;
    while ((word = word_next(&at, end, band->width)).bytes) {
        int error = band->bytes > begin ? put_many(band, ' ', 1) : 0;
        if (error || put(band, word.text, word.bytes))
            return -1;
    }
    size_t length = band->bytes - begin;
    return put_many(band, '\n', 1) || put_many(band, '=', length) || put_many(band, '\n', 1) ? -1
                                                                                             : 0;
}

static int set_text(struct band *band, const char *text, size_t bytes)
{
    const char *at = text, *end = text + bytes;
    size_t column = 0;
    struct word word;
    while ((word = word_next(&at, end, band->width)).bytes) {
        int fits = column + 1 + word.bytes <= band->width;
        int error = column ? put_many(band, fits ? ' ' : '\n', 1) : 0;
        if (error || put(band, word.text, word.bytes))
            return -1;
        column = column && fits ? column + 1 + word.bytes : word.bytes;
    }
    return column ? put_many(band, '\n', 1) : 0;
}

int typeset(struct band *band, const char *paragraph, size_t bytes)
{
    if (bytes && paragraph[0] == '=')
        return set_heading(band, paragraph + 1, bytes - 1);
    return set_text(band, paragraph, bytes);
}
