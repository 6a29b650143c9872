"""Vcores' own slots: pages that their drivers make, and what others do there meanwhile."""

import pytest

from conftest import STATUS_FAULT


def expect_ok(result):
    assert (result.status, result.text()) == (0, "ok\n"), result.stderr.decode() + result.log


@pytest.mark.parametrize("cores, vcores", [(1, 1), (2, 1), (4, 3), (6, 5)])
def test_everybody_reads_everybodys_slot(run, cores, vcores):
    expect_ok(run("own_slots", "fill", vcores, cores=cores))


@pytest.mark.parametrize("cores, vcores, rounds", [(3, 2, 20), (4, 3, 10)])
def test_one_table_has_one_writer_at_a_time(run, cores, vcores, rounds):
    expect_ok(run("own_slots", "mingle", vcores, rounds, cores=cores))


@pytest.mark.parametrize("cores, vcores, rounds", [(3, 2, 40), (5, 4, 15)])
def test_changes_by_others_while_the_owner_makes_pages(run, cores, vcores, rounds):
    expect_ok(run("own_slots", "change", vcores, rounds, cores=cores))


@pytest.mark.parametrize("cores, vcores", [(4, 3)])
def test_killed_amid_changes(run, cores, vcores):
    expect_ok(run("own_slots", "kill", vcores, 20, cores=cores))


def test_vcores_that_leave_and_come_back(run):
    expect_ok(run("own_slots", "leave", 3, 10, cores=4))


@pytest.mark.parametrize("what", ["unmapped", "read-only"])
@pytest.mark.parametrize("cores", [1, 2])
def test_a_driver_maps_only_what_the_process_may_use(run, what, cores):
    assert run("own_slots", what, 1, cores=cores).status == STATUS_FAULT


def test_lent_frames_are_not_lost_at_the_limit(run):
    """With what is lent to three drivers a process gets as far as without: but for the tables of the slots."""
    result = run("own_slots", "limit", 4, cores=5)
    assert result.status == 0, result.stderr.decode() + result.log
    kept, lent, ok = result.lines()
    assert ok == "ok" and int(kept) - 20 <= int(lent) <= int(kept)
