"""matmul, as a user runs it: on 1, 2, 4 and 8 cores, on all kinds of files, and on bad ones."""

import re
from pathlib import Path

import pytest

import matmul_reference

DATA = Path(__file__).resolve().parent.parent / "data"
BUS = DATA / "494_bus.mtx"
WEST = DATA / "west0479.mtx"
BANNER = "%%MatrixMarket matrix coordinate "
REAL = BANNER + "real general\n"

GRANT = re.compile(r"matmul: (?P<granted>\d+)(?: of (?P<asked>\d+))? vcores? on cores?"
                   r"(?P<cores>(?: \d+)+); multiplied (?P<sizes>\d+x\d+ by \d+x\d+)"
                   r" in (?P<seconds>\d+\.\d{6}) s\n")

KINDS = {
    "general": REAL + "3 3 4\n1 1 0.1\n1 3 -2.5e-3\n3 2 7\n2 2 1e10\n",
    "symmetric": BANNER + "real symmetric\n% lower\n3 3 4\n1 1 1.5\n2 1 -2\n3 2 3\n3 3 .3\n",
    "skew-symmetric": BANNER + "real skew-symmetric\n3 3 2\n2 1 0.7\n3 1 -1.1\n",
    "integer": BANNER + "integer general\n3 3 3\n1 2 -4\n2 2 5\n3 1 +6\n",
    "pattern": BANNER + "pattern symmetric\n3 3 3\n1 1\n2 1\n3 2\n",
    "duplicates": REAL + "3 3 4\n1 1 0.1\n1 1 0.2\n2 3 1\n2 3 -1\n",
    "cr-lf": (BANNER.upper() + "REAL GENERAL\n\n3 3 1\n\n3 1 2.5\n").replace("\n", "\r\n"),
    "no newline": REAL + "3 3 1\n1 2 0.3",
}

# What the file holds, and the line and the sentence that refuse it.
BAD = {
    "empty": ("", 1, "the file is empty"),
    "no banner": ("3 3 0\n", 1, "the first line is not a Matrix Market banner"),
    "array": ("%%MatrixMarket matrix array real general\n1 1\n2\n", 1,
              "array files are not supported, only coordinate"),
    "complex": (BANNER + "complex general\n1 1 1\n1 1 1 1\n", 1,
                "complex matrices are not supported"),
    "hermitian": (BANNER + "real hermitian\n1 1 0\n", 1, "hermitian matrices are not supported"),
    "no size": (REAL + "% nothing\n", 2, "the file ends before the size line"),
    "not square": (BANNER + "real symmetric\n2 3 0\n", 2, "a symmetric matrix cannot be 2x3"),
    "absurd": (REAL + "100000 100000 1\n1 1 1\n", 2,
               "a 100000x100000 matrix is too large: at most 16777216 elements can be held"),
    "upper triangle": (BANNER + "real symmetric\n2 2 1\n1 2 1\n", 3,
                       "an entry above the diagonal in a file of the lower triangle"),
    "skew diagonal": (BANNER + "real skew-symmetric\n2 2 1\n1 1 1\n", 3,
                      "an entry on the diagonal of a skew-symmetric matrix"),
    "out of range": (REAL + "2 2 1\n3 1 1\n", 3, "row 3 is not one of the matrix's 2"),
    "too few": (REAL + "2 2 2\n1 1 1\n", 3, "the file ends after 1 of 2 entries"),
    "too many": (REAL + "2 2 1\n1 1 1\n2 2 1\n", 4, "more entries than the 1 of the size line"),
    "cut short": (REAL + "2 2 2\n1 1 1\n2 2", 4, "the entry is cut short: the value is missing"),
    "trailing junk": (REAL + "2 2 1\n1 1 1 x\n", 3, '"x" follows after the entry'),
    "not finite": (REAL + "2 2 1\n1 1 nan\n", 3, '"nan" is not a finite number'),
    "not an integer": (BANNER + "integer general\n2 2 1\n1 1 1.5\n", 3, '"1.5" is not an integer'),
    "zero byte": (REAL + "2 2 1\n1 1 1\0\n", 3, '"1?" is not a finite number'),
}
BAD_ALWAYS_TESTED = ("empty", "upper triangle", "cut short", "not finite")


def grant(result):
    """The line about what was granted, as a match; there must be nothing else on standard error."""
    match = GRANT.fullmatch(result.stderr.decode())
    assert match, result.stderr
    return match


def expect_product(result, wanted):
    assert result.status == 0, result.stderr
    assert result.stdout == wanted
    return grant(result)


def expect_refusal(result, sentence):
    assert result.stderr.decode() == sentence + "\n"
    assert result.status == 1
    assert result.stdout == b""


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text.encode())
    return path


