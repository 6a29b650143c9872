#include "bin/matmul/dense.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Two neighbouring columns. */
typedef double pair __attribute__((vector_size(2 * sizeof(double))));

#define PAIR_COLS   2
#define PANEL_PAIRS 4
#define PANEL_COLS  (PANEL_PAIRS * PAIR_COLS)
#define PANEL_ROWS  128

/* A block of b, copied so that its rows are neighbours in memory: with wide matrices they would
 * fall into the same few sets of the cache. Columns beyond b's last are zero. */
struct panel {
    size_t row, rows; /* of b: the first and how many */
    size_t col, cols;
    pair values[PANEL_ROWS][PANEL_PAIRS];
};

int dense_fits(uint64_t rows, uint64_t cols)
{
    if (rows > DENSE_ELEMENTS_MAX || cols > DENSE_ELEMENTS_MAX)
        return false;
    return rows * cols <= DENSE_ELEMENTS_MAX;
}

int dense_make(struct dense *matrix, size_t rows, size_t cols)
{
    assert(dense_fits(rows, cols));
    size_t elements = rows * cols;
    double *values = calloc(elements ? elements : 1, sizeof *values);
    if (!values)
        return -1;
    *matrix = (struct dense){.rows = rows, .cols = cols, .values = values};
    return 0;
}

void dense_free(struct dense *matrix)
{
    free(matrix->values);
    *matrix = (struct dense){0};
}

struct dense_share dense_share_of(size_t rows, unsigned part, unsigned parts)
{
    assert(part < parts);
    size_t each = rows / parts, larger = rows % parts;
    size_t begin = part * each + (part < larger ? part : larger);
    return (struct dense_share){.begin = begin, .end = begin + each + (part < larger)};
}

static size_t at_most(size_t value, size_t limit)
{
    return value < limit ? value : limit;
}

/* Fills the panel with the block of b whose first element is (row, col). */
static void panel_fill(struct panel *panel, const struct dense *b, size_t row, size_t col)
{
    panel->row = row;
    panel->rows = at_most(b->rows - row, PANEL_ROWS);
    panel->col = col;
    panel->cols = at_most(b->cols - col, PANEL_COLS);
    size_t bytes = panel->cols * sizeof(double);
    for (size_t k = 0; k < panel->rows; k++) {
        if (panel->cols < PANEL_COLS)
            memset(panel->values[k], 0, sizeof panel->values[k]);
        memcpy(panel->values[k], &b->values[(row + k) * b->cols + col], bytes);
    }
}

/* Adds to the PANEL_COLS sums, which stay in registers, the products of one row of a (from the
 * panel's first row of b on) with the panel. */
static void panel_multiply(const struct panel *panel, const double *a, pair sums[PANEL_PAIRS])
{
    pair s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
    for (size_t k = 0; k < panel->rows; k++) {
        const pair *b = panel->values[k];
        s0 += a[k] * b[0];
        s1 += a[k] * b[1];
        s2 += a[k] * b[2];
        s3 += a[k] * b[3];
    }
    sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

static void panel_apply(const struct panel *panel, struct dense *c, const struct dense *a,
                        size_t begin, size_t end)
{
    size_t bytes = panel->cols * sizeof(double);
    pair sums[PANEL_PAIRS] = {0};
    for (size_t i = begin; i < end; i++) {
        double *out = &c->values[i * c->cols + panel->col];
        memcpy(sums, out, bytes);
        panel_multiply(panel, &a->values[i * a->cols + panel->row], sums);
        memcpy(out, sums, bytes);
    }
}

void dense_multiply_rows(struct dense *c, const struct dense *a, const struct dense *b,
                         size_t begin, size_t end)
{
    assert(a->cols == b->rows && c->rows == a->rows && c->cols == b->cols);
    assert(begin <= end && end <= c->rows);
    if (begin == end)
        return;

    struct panel panel;
    memset(&c->values[begin * c->cols], 0, (end - begin) * c->cols * sizeof(double));
    for (size_t k = 0; k < b->rows; k += PANEL_ROWS) {
        for (size_t j = 0; j < b->cols; j += PANEL_COLS) {
            panel_fill(&panel, b, k, j);
            panel_apply(&panel, c, a, begin, end);
        }
    }
}
