"""Events: the mailbox of a vcore, as a process finds it."""

import pytest


def expect_ok(result):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == "ok\n"


@pytest.mark.parametrize("test", ["order", "overflow", "bad", "sizes", "refused"])
def test_events_of_a_single_context(run, test):
    expect_ok(run("events", test, cores=1, timeout=60))


@pytest.mark.parametrize("test, cores", [
    ("granted", 2), ("granted", 8), ("driver", 4), ("moved", 4), ("resizing", 4), ("absent", 4), ("undisturbed", 4),
    ("wait", 1), ("wait", 2), ("wait", 4), ("bells", 1), ("bells", 2), ("bells-many", 2), ("flooded", 2)])
def test_events_of_many_cores(run, test, cores):
    expect_ok(run("events", test, cores=cores, timeout=60))
