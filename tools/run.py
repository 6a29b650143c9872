"""`pando run`: boots Pando in QEMU and runs a program. See tools/help/run.txt."""

import sys

from pandolib import machine, options, place, qemu, session
from pandolib.failure import command_main
from pandolib.runfolder import RunFolder

TIMEOUT_S = 600


def run(arguments):
    chosen = options.parse("run", arguments)
    if chosen.timeout_s is None:
        chosen.timeout_s = TIMEOUT_S
    if chosen.boot != "direct":
        place.need_packages("image", *(["uefi"] if chosen.boot == "uefi" else []))
    if chosen.build:
        place.build(chosen.probe)
    emulator = qemu.find()
    machine.check(emulator, chosen)
    folder = RunFolder(chosen.run_folder)
    machine.prepare(chosen, folder)
    return session.run(chosen, folder, emulator, machine.command(emulator, chosen))


command_main(run, sys.argv[1:])
