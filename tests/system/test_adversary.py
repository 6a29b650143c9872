"""Processes that mean harm: what once brought a kernel down, or took from others what is theirs."""

import os
import re

import pytest

from conftest import STATUS_FAULT, STATUS_KILLED, TEST_PROGRAMS, management
from test_protection import KERNEL_HALF, mappings

HELD = range(0x200000000000, 0x200000008000, 0x1000)  # of the program gate
LEAST_SHARE, MOST_SHARE = 100 // 3, 100 - 100 // 3
LONGEST_WAIT_US = 10000  # some slices
RANDOM = [f"--program={TEST_PROGRAMS / 'random'}"]


def expect_ok(result, output="ok\n"):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == output
    assert "processes own 0 frames" in result.log


# --- ring 0 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [[], [3]], ids=["single", "many-core"])
@pytest.mark.parametrize("page", ["call", "forbidden"])
def test_call_gate_of_its_own(run, page, place):
    result = run("gate", page, *place, timeout=20)
    assert result.status == STATUS_FAULT, result.stderr.decode() + result.log
    assert re.search(r"process 1 \(gate\) vcore 0 core \d: general protection fault by", result.log)


@pytest.fixture
def holding(machine):
    running = machine("gate", "hold", 1, cores=2)
    running.await_output(b"held\n")
    running.ask("stop")
    return running


def test_no_local_descriptor_table(holding):
    for core in range(holding.cores):
        shown = re.search(r"LDT=(\w+) \w+ (\w+) ", holding.monitor("info registers", core))
        assert [int(part, 16) for part in shown.groups()] == [0, 0], f"core {core}: selector, limit"


def test_page_without_access_is_not_the_kernels_either(holding):
    table = [m for m in mappings(holding.monitor("info tlb", 1)) if m.address < KERNEL_HALF]
    assert {m.address for m in table}.intersection(HELD) == {HELD[-1]}
    assert all(m.user for m in table)


