"""System calls with random and with near-valid arguments, from every vcore at once, in hundreds of processes
that are killed in whatever they do: the kernels live, and all they gave comes back."""

import re
import sys

import pytest

from conftest import ROOT, management

sys.path.insert(0, str(ROOT / "tools"))
import calls as call_list  # noqa: E402

CALLS_IN_ALL, NIGHTLY_CALLS = 200_000, 10_000_000
PLACES = [(1, 1, 1), (2, 2, 1), (3, 4, 1), (4, 8, 1), (5, 4, 2)]  # seed, cores, management cores
NIGHTLY_PLACES = [(seed, cores, 1 + seed % 3) for seed in range(11, 16) for cores in (2, 8)]
NO_SUCCESS = {"exit", "vcore_yield", "console_write"}  # do not return; is not let through
FRAMES_KEPT_MAX = 16  # of the pools, by each kernel, beyond those of one that did nothing
KERNEL = re.compile(r"kernel (\d+) owns (\d+) frames")


def kernel_frames(result):
    return {int(core): int(frames) for core, frames in KERNEL.findall(result.log)}


def counts_of(result):
    """How often each call was made, and with success."""
    rows = re.findall(r"^(\w+) (\d+) (\d+)$", result.text(), re.MULTILINE)
    return {name: (int(made), int(succeeded)) for name, made, succeeded in rows}


def expect_alive(result, calls):
    """It ended well, made so many calls, each call among them, and nothing of processes is left."""
    assert result.status == 0, result.stderr[-2000:].decode() + result.log[-4000:]
    assert result.lines()[-1] == "ok"
    assert int(re.search(r"^calls (\d+)$", result.text(), re.MULTILINE)[1]) >= calls
    assert "processes own 0 frames" in result.log
    counts = counts_of(result)
    assert list(counts) == [call.name for call in call_list.read_calls()]
    assert [name for name, (made, _) in counts.items() if made == 0] == []
    return {name for name, (_, succeeded) in counts.items() if succeeded}


def expect_frames_back(result, idle):
    """Kernels own what they own when they have done nothing, but for a few pages of pools."""
    before = kernel_frames(idle)
    for core, frames in kernel_frames(result).items():
        assert frames <= before[core] + FRAMES_KEPT_MAX, f"kernel {core}: {before[core]} frames, then {frames}"


@pytest.fixture(scope="module")
def succeeded():
    """Names of calls that succeeded in some run of this module."""
    return set()


@pytest.mark.slow
@pytest.mark.parametrize("seed, cores, managing", PLACES)
def test_chaos(run, succeeded, seed, cores, managing):
    result = run("chaos", CALLS_IN_ALL // len(PLACES), seed, cores=cores, timeout=120,
                 options=management(managing))
    succeeded |= expect_alive(result, CALLS_IN_ALL // len(PLACES))
    expect_frames_back(result, run("hello", cores=cores, options=management(managing)))


@pytest.mark.slow
def test_near_valid_arguments_succeed(succeeded):
    """Else what lies behind the checks of a call is not tried."""
    if not succeeded:
        pytest.skip("no run of chaos before")
    assert call_list.answered_calls() - succeeded - NO_SUCCESS == set()


@pytest.mark.nightly
@pytest.mark.parametrize("seed, cores, managing", NIGHTLY_PLACES)
def test_long_chaos(run, seed, cores, managing):
    calls = NIGHTLY_CALLS // len(NIGHTLY_PLACES)
    options = management(managing)
    result = run("chaos", calls, seed, 48, cores=cores, timeout=1800, options=options)
    expect_alive(result, calls)
    expect_frames_back(result, run("hello", cores=cores, options=options))
