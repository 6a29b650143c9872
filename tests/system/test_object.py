"""Memory objects: shared, copy-on-write, their rights, and that all of them is given back. That no frame is left is
looked for after each run (conftest.py)."""

import re

import pytest

PAGES = 40


def expect_ok(result, output="ok\n", status=0):
    assert result.status == status, result.stderr.decode() + result.log
    assert result.text() == output


@pytest.mark.parametrize("test", ["shared", "copy", "errors", "parts"])
def test_objects(run, test):
    expect_ok(run("objects", test, cores=2))


def test_rights_bound_a_mapping(run):
    result = run("objects", "rights", cores=2)
    expect_ok(result)
    assert len(re.findall(r"write of 220000000000 by .*: the access is not permitted there", result.log)) == 1


def test_large_objects_come_and_go(run):
    expect_ok(run("objects", "large", 12, memory=128))


@pytest.mark.parametrize("vcores", [2, 3])
@pytest.mark.parametrize("test", ["many", "writers"])
def test_copies_are_coherent_on_all_cores(run, test, vcores):
    expect_ok(run("objects", test, vcores, cores=4))


def test_an_end_amid_copies(run):
    expect_ok(run("objects", "exit", 3), output="", status=7)
