"""The counts behind the last line of `pando test`: nothing that went wrong may be missing."""

import json
import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

OUTCOMES = """
import pytest

@pytest.fixture
def broken_setup():
    raise RuntimeError

@pytest.fixture
def broken_teardown():
    yield
    raise RuntimeError

def test_passes(): pass
def test_passes_too(): pass
def test_fails(): assert False
def test_skipped(): pytest.skip("no")
def test_setup(broken_setup): pass
def test_teardown(broken_teardown): pass
"""


def counts(folder):
    """Runs pytest on the folder with the plugin: its status and the counts."""
    file = folder / "counts"
    environment = dict(os.environ, PYTHONPATH=os.path.join(ROOT, "tools"))
    environment.update(PANDO_SUMMARY=os.fspath(file), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    line = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "pandolib.summary"]
    line += ["-p", "no:cacheprovider", "--rootdir", folder, folder]
    done = subprocess.run(line, env=environment, stdout=subprocess.DEVNULL, check=False)
    return done.returncode, json.loads(file.read_text(encoding="utf-8"))


def test_each_test_counts_once_with_its_worst_outcome(tmp_path):
    (tmp_path / "test_outcomes.py").write_text(OUTCOMES, encoding="utf-8")
    assert counts(tmp_path) == (1, {"passed": 2, "skipped": 1, "failed": 3})


def test_file_that_cannot_be_read_is_a_failure(tmp_path):
    (tmp_path / "test_good.py").write_text("def test_good(): pass\n", encoding="utf-8")
    (tmp_path / "test_broken.py").write_text("import nothing_of_this_name\n", encoding="utf-8")
    status, found = counts(tmp_path)
    assert status != 0 and found["failed"] == 1


def test_pattern_that_matches_nothing_is_a_failure():
    done = subprocess.run(
        [os.path.join(ROOT, "pando"), "test", "-k", "no_test_has_this_name"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout.decode().splitlines()[-1] == "0 passed, 1 failed"