def expect_cores(match, vcores, cores):
    """All that was asked for was granted, each vcore on a core of its own, core 0 spared."""
    held = [int(core) for core in match["cores"].split()]
    assert (int(match["granted"]), match["asked"]) == (vcores, None)
    assert len(held) == len(set(held)) == vcores
    assert set(held) <= (set(range(1, cores)) if cores > 1 else {0})


@pytest.fixture(scope="module")
def bus_product():
    return matmul_reference.product_text(BUS, BUS)


@pytest.mark.parametrize("cores", [1, 2, 4, 8])
def test_bus_on_all_it_can_get(run, bus_product, cores):
    result = run("matmul", BUS.name, BUS.name, cores=cores, files=[BUS])
    match = expect_product(result, bus_product)
    assert match["sizes"] == "494x494 by 494x494"
    assert float(match["seconds"]) > 0
    expect_cores(match, max(1, cores - 1), cores)


@pytest.mark.parametrize("vcores", [1, 2, 3])
def test_bus_on_some_vcores(run, bus_product, vcores):
    result = run("matmul", "-n", str(vcores), BUS.name, BUS.name, cores=4, files=[BUS])
    expect_cores(expect_product(result, bus_product), vcores, 4)


def test_west(run):
    result = run("matmul", WEST.name, WEST.name, files=[WEST])
    expect_product(result, matmul_reference.product_text(WEST, WEST))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_kind(run, tmp_path, kind):
    left = write(tmp_path, "left.mtx", KINDS[kind])
    right = write(tmp_path, "right.mtx", KINDS["general"])
    result = run("matmul", left.name, right.name, cores=2, files=[left, right])
    expect_product(result, matmul_reference.product_text(left, right))


def test_oblong(run, tmp_path):
    left = write(tmp_path, "left.mtx", REAL + "2 3 3\n1 1 2\n2 3 0.1\n1 3 -0.3\n")
    right = write(tmp_path, "right.mtx", BANNER + "integer general\n3 4 3\n1 4 3\n3 1 3\n3 4 20\n")
    result = run("matmul", left.name, right.name, files=[left, right])
    match = expect_product(result, matmul_reference.product_text(left, right))
    assert match["sizes"] == "2x3 by 3x4"


@pytest.mark.parametrize("kind", [pytest.param(kind, marks=() if kind in BAD_ALWAYS_TESTED
                                               else pytest.mark.slow) for kind in BAD])
def test_bad_file(run, tmp_path, kind):
    text, line, sentence = BAD[kind]
    bad = write(tmp_path, "bad.mtx", text)
    good = write(tmp_path, "good.mtx", KINDS["general"])
    result = run("matmul", good.name, bad.name, cores=2, files=[good, bad])
    expect_refusal(result, f"matmul: bad.mtx:{line}: {sentence}")


def test_missing_file(run):
    result = run("matmul", "nowhere.mtx", "nowhere.mtx", cores=2)
    expect_refusal(result, "matmul: nowhere.mtx: cannot be opened: No such file or directory")


def test_mismatch(run, tmp_path):
    left = write(tmp_path, "left.mtx", REAL + "2 3 0\n")
    right = write(tmp_path, "right.mtx", REAL + "%\n2 3 0\n")
    result = run("matmul", left.name, right.name, cores=2, files=[left, right])
    expect_refusal(result, "matmul: right.mtx:3: the 2x3 matrix of left.mtx:2 cannot be multiplied "
                           "by this 2x3 matrix")


def test_product_that_overflows(run, tmp_path):
    large = write(tmp_path, "large.mtx", REAL + "2 2 1\n2 2 1e200\n")
    result = run("matmul", large.name, large.name, cores=2, files=[large])
    assert result.status == 1
    assert result.stdout == b""
    assert result.stderr.decode().splitlines()[-1] == \
        "matmul: row 2, column 2 of the product is more than a double can hold"


@pytest.mark.parametrize("arguments, sentence", [
    (["-n", "0", "a", "b"], "-n 0: not a number of vcores"),
    (["-n", "3x", "a", "b"], "-n 3x: not a number of vcores"),
    (["a"], "two files are wanted"),
    (["-q", "a", "b"], "there is no option -q"),
])
@pytest.mark.slow
def test_wrong_usage(run, arguments, sentence):
    result = run("matmul", *arguments, cores=2)
    expect_refusal(result, f"matmul: {sentence}\nusage: matmul [-n VCORES] A.mtx B.mtx")


def test_more_vcores_than_there_are(run):
    result = run("matmul", "-n", "4", "a.mtx", "b.mtx", cores=4)
    expect_refusal(result, "matmul: -n 4: a process can have at most 3 here")
