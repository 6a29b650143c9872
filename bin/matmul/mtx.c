#include "bin/matmul/mtx.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "bin/matmul/line.h"

#define QUOTE_BYTES 32

enum mtx_field { FIELD_REAL, FIELD_INTEGER, FIELD_PATTERN };
enum mtx_symmetry { SYMMETRY_GENERAL, SYMMETRY_SYMMETRIC, SYMMETRY_SKEW };

struct mtx_reader {
    struct line_reader lines;
    enum mtx_field field;
    enum mtx_symmetry symmetry;
    uint64_t entries; /* as the size line announces */
    struct mtx *mtx;
    struct mtx_error *error;
};

/* A word, made fit for a message. */
struct quote {
    char text[QUOTE_BYTES + sizeof "..."];
};

static struct quote quote(struct word word)
{
    struct quote quote;
    size_t length = word.length < QUOTE_BYTES ? word.length : QUOTE_BYTES;
    for (size_t i = 0; i < length; i++) {
        char byte = word.start[i];
        quote.text[i] = byte > ' ' && byte <= '~' ? byte : '?';
    }
    strcpy(&quote.text[length], word.length > QUOTE_BYTES ? "..." : "");
    return quote;
}

/* Notes why the file is refused, at the current line. Returns -1. */
__attribute__((format(printf, 2, 3))) static int refuse(struct mtx_reader *reader,
                                                        const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reader->error->what, sizeof reader->error->what, format, arguments);
    va_end(arguments);
    reader->error->line = reader->lines.number ? reader->lines.number : 1;
    return -1;
}

/* Moves to the next line whatever it holds: 1, at the end 0, -1 refused. */
static int next_line(struct mtx_reader *reader)
{
    int got = line_next(&reader->lines);
    if (got >= 0)
        return got;
    return refuse(reader, "cannot be read: %s", strerror(errno));
}

/* Moves to the next line that is neither blank nor a comment: 1, at the end 0, -1 refused. */
static int next_data_line(struct mtx_reader *reader)
{
    int got;
    while ((got = next_line(reader)) > 0) {
        if (reader->lines.text[0] == '%')
            continue;
        if (reader->lines.cut)
            return refuse(reader, "the line is longer than %d bytes", LINE_BYTES - 1);
        if (!line_is_blank(&reader->lines))
            break;
    }
    return got;
}

static int expect_line_end(struct mtx_reader *reader, const char *what)
{
    struct word word;
    if (!line_word(&reader->lines, &word))
        return 0;
    return refuse(reader, "\"%s\" follows after %s", quote(word).text, what);
}

static bool word_is(struct word word, const char *name)
{
    return word.length == strlen(name) && !strncasecmp(word.start, name, word.length);
}

static int parse_field(struct mtx_reader *reader, struct word word)
{
    if (word_is(word, "real"))
        reader->field = FIELD_REAL;
    else if (word_is(word, "integer"))
        reader->field = FIELD_INTEGER;
    else if (word_is(word, "pattern"))
        reader->field = FIELD_PATTERN;
    else if (word_is(word, "complex"))
        return refuse(reader, "complex matrices are not supported");
    else
        return refuse(reader, "\"%s\" is not a field that is known: real, integer or pattern",
                      quote(word).text);
    return 0;
}

static int parse_symmetry(struct mtx_reader *reader, struct word word)
{
    if (word_is(word, "general"))
        reader->symmetry = SYMMETRY_GENERAL;
    else if (word_is(word, "symmetric"))
        reader->symmetry = SYMMETRY_SYMMETRIC;
    else if (word_is(word, "skew-symmetric"))
        reader->symmetry = SYMMETRY_SKEW;
    else if (word_is(word, "hermitian"))
        return refuse(reader, "hermitian matrices are not supported");
    else
        return refuse(reader,
                      "\"%s\" is not a symmetry that is known: general, symmetric or "
                      "skew-symmetric",
                      quote(word).text);
    if (reader->symmetry == SYMMETRY_SKEW && reader->field == FIELD_PATTERN)
        return refuse(reader, "a pattern matrix cannot be skew-symmetric");
    return 0;
}

