"""What each core of a machine is doing, as QEMU's monitor shows it."""

import re

from pandolib.symbols import AddressBook

_CORE = re.compile(r"^\s*CPU#(\d+)", re.MULTILINE)
_POINTER = re.compile(r"\b[RE]IP=([0-9a-fA-F]+)")
_PRIVILEGE = re.compile(r"\bCPL=([0-3])")
_HALTED = re.compile(r"\bHLT=1")


def report(monitor, kernel):
    """Lines that say where each core is. Stops the machine, so that they belong together."""
    try:
        monitor.ask("stop")
        registers = monitor.ask("human-monitor-command", **{"command-line": "info registers -a"})
    except OSError as error:
        return [f"QEMU does not tell what the cores are doing: {error}"]
    return _describe(registers, AddressBook(kernel))


def _describe(registers, addresses):
    parts = _CORE.split(registers)[1:]
    lines = []
    for core, text in zip(parts[::2], parts[1::2]):
        pointer, privilege = _POINTER.search(text), _PRIVILEGE.search(text)
        if not pointer or not privilege:
            continue
        where = addresses.describe(int(pointer[1], 16), int(privilege[1]))
        lines.append(f"core {core}: {where}{' (halted)' if _HALTED.search(text) else ''}")
    return lines
