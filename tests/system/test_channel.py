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


def test_echo_between_processes(run):
    expect_ok(run("partners", "test_echo", cores=1))


@pytest.mark.parametrize("test", ["test_uthreads", "test_full"])
@pytest.mark.parametrize("vcores", [0, 1, 2])
def test_only_the_uthread_waits(run, test, vcores):
    expect_ok(run("partners", test, vcores, cores=3))


@pytest.mark.parametrize("vcores, cores", [(0, 1), (1, 3)], ids=["one-core", "own-cores"])
def test_ring(run, vcores, cores):
    expect_ok(run("partners", "test_ring", vcores, cores=cores))


@pytest.mark.parametrize("role", ["receiver", "sender", "give_one", "give_many"])
def test_killed_at_a_channel(run, role):
    """Wherever the end finds it, nothing is lost: the census at the end says that all frames are back."""
    expect_ok(run("partners", "test_kill", role, cores=4))


@pytest.mark.parametrize("role", ["give_one", "give_many"])
def test_receiver_leaves(run, role):
    expect_ok(run("partners", "test_leave", role, cores=4))