static int read_banner(struct mtx_reader *reader)
{
    struct word mark, object, format, field, symmetry;
    int got = next_line(reader);
    if (got < 0)
        return got;
    if (!got)
        return refuse(reader, "the file is empty");
    if (!line_word(&reader->lines, &mark) || !word_is(mark, "%%MatrixMarket") || reader->lines.cut)
        return refuse(reader, "the first line is not a Matrix Market banner");
    if (!line_word(&reader->lines, &object) || !line_word(&reader->lines, &format) ||
        !line_word(&reader->lines, &field) || !line_word(&reader->lines, &symmetry))
        return refuse(reader, "the banner is cut short");
    if (!word_is(object, "matrix"))
        return refuse(reader, "\"%s\" objects are not supported, only matrix", quote(object).text);
    if (word_is(format, "array"))
        return refuse(reader, "array files are not supported, only coordinate");
    if (!word_is(format, "coordinate"))
        return refuse(reader, "\"%s\" is not a format that is known: coordinate",
                      quote(format).text);
    if (parse_field(reader, field) || parse_symmetry(reader, symmetry))
        return -1;
    return expect_line_end(reader, "the banner");
}

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* A number of digits alone; what is too large for the type becomes its largest value. */
static bool parse_count(struct word word, uint64_t *count)
{
    *count = 0;
    for (size_t i = 0; i < word.length; i++) {
        if (!is_digit(word.start[i]))
            return false;
        uint64_t digit = (uint64_t)(word.start[i] - '0');
        if (__builtin_mul_overflow(*count, 10, count) ||
            __builtin_add_overflow(*count, digit, count))
            *count = UINT64_MAX;
    }
    return word.length > 0;
}

/* Takes the next word, which must be a count. */
static int take_count(struct mtx_reader *reader, const char *name, const char *line,
                      uint64_t *count)
{
    struct word word;
    if (!line_word(&reader->lines, &word))
        return refuse(reader, "%s is cut short: the %s is missing", line, name);
    if (!parse_count(word, count))
        return refuse(reader, "\"%s\" is not a %s", quote(word).text, name);
    return 0;
}

static int read_size(struct mtx_reader *reader)
{
    const char *line = "the size line";
    uint64_t rows, cols;
    int got = next_data_line(reader);
    if (got < 0)
        return got;
    if (!got)
        return refuse(reader, "the file ends before the size line");
    reader->mtx->size_line = reader->lines.number;
    if (take_count(reader, "number of rows", line, &rows) ||
        take_count(reader, "number of columns", line, &cols) ||
        take_count(reader, "number of entries", line, &reader->entries) ||
        expect_line_end(reader, line))
        return -1;
    if (reader->symmetry != SYMMETRY_GENERAL && rows != cols)
        return refuse(reader, "a symmetric matrix cannot be %llux%llu", (unsigned long long)rows,
                      (unsigned long long)cols);
    if (!dense_fits(rows, cols))
        return refuse(reader, "a %llux%llu matrix is too large: at most %llu elements can be held",
                      (unsigned long long)rows, (unsigned long long)cols,
                      (unsigned long long)DENSE_ELEMENTS_MAX);
    if (dense_make(&reader->mtx->matrix, rows, cols))
        return refuse(reader, "there is not enough memory for a %zux%zu matrix", (size_t)rows,
                      (size_t)cols);
    return 0;
}

static const char *skip_digits(const char *at)
{
    while (is_digit(*at))
        at++;
    return at;
}

static const char *skip_sign(const char *at)
{
    return at + (*at == '+' || *at == '-');
}

/* Whether the word is a decimal number: digits with a sign, and unless whole also a point and an
 * exponent. Words end in a blank or NUL, so no byte past that is looked at. */
static bool is_decimal(struct word word, bool whole)
{
    const char *digits = skip_sign(word.start), *at = skip_digits(digits);
    size_t found = (size_t)(at - digits);
    if (!whole && *at == '.') {
        digits = at + 1;
        at = skip_digits(digits);
        found += (size_t)(at - digits);
    }
    if (!whole && found && (*at == 'e' || *at == 'E')) {
        digits = skip_sign(at + 1);
        at = skip_digits(digits);
        found = (size_t)(at - digits);
    }
    return found && at == word.start + word.length;
}

static int take_value(struct mtx_reader *reader, double *value)
{
    struct word word;
    bool whole = reader->field == FIELD_INTEGER;
    *value = 1;
    if (reader->field == FIELD_PATTERN)
        return 0;
    if (!line_word(&reader->lines, &word))
        return refuse(reader, "the entry is cut short: the value is missing");
    if (!is_decimal(word, whole))
        return refuse(reader, "\"%s\" is not %s", quote(word).text,
                      whole ? "an integer" : "a finite number");
    *value = strtod(word.start, NULL);
    if (!isfinite(*value))
        return refuse(reader, "\"%s\" is more than a double can hold", quote(word).text);
    return 0;
}

