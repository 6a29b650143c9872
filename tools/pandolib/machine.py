"""The machine that a run boots: QEMU's command line.

QEMU runs in the run's folder, so all files are named by their bare names there. The serial ports
are plain files, for QEMU drops bytes when a pipe is slow."""

import os
import shutil

from pandolib import iso
from pandolib.archive import write_archive
from pandolib.failure import Failure

# The serial ports in order, and what the kernel writes to each.
PORTS = ("kernel.log", "control", "stdout", "stderr")
KERNEL_LOG, CONTROL, STDOUT, STDERR = PORTS

EXIT_PORT = 0xF4
KERNEL_OPTIONS = ["--cores-up", "all"]

_FIRMWARE = ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd")


def prepare(options, folder):
    """Puts into the run's folder what the machine boots from."""
    kernel = options.kernel_file()
    if not os.path.isfile(kernel):
        raise Failure(f"there is no kernel '{kernel}'")
    _link(kernel, folder.file("kernel.elf"))
    if options.archive:
        if not os.path.isfile(options.archive):
            raise Failure(f"there is no archive '{options.archive}'")
        _link(options.archive, folder.file("archive.cpio"))
    elif options.with_archive:
        write_archive(options, folder.file("archive.cpio"))
    for port in PORTS:
        open(folder.file(port), "wb").close()
    if options.boot != "direct":
        archive = folder.file("archive.cpio") if options.with_archive else None
        iso.write_iso(folder.file("image.iso"), kernel, archive, _kernel_options(options))
    if options.boot == "uefi":
        _copy_variables(folder)


def command(qemu, options):
    """QEMU's command line, to be run in a prepared folder."""
    arguments = list(qemu.command)
    arguments += [
        "-name",
        "pando",
        "-M",
        "q35",
        "-smp",
        str(options.cores),
        "-m",
        f"{options.memory_mib}M",
    ]
    arguments += _clock(options) + _boot(options) + _serial_ports()
    arguments += ["-device", f"isa-debug-exit,iobase={EXIT_PORT:#x},iosize=0x04"]
    arguments += [
        "-nodefaults",
        "-display",
        "none",
        "-nic",
        "none",
        "-no-reboot",
        "-monitor",
        "none",
    ]
    if options.plugin:
        library, comma, settings = options.plugin.partition(",")
        arguments += ["-plugin", os.path.abspath(library) + comma + settings]
    return arguments + options.qemu_options


def check(qemu, options):
    """Refuses what this QEMU cannot do."""
    if options.icount and options.cores > 1 and not qemu.is_new():
        raise Failure(
            "--icount with more than one core needs QEMU 8.1 or newer, which could not be had"
        )


def _clock(options):
    if not options.icount:
        return ["-accel", "tcg,thread=multi", "-cpu", "max"]
    return [
        "-accel", "tcg", "-icount", "shift=0,sleep=off", "-seed", "1",
        "-rtc", "base=2026-01-01,clock=vm", "-cpu", "max,erms=off,fsrm=off,-x2apic",
    ]  # fmt: skip


def _boot(options):
    if options.boot == "bios":
        return ["-cdrom", "image.iso", "-boot", "d"]
    if options.boot == "uefi":
        return [
            "-drive", "if=pflash,format=raw,readonly=on,file=" + _FIRMWARE[0],
            "-drive", "if=pflash,format=raw,file=variables.fd",
            "-cdrom", "image.iso", "-boot", "d",
        ]  # fmt: skip
    arguments = ["-kernel", "kernel.elf", "-append", " ".join(_kernel_options(options))]
    if options.with_archive:
        arguments += ["-initrd", "archive.cpio"]
    return arguments


def _serial_ports():
    arguments = []
    for port in PORTS:
        name = port.replace(".", "-")
        arguments += ["-chardev", f"file,id={name},path={port}", "-serial", f"chardev:{name}"]
    return arguments


def _kernel_options(options):
    return ["--exit-port", hex(EXIT_PORT)] + KERNEL_OPTIONS + options.kernel_options


def _link(target, path):
    if os.path.lexists(path):
        os.unlink(path)
    os.symlink(os.path.abspath(target), path)


def _copy_variables(folder):
    for file in _FIRMWARE:
        if not os.path.isfile(file):
            raise Failure(f"there is no UEFI firmware '{file}'")
    shutil.copyfile(_FIRMWARE[1], folder.file("variables.fd"))
