"""Where things stand in the repository."""

import os
import subprocess
import sys

from pandolib.failure import STATUS_USAGE

TOOLS = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
ROOT = os.path.dirname(TOOLS)
BUILD = os.path.join(ROOT, "build")

KERNEL = os.path.join(BUILD, "kernel.elf")
PROBE_KERNEL = os.path.join(BUILD, "probe", "kernel.elf")
RUNTIME = os.path.join(BUILD, "runtime.elf")
PROGRAMS = os.path.join(BUILD, "bin")


def try_build(probe=False):
    """Builds what is stale. Returns 0, or another status when it has said what went wrong."""
    return _script("build.sh", *(["--probe"] if probe else []))


def build(probe=False):
    """As try_build, but ends the command when it fails."""
    if try_build(probe) != 0:
        sys.exit(STATUS_USAGE)


def need_packages(*groups):
    """Sees to the Debian packages of these groups of tools/deps.sh, or ends the command."""
    if _script("deps.sh", *groups) != 0:
        sys.exit(STATUS_USAGE)


def _script(name, *arguments):
    """Runs a script of tools/, which says by itself what went wrong."""
    command = ["sh", os.path.join(TOOLS, name), *arguments]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=2, check=False).returncode


def print_help(command):
    with open(os.path.join(TOOLS, "help", command + ".txt"), encoding="utf-8") as text:
        print(text.read(), end="")
