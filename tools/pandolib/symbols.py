"""Names for addresses, from the symbol tables of the kernel and of the runtime."""

import bisect
import os
import subprocess

from pandolib import place

RUNTIME_BASE = 0x7F8000000000  # as in abi/layout.h, with the whole lower half above it
USER_TOP = 0x800000000000
FIRMWARE_TOP = 1 << 32  # below this and without a name, code of privilege 0 is not the kernel's
_REACH_BYTES = 1 << 16  # how far a symbol without a size reaches at most


class Symbols:
    """The symbols of an ELF file, sorted by address; none when the file has none."""

    def __init__(self, path):
        self._symbols = sorted(_read(path))
        self._addresses = [symbol[0] for symbol in self._symbols]

    def name(self, address):
        """The function that holds the address and the offset in it, or None."""
        index = bisect.bisect_right(self._addresses, address) - 1
        if index < 0:
            return None
        start, size, name = self._symbols[index]
        if address >= start + (size or _REACH_BYTES):
            return None
        return f"{name}+{address - start:#x}"


def _read(path):
    """Triples of address, size and name of the functions and labels of the file's code."""
    if not os.path.isfile(path):
        return
    listing = subprocess.run(
        ["nm", "-S", "--defined-only", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    ).stdout.decode(errors="replace")
    for line in listing.splitlines():
        fields = line.split()
        if len(fields) >= 3 and fields[-2] in "tTwW":
            yield int(fields[0], 16), int(fields[1], 16) if len(fields) == 4 else 0, fields[-1]


class AddressBook:
    """Says of an instruction pointer whose code it is in, and where."""

    def __init__(self, kernel):
        self._kernel = Symbols(kernel)
        self._runtime = Symbols(place.RUNTIME)

    def describe(self, address, privilege):
        """privilege: the processor's current privilege level; 3 is user space."""
        if privilege == 0:
            name = self._kernel.name(address)
            if not name and address < FIRMWARE_TOP:
                return f"firmware, {address:#x}"
            return f"kernel, {name or hex(address)}"
        if RUNTIME_BASE <= address < USER_TOP:
            return f"runtime, {self._runtime.name(address) or hex(address)}"
        return f"user program, {address:#x}"
