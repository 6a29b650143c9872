"""The states of processes: every legal move is seen and no other is made; one context becomes many and many become
one; yields and waits, and that no wake-up is lost; kills in every state; placement on several management cores."""

import re
from collections import Counter

import pytest

from conftest import management

TRACE = ["--kernel-option=--trace", "--kernel-option=states"]
MOVE = re.compile(r"^\[0\] process \d+ \(\S+\): ([A-Z_]+) to ([A-Z_]+)$", re.MULTILINE)

# docs/process.md
LIVING = ["CREATED", "RUNNABLE_S", "RUNNING_S", "WAITING", "RUNNABLE_M", "RUNNING_M"]
MOVES = {
    ("CREATED", "RUNNABLE_S"),
    ("RUNNABLE_S", "RUNNING_S"),
    ("RUNNING_S", "RUNNABLE_S"),
    ("RUNNING_S", "WAITING"),
    ("WAITING", "RUNNABLE_S"),
    ("WAITING", "RUNNABLE_M"),
    ("RUNNABLE_M", "RUNNING_M"),
    ("RUNNING_M", "WAITING"),
    ("RUNNING_M", "RUNNABLE_S"),
}
ENDS = {(state, "DYING") for state in LIVING}
ABORTS = {(state, "DYING_ABORT") for state in LIVING}
UNDER_WAY = {("RUNNABLE_S", "DYING"), ("RUNNABLE_S", "DYING_ABORT")}  # seen only if a kill comes amid a move


def expect_ok(result):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.lines()[-1] == "ok"


def moves(result):
    return set(MOVE.findall(result.log))


# --- from many to one, and back -----------------------------------------------------------------------


@pytest.mark.parametrize("cores, vcores", [(1, 1), (2, 1), (4, 3), (8, 7)])
def test_vcore_stays_itself_as_the_single_one(run, cores, vcores):
    """vcore3 stays vcore3, in _S and when it comes back; its FS base is kept; uthreads of the others go on."""
    expect_ok(run("states", "back", vcores, cores=cores))


@pytest.mark.parametrize("cores, vcores", [(2, 1), (4, 3), (8, 7)])
def test_back_while_uthreads_come_and_go(run, cores, vcores):
    expect_ok(run("states", "mix", vcores, cores=cores))


def test_back_to_any_management_core(run):
    expect_ok(run("states", "back", 5, cores=8, options=management(3)))


@pytest.mark.parametrize("cores, vcores", [(3, 2), (4, 3), (8, 7)])
def test_abandoned_vcores_lose_nothing(run, cores, vcores):
    """Their contexts are in their uthread slots, FP state and FS base too, and each is reported."""
    expect_ok(run("states", "abandon", vcores, cores=cores))


@pytest.mark.parametrize("cores, vcores", [(2, 1), (4, 3)])
def test_times_and_grants(run, cores, vcores):
    expect_ok(run("states", "times", vcores, cores=cores))


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_fp_state_is_kept_both_ways(run, cores):
    expect_ok(run("fp", "moves", 0, "avx", cores=cores))


# --- yields and waits ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_yields(run, cores):
    expect_ok(run("waits", "yield", cores=cores))


WAYS = [("single", "single"), ("single", "last"), ("last", "single"), ("last", "last"), ("halt", "last")]
WAITS = 40


@pytest.mark.parametrize("clock", [[], ["--icount"]], ids=["free", "icount"])
@pytest.mark.parametrize("cores", [1, 2, 4, 8])
@pytest.mark.parametrize("mine, childs", WAYS)
def test_no_wake_up_is_lost(run, mine, childs, cores, clock):
    """Every other time the child is known to wait; else a notification meets its yield, and that of the parent, at
    another moment each time. A wake-up that is lost ends in a time-out."""
    if cores < 3 and "single" not in (mine, childs):
        pytest.skip("there are not two cores to be granted")
    result = run("waits", "turns", mine, childs, 2 * WAITS, cores=cores, options=TRACE + clock)
    expect_ok(result)
    made = Counter(MOVE.findall(result.log))
    assert made["RUNNING_S" if childs == "single" else "RUNNING_M", "WAITING"] >= WAITS


def test_waits_on_several_management_cores(run):
    expect_ok(run("waits", "turns", "single", "single", 100, cores=4, options=management(2)))


# --- ends ---------------------------------------------------------------------------------------------


def test_every_legal_move_is_seen(run):
    seen = set()
    for flags in (0, 1, 2):
        result = run("waits", "kills", flags, cores=4, options=TRACE)
        expect_ok(result)
        seen |= moves(result)
    seen |= moves(run("waits", "turns", "single", "single", 4, cores=2, options=TRACE))
    assert seen - UNDER_WAY == (MOVES | ENDS | ABORTS | {("DYING", "DYING_ABORT")}) - UNDER_WAY
    assert seen & UNDER_WAY


@pytest.mark.parametrize("cores", [1, 2, 8])
@pytest.mark.parametrize("flags", [0, 1])
def test_kills(run, cores, flags):
    result = run("waits", "kills", flags, cores=cores)
    expect_ok(result)
    assert "processes own 0 frames" in result.log


# --- placement ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores, managing, children, wanted", [
    (4, 1, 5, [5]),
    (4, 2, 5, [2, 3]),    # the parent is on the first
    (4, 2, 20, [13, 7]),  # the others have few places
    (8, 4, 11, [2, 3, 3, 3]),
    (2, 4, 3, [3]),       # one core is left to be granted
    (1, 1, 3, [3]),
])
def test_single_contexts_are_spread(run, cores, managing, children, wanted):
    result = run("places", children, cores=cores, options=management(managing))
    expect_ok(result)
    counts = Counter(int(line.split()[1]) for line in result.lines()[:-1])
    assert [counts[core] for core in range(cores)] == wanted + [0] * (cores - len(wanted))


def test_context_moves_to_a_core_that_is_free(run):
    expect_ok(run("places", "migrate", cores=3, options=management(2)))


@pytest.mark.parametrize("managing", [1, 2, 3])
def test_management_cores_are_not_granted(run, managing):
    """cores checks that they are all different; here there are as many as are left."""
    result = run("places", "granted", 4 - managing, cores=4, options=management(managing))
    expect_ok(result)
    assert sorted(result.lines()[:-1]) == [f"core {core}" for core in range(managing, 4)]


@pytest.mark.parametrize("option, value", [("--management", "0"), ("--management", "5"), ("--slice-us", "49"),
                                           ("--granted-slice-us", "x"), ("--trace", "all")])
def test_wrong_options_are_refused(run, option, value):
    result = run("hello", cores=2, options=[f"--kernel-option={option}", f"--kernel-option={value}"])
    assert result.status == 125
    assert value in result.stderr.decode() + result.log
