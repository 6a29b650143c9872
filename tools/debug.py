"""`pando debug`: as run, stopped under gdb. See tools/help/debug.txt."""

import os
import signal
import subprocess
import sys

from pandolib import machine, options, place, qemu
from pandolib.emulator import Emulator
from pandolib.failure import Failure, command_main
from pandolib.runfolder import RunFolder
from pandolib.session import Session

SOCKET = "gdb.sock"


def gdb_command(chosen, folder):
    """gdb reaches the socket by its bare name in the run's folder: a longer one may not fit."""
    command = [
        "gdb",
        "-q",
        "-nx",
        "-ex",
        "set confirm off",
        "-ex",
        "file " + _quoted(chosen.kernel_file()),
    ]
    if os.path.isfile(place.RUNTIME):
        command += ["-ex", "add-symbol-file " + _quoted(place.RUNTIME)]
    command += ["-ex", "source " + os.path.join(place.TOOLS, "gdbinit")]
    command += [
        "-ex",
        "cd " + folder.path,
        "-ex",
        "target remote ./" + SOCKET,
        "-ex",
        "cd " + os.getcwd(),
    ]
    if chosen.batch:
        command += ["-batch", "-x", os.path.abspath(chosen.batch)]
    return command


def _quoted(path):
    return "'" + os.path.abspath(path) + "'"


def debug(arguments):
    chosen = options.parse("debug", arguments)
    if chosen.batch and not os.path.isfile(chosen.batch):
        raise Failure(f"there is no file '{chosen.batch}'")
    if chosen.boot != "direct":
        place.need_packages("image", *(["uefi"] if chosen.boot == "uefi" else []))
    if chosen.build:
        place.build(chosen.probe)
    emulator = qemu.find()
    machine.check(emulator, chosen)
    folder = RunFolder(chosen.run_folder)
    machine.prepare(chosen, folder)
    command = machine.command(emulator, chosen)
    command += ["-S", "-gdb", f"unix:path={SOCKET},server=on,wait=off"]
    with Emulator(emulator, command, folder) as running:
        return _under_gdb(chosen, folder, running)


def _under_gdb(chosen, folder, running):
    """Ctrl-C is gdb's while it runs. Its exit status is the command's; when it has ended, so has
    the machine."""
    running.monitor.ask("query-status")  # the socket is there once the monitor answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    restore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(gdb_command(chosen, folder), **restore) as gdb:
        try:
            Session(chosen, folder, running).follow([gdb])
            return gdb.wait()
        finally:
            if gdb.poll() is None:
                gdb.kill()


command_main(debug, sys.argv[1:])
