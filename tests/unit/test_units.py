"""Builds the unit tests and runs each as a test of its own: cmocka under ASan and UBSan, the stress
tests under TSan."""
import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for kind in ("test", "stress")
               for path in (ROOT / "tests/unit").glob(kind + "_*.c"))


def run(*command, timeout):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=timeout)
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


@pytest.mark.parametrize("name", NAMES)
def test_unit(name):
    binary = "build/tests/unit/" + name
    run("make", "-s", binary, timeout=120)
    run(binary, timeout=60)
