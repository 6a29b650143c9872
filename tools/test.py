"""`pando test`: runs the tests. See tools/help/test.txt."""

import getopt
import json
import os
import subprocess
import sys
import tempfile

from pandolib import place, qemu, summary
from pandolib.failure import Failure, command_main


def _parse(arguments):
    try:
        pairs, rest = getopt.getopt(arguments, "k:h", ["quick", "nightly", "help"])
    except getopt.GetoptError as error:
        raise Failure(f"{error.msg}; see ./pando test --help") from None
    if rest:
        raise Failure(f"test takes no '{rest[0]}'; see ./pando test --help")
    return dict(pairs)


def _pytest(chosen, counts):
    """Runs pytest and returns its exit status. The environment of the user's own Python,
    and plugins that happen to be installed, have no part in it."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("PYTHON")
    }
    environment["PYTHONPATH"] = place.TOOLS
    environment["PYTHONPYCACHEPREFIX"] = os.path.join(place.BUILD, "pycache")
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    environment[summary.VARIABLE] = counts
    command = ["/usr/bin/python3", "-s", "-m", "pytest", "-q", "-ra", "-p", "pandolib.summary"]
    command += ["-p", "no:cacheprovider", "--rootdir", place.ROOT]
    if "-k" in chosen:
        command += ["-k", chosen["-k"]]
    if "--quick" in chosen:
        command += ["-m", "not slow and not nightly"]
    elif "--nightly" in chosen:
        command += ["-m", ""]
    command.append(os.path.join(place.ROOT, "tests"))
    return subprocess.run(
        command, cwd=place.ROOT, env=environment, stdin=subprocess.DEVNULL, check=False
    ).returncode


def _counts(path, status):
    """What the plugin counted. Unless pytest itself was content, something failed."""
    try:
        with open(path, encoding="utf-8") as file:
            counts = json.load(file)
    except (OSError, ValueError):
        counts = {"passed": 0, "failed": 0, "skipped": 0}
    if status != 0 or counts["passed"] == 0:
        counts["failed"] = max(counts["failed"], 1)
    return counts


def _line(counts):
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    return f"{counts['passed']} passed, {counts['failed']} failed{skipped}"


def test(arguments):
    chosen = _parse(arguments)
    if "-h" in chosen or "--help" in chosen:
        place.print_help("test")
        return 0
    with tempfile.TemporaryDirectory(prefix="pando-test-") as work:
        counts_file = os.path.join(work, "counts")
        status = place.try_build()
        if status == 0:
            qemu.find()  # what it may say at the first time is not any test's
            status = _pytest(chosen, counts_file)
        counts = _counts(counts_file, status)
    print(_line(counts), flush=True)
    return 1 if counts["failed"] else 0


command_main(test, sys.argv[1:])
