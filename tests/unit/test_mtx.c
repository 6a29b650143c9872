// sources: bin/matmul/mtx.c bin/matmul/line.c bin/matmul/dense.c
/* Reading and writing Matrix Market files: what is accepted, and each refusal with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "bin/matmul/line.h"
#include "bin/matmul/mtx.h"

#define BANNER "%%MatrixMarket matrix coordinate "
#define REAL   BANNER "real general\n"

static struct mtx mtx;
static struct mtx_error error;

static int read_bytes(const char *bytes, size_t length)
{
    char path[] = "/tmp/test_mtx.XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, length), length);
    close(file);
    int result = mtx_read(path, &mtx, &error);
    unlink(path);
    return result;
}

static void expect(const char *text, size_t rows, size_t cols, const double *values)
{
    if (read_bytes(text, strlen(text)))
        fail_msg("refused at line %lu: %s\n%s", error.line, error.what, text);
    assert_int_equal(mtx.matrix.rows, rows);
    assert_int_equal(mtx.matrix.cols, cols);
    for (size_t i = 0; i < rows * cols; i++)
        if (mtx.matrix.values[i] != values[i])
            fail_msg("element %zu is %.17g, not %.17g\n%s", i, mtx.matrix.values[i], values[i],
                     text);
    dense_free(&mtx.matrix);
}

static void expect_refusal(const char *bytes, size_t length, unsigned long line, const char *what)
{
    if (!read_bytes(bytes, length))
        fail_msg("accepted: %s", bytes);
    if (error.line != line || strcmp(error.what, what))
        fail_msg("line %lu: %s\nwanted was line %lu: %s", error.line, error.what, line, what);
    assert_null(mtx.matrix.values);
}

#define VALUES(...) ((const double[]){__VA_ARGS__})

static void test_general(void **state)
{
    expect(REAL "2 3 3\n1 1 1.5\n2 3 -2e-1\n1 2 .25\n", 2, 3, VALUES(1.5, .25, 0, 0, 0, -0.2));
    expect(BANNER "integer general\n2 2 2\n1 2 -7\n2 1 +8\n", 2, 2, VALUES(0, -7, 8, 0));
    expect(BANNER "pattern general\n2 2 2\n1 2\n2 1\n", 2, 2, VALUES(0, 1, 1, 0));
}

static void test_symmetries(void **state)
{
    expect(BANNER "real symmetric\n2 2 2\n1 1 3\n2 1 4\n", 2, 2, VALUES(3, 4, 4, 0));
    expect(BANNER "pattern symmetric\n2 2 2\n2 2\n2 1\n", 2, 2, VALUES(0, 1, 1, 1));
    expect(BANNER "integer symmetric\n2 2 1\n2 2 5\n", 2, 2, VALUES(0, 0, 0, 5));
    expect(BANNER "real skew-symmetric\n2 2 1\n2 1 4\n", 2, 2, VALUES(0, -4, 4, 0));
    expect(BANNER "integer skew-symmetric\n2 2 1\n2 1 -4\n", 2, 2, VALUES(0, 4, -4, 0));
}

static void test_layout(void **state)
{
    expect("%%matrixmarket MATRIX Coordinate ReAl GENERAL\n1 1 1\n1 1 2\n", 1, 1, VALUES(2));
    expect("%%MatrixMarket\tmatrix  coordinate real general \n1 1 1\n1 1 2", 1, 1, VALUES(2));
    expect(BANNER "real general\r\n% a\r\n\r\n1 1 1\r\n1 1 2\r\n", 1, 1, VALUES(2));
}

static void test_comments_and_blank_lines(void **state)
{
    expect(REAL "% a\n%\n\n \t\n\t1  1\t1 \n\n% b\n 1 1 2\n\n%\n", 1, 1, VALUES(2));
}

static void test_size_line(void **state)
{
    expect(REAL "1 1 1\n\n1 1 1\n", 1, 1, VALUES(1));
    assert_int_equal(mtx.size_line, 2);
    expect(REAL "%\n\n1 1 1\n1 1 1\n", 1, 1, VALUES(1));
    assert_int_equal(mtx.size_line, 4);
}

static void test_duplicates_are_added(void **state)
{
    expect(REAL "1 2 3\n1 1 1\n1 2 5\n1 1 2\n", 1, 2, VALUES(3, 5));
    expect(BANNER "real symmetric\n2 2 2\n2 1 1\n2 1 2\n", 2, 2, VALUES(0, 3, 3, 0));
    expect(BANNER "real skew-symmetric\n2 2 2\n2 1 1\n2 1 2\n", 2, 2, VALUES(0, -3, 3, 0));
    expect(BANNER "pattern general\n1 1 3\n1 1\n1 1\n1 1\n", 1, 1, VALUES(3));
    expect(REAL "1 1 3\n1 1 1\n1 1 1e-16\n1 1 1e-16\n", 1, 1, VALUES(1 + 1e-16 + 1e-16));
}

static void test_values(void **state)
{
    expect(REAL "1 3 3\n1 1 1.\n1 2 -.5E+2\n1 3 +0e0\n", 1, 3, VALUES(1, -50, 0));
    expect(REAL "1 2 2\n1 1 1.7976931348623157e308\n1 2 5e-324\n", 1, 2,
           VALUES(0x1.fffffffffffffp1023, 0x1p-1074));
    expect(REAL "1 1 1\n1 1 1e-400\n", 1, 1, VALUES(0));
    expect(REAL "01 1 1\n01 001 0.10000000000000000555\n", 1, 1, VALUES(0.1));
    expect(BANNER "integer general\n1 1 1\n1 1 9007199254740993\n", 1, 1, VALUES(0x1p53));
}

static void test_empty_matrices(void **state)
{
    expect(REAL "0 0 0\n", 0, 0, NULL);
    expect(REAL "0 5 0\n", 0, 5, NULL);
    expect(REAL "2 2 0\n", 2, 2, VALUES(0, 0, 0, 0));
}

struct refusal {
    const char *text;
    unsigned long line;
    const char *what;
};

static void refuse_each(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect_refusal(refusals[i].text, strlen(refusals[i].text), refusals[i].line,
                       refusals[i].what);
}

#define REFUSE(...)                                                \
    do {                                                           \
        static const struct refusal refusals[] = {__VA_ARGS__};    \
        refuse_each(refusals, sizeof refusals / sizeof *refusals); \
    } while (0)

static void test_banner_refusals(void **state)
{
    const char *none = "the first line is not a Matrix Market banner";
    const struct refusal refusals[] = {
        {"", 1, "the file is empty"},
        {"\n" REAL "0 0 0\n", 1, none},
        {"1 1 1\n1 1 1\n", 1, none},
        {"%MatrixMarket matrix coordinate real general\n", 1, none},
        {"%%MatrixMarke", 1, none},
        {"%%MatrixMarket", 1, "the banner is cut short"},
        {BANNER "real\n1 1 1\n1 1 1\n", 1, "the banner is cut short"},
        {"%%MatrixMarket vector coordinate real general\n", 1,
         "\"vector\" objects are not supported, only matrix"},
        {"%%MatrixMarket matrix array real general\n", 1,
         "array files are not supported, only coordinate"},
        {"%%MatrixMarket matrix list real general\n", 1,
         "\"list\" is not a format that is known: coordinate"},
        {BANNER "Complex general\n", 1, "complex matrices are not supported"},
        {BANNER "double general\n", 1,
         "\"double\" is not a field that is known: real, integer or pattern"},
        {BANNER "real hermitian\n", 1, "hermitian matrices are not supported"},
        {BANNER "real gen\n", 1,
         "\"gen\" is not a symmetry that is known: general, symmetric or skew-symmetric"},
        {BANNER "pattern skew-symmetric\n", 1, "a pattern matrix cannot be skew-symmetric"},
        {BANNER "real general x\n", 1, "\"x\" follows after the banner"},
    };
    refuse_each(refusals, sizeof refusals / sizeof *refusals);
}

static void test_size_refusals(void **state)
{
    REFUSE({REAL, 1, "the file ends before the size line"},
           {REAL "%\n\n", 3, "the file ends before the size line"},
           {REAL "2\n", 2, "the size line is cut short: the number of columns is missing"},
           {REAL "%\n2 2\n", 3, "the size line is cut short: the number of entries is missing"},
           {REAL "2 x 2\n", 2, "\"x\" is not a number of columns"},
           {REAL "-2 2 2\n", 2, "\"-2\" is not a number of rows"},
           {REAL "2 2 1.0\n", 2, "\"1.0\" is not a number of entries"},
           {REAL "2 2 1 1\n", 2, "\"1\" follows after the size line"},
           {BANNER "real symmetric\n2 3 1\n1 1 1\n", 2, "a symmetric matrix cannot be 2x3"},
           {BANNER "real skew-symmetric\n3 2 1\n", 2, "a symmetric matrix cannot be 3x2"},
           {REAL "4097 4096 1\n", 2,
            "a 4097x4096 matrix is too large: at most 16777216 elements can be held"},
           {REAL "0 4294967296 0\n", 2,
            "a 0x4294967296 matrix is too large: at most 16777216 elements can be held"},
           {REAL "4294967296 4294967296 1\n", 2,
            "a 4294967296x4294967296 matrix is too large: at most 16777216 elements can be held"},
           {REAL "99999999999999999999999999 1 1\n", 2,
            "a 18446744073709551615x1 matrix is too large: at most 16777216 elements can be held"});
}

static void test_place_refusals(void **state)
{
    const char *above = "an entry above the diagonal in a file of the lower triangle";
    const struct refusal refusals[] = {
        {REAL "2 3 1\n0 1 1\n", 3, "row 0 is not one of the matrix's 2"},
        {REAL "2 3 1\n3 1 1\n", 3, "row 3 is not one of the matrix's 2"},
        {REAL "2 3 1\n2 0 1\n", 3, "column 0 is not one of the matrix's 3"},
        {REAL "2 3 2\n2 3 1\n2 4 1\n", 4, "column 4 is not one of the matrix's 3"},
        {REAL "2 3 1\n-1 1 1\n", 3, "\"-1\" is not a row"},
        {REAL "2 3 1\n1 1.5 1\n", 3, "\"1.5\" is not a column"},
        {REAL "2 3 1\n18446744073709551617 1 1\n", 3,
         "row 18446744073709551615 is not one of the matrix's 2"},
        {BANNER "real symmetric\n2 2 2\n1 1 1\n1 2 1\n", 4, above},
        {BANNER "integer skew-symmetric\n2 2 1\n1 2 1\n", 3, above},
        {BANNER "real skew-symmetric\n2 2 1\n2 2 0\n", 3,
         "an entry on the diagonal of a skew-symmetric matrix"},
    };
    refuse_each(refusals, sizeof refusals / sizeof *refusals);
}

static void test_value_refusals(void **state)
{
    static const char *const words[] = {"nan",  "inf", "-Infinity", "0x10", "1e",    "1e+",
                                        ".",    "+",   "1d5",       "1,5",  "1.2.3", "--1",
                                        "1e5.", "e5",  "1f",        "1_0",  "1\v"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[128], what[128], shown[32];
        snprintf(shown, sizeof shown, "%s", words[i]);
        if (shown[1] == '\v')
            shown[1] = '?';
        snprintf(text, sizeof text, "%s1 1 1\n\n1 1 %s\n", REAL, words[i]);
        snprintf(what, sizeof what, "\"%s\" is not a finite number", shown);
        expect_refusal(text, strlen(text), 4, what);
    }
    REFUSE({REAL "1 1 1\n1 1 1e309\n", 3, "\"1e309\" is more than a double can hold"},
           {REAL "1 1 2\n1 1 1e308\n1 1 1e308\n", 4,
            "the entries of this place add up to more than a double can hold"},
           {BANNER "integer general\n1 1 1\n1 1 1.0\n", 3, "\"1.0\" is not an integer"},
           {BANNER "integer general\n1 1 1\n1 1 1e3\n", 3, "\"1e3\" is not an integer"},
           {REAL "1 1 1\n1 1 1234567890123456789012345678901x3\n", 3,
            "\"1234567890123456789012345678901x...\" is not a finite number"});
}

static void test_entry_refusals(void **state)
{
    REFUSE({REAL "2 2 2\n1 1 1\n2\n", 4, "the entry is cut short: the column is missing"},
           {REAL "2 2 2\n1 1 1\n2 2", 4, "the entry is cut short: the value is missing"},
           {REAL "2 2 2\n1 1 1\n", 3, "the file ends after 1 of 2 entries"},
           {REAL "2 2 2\n1 1 1\n\n%\n", 5, "the file ends after 1 of 2 entries"},
           {REAL "2 2 1\n", 2, "the file ends after 0 of 1 entries"},
           {REAL "2 2 1\n1 1 1\n\n2 2 2\n", 5, "more entries than the 1 of the size line"},
           {REAL "2 2 1\n1 1 1\njunk\n", 4, "more entries than the 1 of the size line"},
           {REAL "2 2 1\n1 1 1 2\n", 3, "\"2\" follows after the entry"},
           {BANNER "pattern general\n2 2 1\n1 1 1\n", 3, "\"1\" follows after the entry"},
           {REAL "2 2 1\n1 1 1 % no\n", 3, "\"%\" follows after the entry"});
}

static void test_unopened_file(void **state)
{
    assert_int_equal(mtx_read("/nonexistent.mtx", &mtx, &error), -1);
    assert_int_equal(error.line, 0);
    assert_string_equal(error.what, "cannot be opened: No such file or directory");
    assert_int_equal(mtx_read("/tmp", &mtx, &error), -1);
    assert_int_equal(error.line, 1);
    assert_string_equal(error.what, "cannot be read: Is a directory");
}

static void test_any_bytes(void **state)
{
    static const char nul[] = REAL "1 1 1\n1 1 1\0\n", only_nul[] = REAL "1 1 0\n\0\n";
    expect_refusal(nul, sizeof nul - 1, 3, "\"1?\" is not a finite number");
    expect_refusal(only_nul, sizeof only_nul - 1, 3, "more entries than the 0 of the size line");
    expect_refusal("\0", 1, 1, "the first line is not a Matrix Market banner");
    expect_refusal("\xff\xfe\n\n", 4, 1, "the first line is not a Matrix Market banner");
}

/* A text of the head, `count` times the filler, and the tail; the caller frees it. */
static char *long_text(const char *head, char filler, size_t count, const char *tail)
{
    char *text = malloc(strlen(head) + count + strlen(tail) + 1);
    assert_non_null(text);
    strcpy(text, head);
    memset(&text[strlen(head)], filler, count);
    strcpy(&text[strlen(head) + count], tail);
    return text;
}

