"""Memory of processes beyond mapping: large pages, resident, pinned and evictable pages, limits."""

import re

import pytest


def expect_ok(result, output="ok\n"):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == output
    assert re.search(r"processes own 0 frames", result.log)


@pytest.mark.parametrize("test", ["large", "too-much", "resident", "pin"])
def test_pages(run, test):
    expect_ok(run("residency", test, cores=1))
