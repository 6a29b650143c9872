/* Dense matrices of doubles and their product.
 *
 * Each element of a product is the sum over k, in increasing k, of rounded products; no sum is
 * split or reordered, whatever the block sizes and however the rows are shared out. So the result
 * equals, bit for bit, that of three plain loops. Compile with -ffp-contract=off.
 *
 * Plain C: any function may be called on any vcore. Only dense_make and dense_free use the C
 * library's heap. */
#ifndef MATMUL_DENSE_H
#define MATMUL_DENSE_H

#include <stddef.h>
#include <stdint.h>

/* The most elements a matrix may have: 128 MiB of doubles. */
#define DENSE_ELEMENTS_MAX ((uint64_t)16 << 20)

/* Row-major: element (row, col), from 0, is values[row * cols + col]. rows * cols is at most
 * DENSE_ELEMENTS_MAX, and so are rows and cols by themselves; either may be 0. */
struct dense {
    size_t rows, cols;
    double *values;
};

/* The rows from begin up to but not including end. */
struct dense_share {
    size_t begin, end;
};

/* Whether a rows x cols matrix is within DENSE_ELEMENTS_MAX. */
int dense_fits(uint64_t rows, uint64_t cols);

/* Makes a zeroed matrix; the caller frees it. Asserts dense_fits. -1: out of memory; nothing was
 * made. */
int dense_make(struct dense *matrix, size_t rows, size_t cols);

/* Frees what dense_make made and leaves an empty matrix. */
void dense_free(struct dense *matrix);

/* Part `part` (from 0) of `parts` contiguous shares of rows; sizes differ by at most one row,
 * larger shares first. Together the shares are all rows, each once. Asserts part < parts. */
struct dense_share dense_share_of(size_t rows, unsigned part, unsigned parts);

/* Sets rows begin to end (exclusive) of c to those rows of a times b. Writes nothing else, so that
 * calls for disjoint rows may run at once. Asserts that the dimensions agree; c is neither a nor b.
 */
void dense_multiply_rows(struct dense *c, const struct dense *a, const struct dense *b,
                         size_t begin, size_t end);

#endif