static void test_long_lines(void **state)
{
    char *comment = long_text(REAL "%", 'x', 3 * LINE_BUFFER_BYTES, "\n1 1 1\n1 1 2\n");
    expect(comment, 1, 1, VALUES(2));
    free(comment);

    char *longest = long_text(REAL "1 1 1\n1 1 2.", '0', LINE_BYTES - 1 - 6, "\n");
    expect(longest, 1, 1, VALUES(2));
    free(longest);

    char *longer = long_text(REAL "1 1 1\n1 1 2.", '0', LINE_BYTES - 6, "\n");
    expect_refusal(longer, strlen(longer), 3, "the line is longer than 1023 bytes");
    free(longer);

    char *banner = long_text(BANNER "real general", ' ', LINE_BYTES, "\n1 1 0\n");
    expect_refusal(banner, strlen(banner), 1, "the first line is not a Matrix Market banner");
    free(banner);
}

/* Every beginning of a file is refused, but those that lack only the last newline or the last
 * number's further digits. */
static void test_truncations(void **state)
{
    const char *text = REAL "% c\n2 2 3\n1 1 1.5\n2 1 -2\n2 2 3e1\n";
    size_t shortest = strlen(text) - strlen("e1\n");
    for (size_t length = 0; length < strlen(text); length++) {
        bool whole = length >= shortest && text[length - 1] != 'e';
        int result = read_bytes(text, length);
        if (result != (whole ? 0 : -1))
            fail_msg("the first %zu bytes: %d", length, result);
        dense_free(&mtx.matrix);
    }
}

