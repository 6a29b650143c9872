#!/usr/bin/python3
"""shared_objects.py KERNEL [ALLOWED]: the objects that all kernels share, with their sizes, and the total.

ALLOWED lists what may be shared, a line each: name, most bytes, reason. With it, whatever is not in the list,
is larger, or is in the list and not in the kernel is said, and the exit status is 1."""

import re
import subprocess
import sys

SECTION = ".shared"
# address, flags, section, size, name, as objdump -t has them
SYMBOL = re.compile(r"^[0-9a-f]+ .{7} (\S+)\t([0-9a-f]+) (?:\.hidden )?(\S+)$")


def shared_objects(kernel):
    """Names and sizes of the objects in the shared section, the largest first."""
    listing = subprocess.run(["objdump", "-t", kernel], stdout=subprocess.PIPE, check=True, text=True).stdout
    found = []
    for line in listing.splitlines():
        symbol = SYMBOL.match(line)
        if symbol and symbol[1] == SECTION and int(symbol[2], 16):
            found.append((symbol[3], int(symbol[2], 16)))
    return sorted(found, key=lambda entry: (-entry[1], entry[0]))


def section_bytes(kernel):
    listing = subprocess.run(["objdump", "-h", kernel], stdout=subprocess.PIPE, check=True, text=True).stdout
    size = re.search(rf"^\s*\d+ {re.escape(SECTION)}\s+([0-9a-f]+)", listing, re.MULTILINE)
    return int(size[1], 16) if size else 0


def read_allowed(path):
    """Pairs of most bytes and reason, by name. Refuses a line without a reason."""
    allowed = {}
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip() or line.startswith("#"):
                continue
            fields = line.split(None, 2)
            if len(fields) != 3 or not fields[1].isdigit() or fields[0] in allowed:
                raise ValueError(f"{path}:{number}: a line is: name, most bytes, reason")
            allowed[fields[0]] = (int(fields[1]), fields[2].strip())
    return allowed


def compare(objects, allowed):
    """What is wrong, a sentence each. Static objects of one name count as one."""
    wrong = []
    for name, size in objects:
        name = re.sub(r"\.\d+$", "", name)
        if name not in allowed:
            wrong.append(f"{name} ({size} bytes) is shared and not in the list")
        elif size > allowed[name][0]:
            wrong.append(f"{name} has {size} bytes; the list allows {allowed[name][0]}")
    names = {re.sub(r"\.\d+$", "", name) for name, _ in objects}
    wrong += [f"{name} is in the list and not shared" for name in allowed if name not in names]
    return wrong


def main(arguments):
    if not 1 <= len(arguments) <= 2:
        print(__doc__, file=sys.stderr)
        return 125
    objects = shared_objects(arguments[0])
    for name, size in objects:
        print(f"{name} {size}")
    print(f"total {sum(size for _, size in objects)}")
    wrong = compare(objects, read_allowed(arguments[1])) if len(arguments) == 2 else []
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
