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


# --- limits -------------------------------------------------------------------------------------------

AT_LIMIT = re.compile(r"process \d+ \(residency\) vcore 0 core \d+: write of [0-9a-f]+ by the instruction at "
                      r"[0-9a-f]+: the process holds as many frames as it may")


@pytest.mark.parametrize("test", ["warned", "refused", "quota"])
def test_limits(run, test):
    expect_ok(run("residency", test, cores=1))


@pytest.mark.parametrize("test", ["left", "left-detached"])
def test_what_is_left_behind_counts_against_those_who_began_it(run, test):
    expect_ok(run("residency", test, cores=1, timeout=60))


@pytest.mark.parametrize("test, cores", [("pin-copy", 1), ("pin-copy-cores", 4)])
def test_pinned_copies_are_made_when_they_are_pinned(run, test, cores):
    expect_ok(run("residency", test, cores=cores, timeout=60))


@pytest.mark.parametrize("test, cores", [("short", 1), ("short-slot", 3)])
def test_evictable_pages_of_all_go_when_the_machine_is_short(run, test, cores):
    result = run("residency", test, cores=cores, memory=128, timeout=60)
    expect_ok(result)
    assert len(re.findall(r"\(residency\) vcore 0 core 0: write of .*: out of memory", result.log)) == 1


def test_a_process_ends_at_its_limit(run):
    result = run("residency", "limit", cores=1)
    expect_ok(result)
    assert len(AT_LIMIT.findall(result.log)) == 1


def test_evictable_pages_go_first_in_the_order_of_naming(run):
    result = run("residency", "evict", cores=1)
    expect_ok(result, "evicted\nok\n")
    assert len(AT_LIMIT.findall(result.log)) == 1


def test_vcores_share_what_the_limit_leaves(run):
    expect_ok(run("residency", "rivals", cores=4))