/* Refuses a place that the matrix does not have or that its symmetry forbids. Counted from 1. */
static int check_place(struct mtx_reader *reader, uint64_t row, uint64_t col)
{
    const struct dense *matrix = &reader->mtx->matrix;
    if (row < 1 || row > matrix->rows)
        return refuse(reader, "row %llu is not one of the matrix's %zu", (unsigned long long)row,
                      matrix->rows);
    if (col < 1 || col > matrix->cols)
        return refuse(reader, "column %llu is not one of the matrix's %zu", (unsigned long long)col,
                      matrix->cols);
    if (reader->symmetry != SYMMETRY_GENERAL && row < col)
        return refuse(reader, "an entry above the diagonal in a file of the lower triangle");
    if (reader->symmetry == SYMMETRY_SKEW && row == col)
        return refuse(reader, "an entry on the diagonal of a skew-symmetric matrix");
    return 0;
}

/* Adds the value at a place counted from 0. */
static int add(struct mtx_reader *reader, size_t row, size_t col, double value)
{
    double *element = &reader->mtx->matrix.values[row * reader->mtx->matrix.cols + col];
    *element += value;
    if (!isfinite(*element))
        return refuse(reader, "the entries of this place add up to more than a double can hold");
    return 0;
}

static int read_entry(struct mtx_reader *reader)
{
    const char *line = "the entry";
    uint64_t row, col;
    double value;
    if (take_count(reader, "row", line, &row) || take_count(reader, "column", line, &col) ||
        check_place(reader, row, col) || take_value(reader, &value) ||
        expect_line_end(reader, line) || add(reader, row - 1, col - 1, value))
        return -1;
    if (reader->symmetry == SYMMETRY_GENERAL || row == col)
        return 0;
    return add(reader, col - 1, row - 1, reader->symmetry == SYMMETRY_SKEW ? -value : value);
}

static int read_entries(struct mtx_reader *reader)
{
    int got;
    uint64_t count = 0;
    while ((got = next_data_line(reader)) > 0) {
        if (count == reader->entries)
            return refuse(reader, "more entries than the %llu of the size line",
                          (unsigned long long)reader->entries);
        if (read_entry(reader))
            return -1;
        count++;
    }
    if (!got && count < reader->entries)
        return refuse(reader, "the file ends after %llu of %llu entries", (unsigned long long)count,
                      (unsigned long long)reader->entries);
    return got;
}

int mtx_read(const char *path, struct mtx *mtx, struct mtx_error *error)
{
    struct mtx_reader reader = {.mtx = mtx, .error = error};
    *mtx = (struct mtx){0};
    *error = (struct mtx_error){0};
    FILE *file = fopen(path, "rb");
    if (!file) {
        snprintf(error->what, sizeof error->what, "cannot be opened: %s", strerror(errno));
        return -1;
    }
    line_reader_start(&reader.lines, file);
    int result = read_banner(&reader);
    if (!result)
        result = read_size(&reader);
    if (!result)
        result = read_entries(&reader);
    fclose(file);
    if (result) {
        dense_free(&mtx->matrix);
        mtx->size_line = 0;
    }
    return result;
}

static size_t count_nonzeros(const struct dense *matrix)
{
    size_t count = 0;
    for (size_t i = 0; i < matrix->rows * matrix->cols; i++)
        count += matrix->values[i] != 0;
    return count;
}

int mtx_write(FILE *stream, const struct dense *matrix)
{
    fprintf(stream, "%%%%MatrixMarket matrix coordinate real general\n%zu %zu %zu\n", matrix->rows,
            matrix->cols, count_nonzeros(matrix));
    for (size_t col = 0; col < matrix->cols; col++) {
        for (size_t row = 0; row < matrix->rows; row++) {
            double value = matrix->values[row * matrix->cols + col];
            if (value != 0)
                fprintf(stream, "%zu %zu %.17g\n", row + 1, col + 1, value);
        }
        if (ferror(stream))
            return -1;
    }
    return fflush(stream) || ferror(stream) ? -1 : 0;
}
