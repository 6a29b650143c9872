"""Multicasts: every core that is meant takes part before it is said that all have."""

import pytest


@pytest.mark.parametrize("cores", [1, 2, 3, 8])
def test_all_perform_before_it_is_done(probe, cores):
    result = probe("multicast", cores=cores)
    assert result.status == 0, result.stderr.decode()
    assert f"probe multicast: {cores} cores ok" in result.log


@pytest.mark.parametrize("cores, vcores", [(2, 1), (4, 3), (9, 8)])
def test_no_stale_translation(run, cores, vcores):
    """A core that was left out of the flush, or that acknowledged before it flushed, still sees the old frame."""
    result = run("shootdown", vcores, 60 // vcores, cores=cores)
    assert (result.status, result.text()) == (0, "ok\n"), result.stderr.decode() + result.log
