"""tools/deps.sh: what happens when a package is missing, with a stand-in for apt-get."""

import os
import shutil
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def run(line, **more):
    return subprocess.run(
        line, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False, **more
    )


def fake_debian(tmp_path, installs):
    """A folder of commands for PATH: those that deps.sh needs, and an apt-get that notes what it
    was asked and, if `installs`, makes gdb appear once it has read package lists."""
    folder = tmp_path / "commands"
    folder.mkdir()
    for name in ("sh", "id", "cat", "mktemp", "rm", "env", "touch", "chmod"):
        (folder / name).symlink_to(shutil.which(name))
    apt = folder / "apt-get"
    make = f"touch {folder}/gdb; chmod +x {folder}/gdb" if installs else "exit 100"
    apt.write_text(
        f'#!/bin/sh\necho "$*" >>{tmp_path}/asked\n'
        f'case "$*" in\n*update*) touch {tmp_path}/lists ;;\n'
        f"*install*) [ -e {tmp_path}/lists ] || exit 100; {make} ;;\nesac\n",
        encoding="utf-8",
    )
    apt.chmod(0o755)
    return dict(os.environ, PATH=os.fspath(folder))


def run_deps(environment, *before):
    script = os.path.join(ROOT, "tools", "deps.sh")
    # /usr/sbin, which deps.sh adds, has none of the commands it is asked for here.
    return run([*before, shutil.which("sh"), script, "debug"], env=environment)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


@as_root
def test_missing_packages_are_installed_after_saying_so(tmp_path):
    environment = fake_debian(tmp_path, installs=True)
    done = run_deps(environment)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"pando: installing with apt-get: gdb\n"
    asked = (tmp_path / "asked").read_text(encoding="utf-8")
    assert " update\n" in asked and " install --no-install-recommends gdb\n" in asked
    assert run_deps(environment).stderr == b""
    assert (tmp_path / "asked").read_text(encoding="utf-8") == asked


@as_root
def test_packages_that_cannot_be_installed(tmp_path):
    done = run_deps(fake_debian(tmp_path, installs=False))
    assert done.returncode == 125
    assert done.stderr.endswith(b"pando: these packages could not be installed: gdb\n")


@as_root
def test_command_to_type_is_printed_without_rights(tmp_path):
    environment = fake_debian(tmp_path, installs=True)
    script = shutil.copy(os.path.join(ROOT, "tools", "deps.sh"), tmp_path)
    for folder in (tmp_path, *tmp_path.parents):
        if (
            folder.stat().st_uid == os.geteuid()
            and folder != folder.parent
            and "pytest" in str(folder)
        ):
            folder.chmod(0o755)
    nobody = [shutil.which("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups"]
    done = run([*nobody, shutil.which("sh"), script, "debug"], env=environment)
    assert done.returncode == 125
    assert b"apt-get update && apt-get install -y --no-install-recommends gdb'\n" in done.stderr
    assert not (tmp_path / "asked").exists()
