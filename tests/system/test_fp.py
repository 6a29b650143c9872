"""x87, SSE and AVX state is kept across everything that can happen to a uthread, and is nobody else's."""

import pytest

NO_AVX = ["--qemu-option=-cpu", "--qemu-option=max,-avx,-avx2"]


def expect_ok(result):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.lines()[-1] == "ok"


@pytest.mark.parametrize("cores", [1, 4])
def test_single_core_process(run, cores):
    """System calls, page faults at the home core."""
    expect_ok(run("fp", "single", 0, "avx", cores=cores))


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_many_core_process(run, cores):
    """From one core to others; then system calls and page faults that another core resolves."""
    expect_ok(run("fp", "many-core", 0, "avx", cores=cores))


@pytest.mark.parametrize("cores", [1, 2])
def test_time_slices(run, cores):
    expect_ok(run("fp", "processes", 5, "avx", cores=cores))


@pytest.mark.parametrize("cores, vcores", [(1, 1), (2, 1), (4, 3), (8, 7)])
def test_uthreads(run, cores, vcores):
    """More uthreads than vcores, each with a state of its own, that change places."""
    expect_ok(run("fp", "uthreads", vcores, "avx", cores=cores))


@pytest.mark.parametrize("cores", [2, 4, 8])
def test_fresh_vcores(run, cores):
    """A process's vcores start in the initial state, on cores whose registers another left full."""
    expect_ok(run("fp", "fresh", 0, "avx", cores=cores))


@pytest.mark.parametrize("test", [("single",), ("many-core",), ("uthreads", 3), ("fresh",)])
def test_without_avx(run, test):
    expect_ok(run("fp", *test, options=NO_AVX))
