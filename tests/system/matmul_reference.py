#!/usr/bin/python3
"""A reference for matmul, written apart from it: prints the product of two Matrix Market files.

usage: matmul_reference.py A.mtx B.mtx

Each element is summed in increasing k. Products with a zero are left out: they add a zero, which
changes no sum that is printed."""

import sys

MIRROR = {"general": None, "symmetric": 1.0, "skew-symmetric": -1.0}


def read_matrix(path):
    """Returns (rows, cols, {row: {col: value}}), counted from 0. Expects a well-formed file."""
    with open(path, encoding="ascii") as file:
        _, _, _, field, symmetry = file.readline().lower().split()
        lines = (line.split() for line in file if line.strip() and line[0] != "%")
        rows, cols, entries = (int(word) for word in next(lines))
        matrix = {}
        for row, col, *value in lines:
            value = 1.0 if field == "pattern" else float(value[0])
            add(matrix, int(row) - 1, int(col) - 1, value)
            if MIRROR[symmetry] and row != col:
                add(matrix, int(col) - 1, int(row) - 1, MIRROR[symmetry] * value)
            entries -= 1
    assert entries == 0, path
    return rows, cols, matrix


def add(matrix, row, col, value):
    elements = matrix.setdefault(row, {})
    elements[col] = elements.get(col, 0.0) + value


def multiply(a, b):
    (rows, inner, a_rows), (b_inner, cols, b_rows) = a, b
    assert inner == b_inner
    product = {}
    for row, elements in a_rows.items():
        sums = product.setdefault(row, {})
        for k in sorted(elements):
            for col, value in b_rows.get(k, {}).items():
                sums[col] = sums.get(col, 0.0) + elements[k] * value
    return rows, cols, product


def text(matrix):
    """The matrix as matmul prints it, as bytes."""
    rows, cols, elements = matrix
    entries = sorted((col, row, value) for row, line in elements.items()
                     for col, value in line.items() if value != 0)
    lines = ["%%MatrixMarket matrix coordinate real general", f"{rows} {cols} {len(entries)}"]
    lines += [f"{row + 1} {col + 1} {value:.17g}" for col, row, value in entries]
    return "".join(line + "\n" for line in lines).encode()


def product_text(a_path, b_path):
    return text(multiply(read_matrix(a_path), read_matrix(b_path)))


if __name__ == "__main__":
    sys.stdout.buffer.write(product_text(sys.argv[1], sys.argv[2]))
