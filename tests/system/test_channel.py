"""Channels between processes: order, bounds, rights, closing, waiting, and that nothing is lost with them."""

import pytest


def expect_ok(result, output="ok\n"):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == output


@pytest.mark.parametrize("test", ["order", "table", "refuse", "rights", "close", "cycle", "pages", "shares"])
def test_messages(run, test):
    expect_ok(run("channel", test, cores=1))


@pytest.mark.parametrize("vcores", [2, 3])
def test_waiting(run, vcores):
    expect_ok(run("channel", "wait", vcores, cores=vcores + 1))
