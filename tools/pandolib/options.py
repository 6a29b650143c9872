"""The command lines of run, debug and image."""

import getopt
import os
import re
import sys

from pandolib import place
from pandolib.failure import Failure

MEMORY_LEAST_MIB = 7  # the image ends at 6 MiB, and a boot loader needs some beside it

CORES_MAX = 255
ARGS_MAX = 4096
ARGS_MAX_BYTES = 65536  # ARGS_MAX_BYTES of abi/layout.h: with the NUL that ends each

RUN_OPTIONS = [
    "cores=", "memory=", "file=", "timeout=", "icount", "verbose", "help",
    "boot=", "probe", "kernel=", "kernel-option=", "qemu-option=", "program=", "archive=",
    "no-archive", "plugin=", "no-build", "run-folder=",
]  # fmt: skip
DEBUG_OPTIONS = RUN_OPTIONS + ["batch="]
IMAGE_OPTIONS = [
    "output=",
    "file=",
    "help",
    "probe",
    "kernel=",
    "kernel-option=",
    "program=",
    "no-build",
]


class Options:
    """What a command line asks for, checked. Absent files are refused when they are read."""

    def __init__(self):
        self.cores = 4
        self.memory_mib = 512
        self.files = []  # pairs of bytes: host path, guest name
        self.timeout_s = None  # None: not given; 0: none
        self.icount = False
        self.verbose = False
        self.argv = []  # the program and its arguments, bytes
        self.output = None
        self.boot = "direct"
        self.probe = False
        self.kernel = None
        self.kernel_options = []
        self.qemu_options = []
        self.programs = []
        self.archive = None
        self.with_archive = True
        self.plugin = None
        self.build = True
        self.run_folder = None
        self.batch = None

    def kernel_file(self):
        if self.kernel:
            return self.kernel
        return place.PROBE_KERNEL if self.probe else place.KERNEL


def parse(command, arguments):
    """The options of `pando COMMAND ARGUMENTS`; --help is answered here and ends the command."""
    short, long = {
        "run": ("c:m:vh", RUN_OPTIONS),
        "debug": ("c:m:vh", DEBUG_OPTIONS),
        "image": ("o:h", IMAGE_OPTIONS),
    }[command]
    try:
        pairs, rest = getopt.getopt(arguments, short, long)
    except getopt.GetoptError as error:
        raise Failure(f"{error.msg}; see ./pando {command} --help") from None
    options = Options()
    for name, value in pairs:
        if name in ("-h", "--help"):
            place.print_help(command)
            sys.exit(0)
        _set(options, name, value)
    options.argv = [os.fsencode(argument) for argument in rest]
    _check(command, options)
    return options


def _set(options, name, value):
    if name in ("-c", "--cores"):
        options.cores = _cores(value)
    elif name in ("-m", "--memory"):
        options.memory_mib = _memory_mib(value)
    elif name == "--file":
        options.files.append(_file(value))
    elif name == "--timeout":
        options.timeout_s = _seconds(value)
    elif name == "--boot":
        if value not in ("direct", "bios", "uefi"):
            raise Failure(f"--boot is direct, bios or uefi, not '{value}'")
        options.boot = value
    elif name in ("--kernel-option", "--qemu-option", "--program"):
        getattr(options, name[2:].replace("-", "_") + "s").append(value)
    elif name in ("-o", "--output"):
        options.output = value
    elif name in ("-v", "--verbose"):
        options.verbose = True
    elif name in ("--icount", "--probe"):
        setattr(options, name[2:], True)
    elif name == "--no-archive":
        options.with_archive = False
    elif name == "--no-build":
        options.build = False
    else:  # --kernel, --archive, --plugin, --run-folder, --batch
        setattr(options, name[2:].replace("-", "_"), value)


def _cores(text):
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= CORES_MAX:
        raise Failure(f"the number of cores is 1 to {CORES_MAX}, not '{text}'")
    return int(text)


def _memory_mib(text):
    match = re.fullmatch(r"([0-9]{1,9})([MmGg]?)", text, re.ASCII)
    mib = int(match[1]) * (1024 if match[2] in ("G", "g") else 1) if match else 0
    if mib < 1:
        raise Failure(f"memory is a number of MiB, or a number with M or G, not '{text}'")
    if mib < MEMORY_LEAST_MIB:
        raise Failure(f"{mib} MiB of memory do not hold the kernel's image: at least {MEMORY_LEAST_MIB} do")
    return mib


def _seconds(text):
    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text, re.ASCII):
        raise Failure(f"the time-out is a number of seconds, not '{text}'")
    return float(text)


def _file(text):
    host, separator, guest = os.fsencode(text).rpartition(b"=")
    if not separator:
        host, guest = guest, os.path.basename(guest)
    if not host:
        raise Failure(f"--file is HOST or HOST=GUEST, not '{text}'")
    return host, guest


def _check(command, options):
    if command == "image" and not options.output:
        raise Failure("say which file to write: -o FILE.iso")
    if not options.with_archive and options.archive:
        raise Failure("--archive and --no-archive exclude one another")
    own_archive = options.with_archive and not options.archive
    if own_archive and not options.argv:
        raise Failure(f"say which PROGRAM to run; see ./pando {command} --help")
    if not own_archive and (options.files or options.programs):
        raise Failure("--file and --program need an archive to put the files in")
    _check_arguments(options.argv)


def _check_arguments(argv):
    if argv and not argv[0]:
        raise Failure("the name of the program is empty")
    if len(argv) > ARGS_MAX:
        raise Failure(f"there are {len(argv)} arguments, and the most is {ARGS_MAX}")
    size = sum(len(argument) + 1 for argument in argv)
    if size > ARGS_MAX_BYTES:
        raise Failure(f"the arguments take {size} bytes, and the most is {ARGS_MAX_BYTES}")
