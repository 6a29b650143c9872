"""`pando bench`: a line `name value unit` for each figure asked for."""

import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_AND_RUN_S = 180

# The most that each may be, and its unit.
LIMITS = {"kernel_image": (160, "KiB"), "syscall_null": (100, "instructions")}


def bench(*names):
    command = [os.path.join(ROOT, "pando"), "bench", *names]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=BUILD_AND_RUN_S)


@pytest.mark.slow
def test_figures():
    done = bench(*LIMITS)
    assert done.returncode == 0, done.stderr
    lines = [line.split(None, 2) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == list(LIMITS)
    for name, value, unit in lines:
        limit, wanted = LIMITS[name]
        assert unit == wanted
        assert 0 < float(value) <= limit


def test_unknown_figure():
    done = bench("no_such_figure")
    assert (done.returncode, done.stdout) == (125, "")
    assert "no_such_figure" in done.stderr and done.stderr.count("\n") == 1