@pytest.fixture
def one_processor():
    """The machine's cores take turns on one processor of the host: while one computes, others go far."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


# --- notifications ------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 2])
def test_notifications_to_itself(run, cores):
    expect_ok(run("notify", "self", cores=cores))


@pytest.mark.parametrize("cores", [4, 8])
def test_notifications_of_all_to_one(run, one_processor, cores):
    expect_ok(run("notify", "one", cores=cores, timeout=30))


# --- crowds -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("test", ["run", "kill", "together"])
def test_many_children_at_once(run, test, cores):
    expect_ok(run("crowd", test, cores=cores, timeout=30))


@pytest.mark.parametrize("test", ["run", "kill"])
def test_many_children_at_once_from_another_core(run, one_processor, test):
    """The home falls behind."""
    expect_ok(run("crowd", test, "many", cores=2, timeout=30))


def test_many_children_on_several_management_cores(run):
    """Page tables of the heap that came for them have gone: a kernel has five at the end. The home's second one stays
    if a page in it is used at the end; that it can go shows --probe heap."""
    result = run("crowd", "together", cores=5, timeout=40,
                 options=["--kernel-option=--management", "--kernel-option=4"])
    expect_ok(result)
    home, *others = re.findall(r"(\d+) tables", result.log)
    assert others == ["5"] * 4 and home in ("5", "6")


@pytest.mark.parametrize("cores", [1, 2])
def test_child_starts_beside_a_parent_that_computes(run, cores):
    expect_ok(run("crowd", "starts", cores=cores, options=["--icount"], timeout=40))


@pytest.mark.parametrize("cores", [1, 4])
def test_orphans_end(run, cores):
    expect_ok(run("crowd", "orphans", cores=cores, timeout=30))


def test_more_orphans_than_a_queue_takes(run):
    expect_ok(run("crowd", "leave-all", cores=2))


def test_regions_come_back_to_the_home(run):
    expect_ok(run("crowd", "regions", cores=2, memory=32))


@pytest.mark.slow
def test_vcores_that_the_home_has_no_memory_for(run):
    """Those beyond the first page of records."""
    result = run("crowd", "records", cores=60, memory=80)
    assert result.status == STATUS_KILLED, result.stderr.decode() + result.log
    assert "out of memory for the vcores it was granted" in result.log


# --- ends at any moment -------------------------------------------------------------------------------


@pytest.mark.parametrize("test, rounds, cores", [("exit", 30, 4), ("change", 40, 1), ("change", 40, 2),
                                                 ("move", 600, 4), ("compete", 25, 4), ("compete", 25, 8)])
def test_all_cores_are_back(run, test, rounds, cores):
    expect_ok(run("storm", test, rounds, cores=cores, timeout=40))


@pytest.mark.parametrize("seed, cores", [(1, 1), (2, 2), (3, 4), (4, 8)])
def test_rivals_that_do_anything(run, seed, cores):
    expect_ok(run("rivals", seed, 15, cores=cores, timeout=60, options=RANDOM))


# --- memory -------------------------------------------------------------------------------------------


def test_refused_mapping_was_never_there(run):
    expect_ok(run("eager", 60, cores=3, memory=32, timeout=60))


def test_mapping_over_more_slots_than_there_can_be(run):
    expect_ok(run("slots", cores=2))


# --- turns: the clock counts instructions -------------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("kind", ["memory", "touch", "children", "notify", "null"])
def test_fair_share_beside_one_that_enters_the_kernel(run, kind, cores):
    result = run("fair", "share", kind, cores=cores, options=["--icount"], timeout=40)
    assert result.status == 0, result.stderr
    assert LEAST_SHARE <= int(result.text()) <= MOST_SHARE


@pytest.mark.parametrize("cores", [1, 2])
def test_turns_while_much_is_unmapped(run, cores):
    """The child has computed all it had to, and waited for a slice at most, when that is done."""
    result = run("fair", "unmap", 8000, cores=cores, options=["--icount"], timeout=40)
    assert result.status == 0, result.stderr
    longest, last = result.lines()
    assert int(longest) < LONGEST_WAIT_US and last == "unmapped"


# --- what must come back, and what others need ---------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 2])
def test_processes_that_were_never_run_do_not_keep_one_another(run, cores):
    expect_ok(run("greed", "leave", cores=cores, timeout=30))


@pytest.mark.parametrize("round", range(2))
def test_single_context_while_a_call_waits_for_memory(run, round):
    expect_ok(run("greed", "single", cores=4, timeout=30))


def test_own_pages_come_back_at_the_limit(run):
    expect_ok(run("greed", "limit", cores=1))


def test_lent_frames_come_back_for_a_letter(run):
    expect_ok(run("greed", "lent", cores=2))


def test_pinning_walks_the_regions_once(run):
    expect_ok(run("greed", "pin", cores=1, options=["--icount"]))


@pytest.mark.parametrize("cores, memory", [(1, 20), (2, 24), (3, 20)])
def test_no_memory_of_the_home_is_left(run, cores, memory):
    expect_ok(run("greed", "heap", cores=cores, memory=memory))


# --- pages on their way -------------------------------------------------------------------------------


@pytest.mark.parametrize("cores, vcores", [(2, 1), (4, 3)])
def test_pages_that_were_sent_do_not_change(run, cores, vcores):
    expect_ok(run("traffic", "frozen", 1, 8, vcores, cores=cores))


@pytest.mark.parametrize("seed, cores, vcores, memory", [(1, 1, 1, 512), (2, 4, 3, 512), (3, 8, 3, 512),
                                                         (4, 4, 3, 24)])
def test_pages_and_handles_between_processes_that_are_killed(run, seed, cores, vcores, memory):
    expect_ok(run("traffic", "storm", seed, 8, vcores, cores=cores, memory=memory))


# --- processes and those who control them -------------------------------------------------------------


@pytest.mark.parametrize("test, cores, managing", [
    ("self", 1, 1), ("self", 4, 2), ("murder", 1, 1), ("murder", 4, 2), ("gone", 1, 1),
    ("vcores-beyond-limit", 1, 1), ("vcores-beyond-limit", 4, 1), ("arguments", 2, 1), ("images", 3, 1),
])
def test_handles_limits_and_images(run, test, cores, managing):
    expect_ok(run("siege", test, cores=cores, options=management(managing)))


@pytest.mark.parametrize("test, cores, managing", [
    ("moves", 1, 1), ("moves", 4, 1), ("moves", 4, 2), ("moves", 8, 4), ("moves-many", 8, 3), ("askers", 1, 1),
    ("askers", 4, 1), ("askers", 4, 2), ("rings", 1, 1), ("rings", 4, 1), ("rings", 8, 2), ("crowd", 1, 1),
    ("crowd", 4, 3),
])
def test_processes_that_end_in_the_middle(run, test, cores, managing):
    rounds = {"moves": 6, "moves-many": 6, "askers": 8, "rings": 2, "crowd": 1}[test]
    expect_ok(run("turmoil", test, rounds, cores=cores, options=management(managing)))
