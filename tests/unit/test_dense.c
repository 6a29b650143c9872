// sources: bin/matmul/dense.c
/* The blocked product equals three plain loops bit for bit, however the rows are shared out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "bin/matmul/dense.h"

#define PARTS_MAX 64

static uint64_t random_state;

/* A value of widely varying size, so that each change of order shows in the last bits. */
static double random_value(void)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    double value = (double)(int64_t)random_state;
    if (random_state >> 20 & 1)
        value *= 0x1p-40;
    return random_state >> 21 & 1 ? value : 0;
}

static struct dense make(size_t rows, size_t cols)
{
    struct dense matrix;
    assert_int_equal(dense_make(&matrix, rows, cols), 0);
    return matrix;
}

static struct dense make_random(size_t rows, size_t cols)
{
    struct dense matrix = make(rows, cols);
    for (size_t i = 0; i < rows * cols; i++)
        matrix.values[i] = random_value();
    return matrix;
}

static struct dense make_plain_product(const struct dense *a, const struct dense *b)
{
    struct dense c = make(a->rows, b->cols);
    for (size_t i = 0; i < c.rows; i++)
        for (size_t j = 0; j < c.cols; j++)
            for (size_t k = 0; k < b->rows; k++)
                c.values[i * c.cols + j] += a->values[i * a->cols + k] * b->values[k * b->cols + j];
    return c;
}

static void check_product(size_t rows, size_t inner, size_t cols, unsigned parts)
{
    struct dense a = make_random(rows, inner), b = make_random(inner, cols);
    struct dense wanted = make_plain_product(&a, &b);
    struct dense c = make_random(rows, cols); /* what was there must not matter */
    for (unsigned i = parts; i-- > 0;) {
        struct dense_share share = dense_share_of(rows, i, parts);
        dense_multiply_rows(&c, &a, &b, share.begin, share.end);
    }
    if (rows && cols)
        assert_memory_equal(c.values, wanted.values, rows * cols * sizeof(double));
    dense_free(&a), dense_free(&b), dense_free(&c), dense_free(&wanted);
}

static void test_product(void **state)
{
    static const size_t sizes[][3] = {
        {1, 1, 1},    {1, 2, 3},    {3, 1, 2},     {7, 5, 9},   {8, 8, 8},   {17, 127, 15},
        {5, 128, 16}, {5, 129, 17}, {33, 257, 31}, {1, 300, 1}, {64, 1, 64}, {70, 131, 67},
        {0, 3, 3},    {3, 0, 3},    {3, 3, 0},     {0, 0, 0},
    };
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (unsigned parts = 1; parts <= 5; parts++)
            check_product(sizes[i][0], sizes[i][1], sizes[i][2], parts);
    check_product(20, 140, 20, PARTS_MAX);
}

static void test_only_the_given_rows_are_written(void **state)
{
    struct dense a = make_random(6, 4), b = make_random(4, 11), c = make(6, 11);
    for (size_t i = 0; i < 6 * 11; i++)
        c.values[i] = 77;
    dense_multiply_rows(&c, &a, &b, 2, 4);
    for (size_t i = 0; i < 6 * 11; i++)
        if (i < 2 * 11 || i >= 4 * 11)
            assert_true(c.values[i] == 77);
    dense_multiply_rows(&c, &a, &b, 6, 6);
    dense_free(&a), dense_free(&b), dense_free(&c);
}

static void check_shares(size_t rows, unsigned parts)
{
    size_t next = 0, most = dense_share_of(rows, 0, parts).end;
    for (unsigned i = 0; i < parts; i++) {
        struct dense_share share = dense_share_of(rows, i, parts);
        size_t length = share.end - share.begin;
        assert_int_equal(share.begin, next);
        assert_true(length == most || length + 1 == most);
        next = share.end;
    }
    assert_int_equal(next, rows);
}

static void test_shares(void **state)
{
    static const size_t rows[] = {0, 1, 2, 3, 63, 64, 65, 479, 494, 512, 1000};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned parts = 1; parts <= PARTS_MAX; parts++)
            check_shares(rows[i], parts);
}

static void test_shares_are_even(void **state)
{
    assert_int_equal(dense_share_of(512, 0, 2).end, 256);
    assert_int_equal(dense_share_of(494, 0, 3).end, 165);
    assert_int_equal(dense_share_of(494, 1, 3).end, 330);
    assert_int_equal(dense_share_of(494, 2, 3).end, 494);
}

static void test_fits(void **state)
{
    assert_true(dense_fits(0, 0));
    assert_true(dense_fits(4096, 4096));
    assert_true(dense_fits(1, DENSE_ELEMENTS_MAX));
    assert_false(dense_fits(4096, 4097));
    assert_false(dense_fits(0, DENSE_ELEMENTS_MAX + 1));
    assert_false(dense_fits((uint64_t)1 << 32, (uint64_t)1 << 32));
}

static void test_make_zeroes(void **state)
{
    struct dense matrix = make(3, 5);
    for (size_t i = 0; i < 15; i++)
        assert_true(matrix.values[i] == 0);
    dense_free(&matrix);
    assert_null(matrix.values);
    assert_int_equal(matrix.rows + matrix.cols, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_product), cmocka_unit_test(test_only_the_given_rows_are_written),
        cmocka_unit_test(test_shares),  cmocka_unit_test(test_shares_are_even),
        cmocka_unit_test(test_fits),    cmocka_unit_test(test_make_zeroes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
