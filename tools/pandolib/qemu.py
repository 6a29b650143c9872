"""Which QEMU to use.

With `-icount` and more than one core QEMU before 8.1 can live-lock, and before 9.0 it emulates no
x2APIC. When the distribution's is older than 8.1, the one of its backports is unpacked for this
user alone."""

import os
import re
import shutil
import subprocess
import time

from pandolib import place
from pandolib.failure import Failure, say

WANTED = (8, 1)
RETRY_S = 24 * 3600  # how long after a failed attempt the next one is made
BINARY = "qemu-system-x86_64"


class Qemu:
    """A QEMU that runs: its command (binary and where its files are), environment and version."""

    def __init__(self, command, version, environment=None):
        self.command = command
        self.version = version
        self.environment = dict(os.environ, **(environment or {}))

    def is_new(self):
        return self.version >= WANTED


def find():
    """The QEMU to use. An older one than wanted is returned when there is no other to be had."""
    installed = _installed()
    if installed.is_new():
        return installed
    folder = os.path.join(_cache(), "qemu")
    if not os.path.exists(folder) and not _fetch(folder, installed.version):
        return installed
    private = _private(folder)
    return private if private.is_new() else installed


def _cache():
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(
        os.environ.get("HOME") or place.BUILD, ".cache"
    )
    return os.path.join(home, "pando")


def _installed():
    binary = shutil.which(BINARY)
    if not binary:
        raise Failure("there is no " + BINARY)
    return Qemu([binary], _version(binary, {}))


def _private(folder):
    """Its modules are not used: those that are found would be the installed version's."""
    share = os.path.join(folder, "usr", "share")
    binary = os.path.join(folder, "usr", "bin", BINARY)
    environment = {"QEMU_MODULE_DIR": "/nonexistent"}
    command = [binary, "-L", os.path.join(share, "seabios"), "-L", os.path.join(share, "qemu")]
    return Qemu(command, _version(binary, environment), environment)


def _fetch(folder, version):
    """Unpacks a newer QEMU. When that failed lately, does not try again."""
    failed = os.path.join(place.BUILD, "qemu.failed")
    if os.path.exists(failed) and time.time() - os.path.getmtime(failed) < RETRY_S:
        return False
    say("unpacking a newer QEMU from the distribution's backports into " + folder)
    script = os.path.join(place.TOOLS, "qemu.sh")
    os.makedirs(place.BUILD, exist_ok=True)
    with open(failed, "wb") as log:
        status = subprocess.run(
            ["sh", script, folder], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
        ).returncode
    if status == 0:
        os.unlink(failed)
        return True
    shown = ".".join(map(str, version))
    say(
        f"that failed (see {failed}); using version {shown}: --icount works with one core only"
    )
    return False


def _version(binary, environment):
    """The version as a tuple, remembered in build/ for as long as the file is the same; () when it
    does not run."""
    status = os.stat(binary) if os.path.exists(binary) else None
    if status is None:
        return ()
    key = f"{binary} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
    stamp = os.path.join(place.BUILD, "qemu.versions")
    try:
        with open(stamp, encoding="utf-8", errors="surrogateescape") as lines:
            for line in lines:
                known, _, version = line.rstrip("\n").rpartition(" ")
                if known == key:
                    return _numbers(version)
    except OSError:
        pass
    version = _ask_version(binary, environment)
    os.makedirs(place.BUILD, exist_ok=True)
    with open(stamp, "a", encoding="utf-8", errors="surrogateescape") as lines:
        lines.write(f"{key} {version}\n")
    return _numbers(version)


def _ask_version(binary, environment):
    answer = subprocess.run(
        [binary, "--version"],
        env=dict(os.environ, **environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    ).stdout
    match = re.search(rb"version ([0-9.]+)", answer)
    return match[1].decode() if match else "0"


def _numbers(version):
    return tuple(int(part) for part in version.split(".") if part)
