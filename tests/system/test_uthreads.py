"""uthreads over vcores, and the C library in native programs."""

import random

import pytest

PIECE = 4113


def expect_ok(result):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == "ok\n"


@pytest.mark.parametrize("cores, vcores", [(1, 0), (1, 1), (2, 1), (4, 3), (8, 7),
                                           pytest.param(64, 63, marks=pytest.mark.slow)])
def test_many(run, cores, vcores):
    expect_ok(run("threads", "many", 1000, vcores, cores=cores))


@pytest.mark.parametrize("cores, vcores", [(1, 0), (2, 1), (4, 3), (8, 7)])
def test_tree(run, cores, vcores):
    expect_ok(run("threads", "tree", vcores, cores=cores))


@pytest.mark.parametrize("cores", [1, 2, 4, 8])
def test_demonstration(run, cores):
    vcores = max(1, cores - 1)
    result = run("uthreads", vcores, 200, cores=cores)
    assert result.status == 0, result.stderr
    lines = result.lines()
    assert lines[0] == f"{vcores} vcores" and lines[-1] == "total 200000"
    assert len(lines) == 202


def test_print(run):
    words = ["a", "", "two words", "\u00fc\u20ac", "%s%n"]
    wanted = "".join(f"{i}:{word}:{i * 1.5:5.1f}:{1 / (i + 1):.17g}:{i * 1000003:x}|" for i, word in enumerate(words))
    result = run("library", "print", *words, cores=2)
    assert result.status == 0
    assert result.text() == wanted + "no home\n"
    assert result.stderr == b"to the other stream\n"


def test_allocate(run):
    expect_ok(run("library", "allocate", cores=2))


def test_wrong_files(run):
    expect_ok(run("library", "missing", cores=2))


@pytest.mark.parametrize("size", [0, 1, PIECE, 4 * PIECE, 3_000_001])
def test_read_file(run, tmp_path, size):
    contents = random.Random(size).randbytes(size)
    (tmp_path / "input").write_bytes(contents)
    result = run("library", "read", "data/in put", cores=2, files=[f"{tmp_path}/input=data/in put"])
    assert result.status == 0, result.stderr
    length, _, pieces = result.stdout.partition(b"\n")
    assert int(length) == size
    assert pieces == b"".join(contents[at:at + PIECE] for at in reversed(range(0, size, PIECE)))
