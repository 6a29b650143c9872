/* Matrix Market coordinate files.
 *
 * Read are fields real, integer and pattern (each entry is 1) of symmetry general, symmetric and
 * skew-symmetric. Of the latter two the file holds the lower triangle alone. Entries for one place
 * are added up in the order of the file. Words of the banner may be in either case, lines may end
 * in CRLF, blank lines and comments (%) may stand anywhere after the banner.
 *
 * Values are decimal numbers; an integer or real is rounded to the nearest double. A file that
 * breaks off within the digits of its very last number, where no newline is required, cannot be
 * told from a whole one; every other truncation is refused. */
#ifndef MATMUL_MTX_H
#define MATMUL_MTX_H

#include <stdio.h>
#include "bin/matmul/dense.h"

#define MTX_ERROR_BYTES 160

/* Why a file was refused: a clause without final stop, and the line that it is about, from 1; 0 if
 * it could not be opened. */
struct mtx_error {
    unsigned long line;
    char what[MTX_ERROR_BYTES];
};

/* A matrix as read, and the line that states its size. */
struct mtx {
    struct dense matrix;
    unsigned long size_line;
};

/* Reads the file into a new matrix, which the caller frees. -1: refused, why is in *error, nothing
 * was made, and *mtx is empty. */
int mtx_read(const char *path, struct mtx *mtx, struct mtx_error *error);

/* Prints the matrix as real general: non-zeros, column by column, with 17 significant digits, so
 * that they read back unchanged. Flushes the stream. -1: not all was written; errno says why. */
int mtx_write(FILE *stream, const struct dense *matrix);

#endif