/* Damage at each place of a file is refused or read, with nothing worse. */
static void test_damaged_bytes(void **state)
{
    static const char bytes[] = {'\0', '\n', '\r', ' ', '%', '-', '.', '9', 'e', '\x80'};
    const char *text = BANNER "real symmetric\r\n%c\n2 2 3\n1 1 1.5\n2 1 -2\n2 2 3e1\n";
    char damaged[128];
    for (size_t i = 0; i < strlen(text); i++) {
        for (size_t j = 0; j < sizeof bytes; j++) {
            strcpy(damaged, text);
            damaged[i] = bytes[j];
            int result = read_bytes(damaged, strlen(text));
            assert_true(result == 0 || (result == -1 && error.line && *error.what));
            dense_free(&mtx.matrix);
        }
    }
}

static void test_write(void **state)
{
    char *text;
    size_t length;
    struct dense values = {2, 3, (double[]){0.1, 0, -0.0, 1e300, -2, 0}};
    FILE *stream = open_memstream(&text, &length);
    assert_int_equal(mtx_write(stream, &values), 0);
    fclose(stream);
    assert_string_equal(text, REAL "2 3 3\n1 1 0.10000000000000001\n"
                                   "2 1 1.0000000000000001e+300\n2 2 -2\n");
    expect(text, 2, 3, values.values);
    free(text);
}

static void test_write_failure(void **state)
{
    struct dense values = {1, 1, (double[]){1}};
    FILE *full = fopen("/dev/full", "w");
    assert_non_null(full);
    assert_int_equal(mtx_write(full, &values), -1);
    fclose(full);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_general),         cmocka_unit_test(test_symmetries),
        cmocka_unit_test(test_layout),          cmocka_unit_test(test_comments_and_blank_lines),
        cmocka_unit_test(test_size_line),       cmocka_unit_test(test_duplicates_are_added),
        cmocka_unit_test(test_values),          cmocka_unit_test(test_empty_matrices),
        cmocka_unit_test(test_banner_refusals), cmocka_unit_test(test_size_refusals),
        cmocka_unit_test(test_place_refusals),  cmocka_unit_test(test_value_refusals),
        cmocka_unit_test(test_entry_refusals),  cmocka_unit_test(test_unopened_file),
        cmocka_unit_test(test_any_bytes),       cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_truncations),     cmocka_unit_test(test_damaged_bytes),
        cmocka_unit_test(test_write),           cmocka_unit_test(test_write_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
