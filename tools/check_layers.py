#!/usr/bin/python3
"""check_layers.py [--kernel ELF] [ROOT]: holds the sources against the rules of the layers.

- Includes point down only; a port is known to the portable kernel by arch/arch.h alone.
- Portable code has neither conditionals on a processor nor assembly.
- In the kernel, atomics, locks and fences are in kernel/shared/ and nowhere else.
- The kernel's code never opens user memory to itself (stac).

Prints a line for each violation; the exit status is 1 when there are any."""

import os
import re
import subprocess
import sys

# A file belongs to the first layer whose prefix its path has, and may include the layers named.
PORT_KERNEL = ("arch/x86_64/boot/", "arch/x86_64/kernel/")
PROGRAM = ("abi/", "runtime/include/")
LAYERS = [
    ("abi/", ("abi/",)),
    ("lib/", ("abi/", "lib/")),
    ("arch/arch.h", ("kernel/boot.h",)),
    ("arch/x86_64/boot/", ("abi/", "lib/", "arch/arch.h", "kernel/", *PORT_KERNEL)),
    ("arch/x86_64/kernel/", ("abi/", "lib/", "arch/arch.h", "kernel/", *PORT_KERNEL)),
    ("arch/x86_64/user/", ("abi/", "lib/", "arch/x86_64/user/")),
    ("kernel/", ("abi/", "lib/", "arch/arch.h", "kernel/")),
    ("runtime/", ("abi/", "lib/", "arch/x86_64/user/", "runtime/")),
    ("personality/", ("abi/", "lib/", "runtime/", "personality/")),
    ("services/", ("lib/", *PROGRAM, "services/")),
    ("bin/", (*PROGRAM, "bin/")),
    ("bench/programs/", (*PROGRAM, "bin/", "bench/programs/")),
    ("bench/", ("abi/", "lib/", "kernel/", "bench/")),
]
INCLUDE_FOLDERS = ("", "runtime/include/", "arch/x86_64/")
KERNEL = ("kernel/", "arch/")
NOT_KERNEL = ("kernel/shared/", "arch/x86_64/user/")
PORTABLE = ("abi/", "lib/", "kernel/", "runtime/", "personality/", "services/", "arch/arch.h")

# (file, pattern's name): why this one is right.
EXCEPTIONS = {
    ("arch/x86_64/kernel/apic.c", "fence"): "an x2APIC register is written by wrmsr, which does not wait for stores",
    ("lib/string.c", "assembly"): "copying and clearing by the processor's own string instructions",
}

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
CONDITIONAL = re.compile(r"^\s*#\s*(?:el)?if.*\b(?:__?(?:x86_64|amd64|i[3-6]86|aarch64|arm|riscv\w*|powerpc\w*)|X86_?\w*|ARCH_(?!H\b)\w+)")
ASSEMBLY = re.compile(r"\b(?:__asm__|asm|__builtin_ia32_(?!pause)\w+)\b")
SHARING = {
    "atomic": re.compile(r"__atomic_|__sync_|\b_Atomic\b|\batomic_\w|stdatomic"),
    "lock": re.compile(r"\bspin_(?:un)?lock|\bstruct spin_lock|kernel/shared/lock\.h|\bx?cmpxchg|\bxchg|\bxadd"
                       r'|(?:^|"|\\[nt]|;)\s*lock(?:\s*;|\s+(?:\\n|[a-z]+[bwlq]?\s+[$%(\w]))'),
    "fence": re.compile(r"\b[mls]fence\b|__builtin_ia32_[mls]fence"),
}  # fmt: skip
STRING = re.compile(r'"(?:\\.|[^"\\])*"')


def without_comments(text):
    """The text with comments blanked, line for line."""
    pattern = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
    return pattern.sub(lambda m: m[0] if m[0][0] == '"' else re.sub(r"[^\n]", " ", m[0]), text)


def sources(root):
    """Paths, relative to root, of all C and assembly files of the layers."""
    tops = sorted({prefix.split("/")[0] for prefix, _ in LAYERS})
    for top in tops:
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".S")):
                    yield os.path.relpath(os.path.join(folder, name), root)


def included(root, path, name):
    """The path of what is included, relative to root; None when it is not of this tree."""
    for folder in (os.path.dirname(path) + "/", *INCLUDE_FOLDERS):
        candidate = os.path.normpath(folder + name)
        if os.path.isfile(os.path.join(root, candidate)):
            return candidate
    return None


def allowed_layers(path):
    for prefix, allowed in LAYERS:
        if path.startswith(prefix):
            return allowed
    return None


def check_include(root, path, name):
    allowed = allowed_layers(path)
    target = included(root, path, name)
    if allowed is None:
        return "the file belongs to no layer"
    if target is None:
        return f'"{name}" is in none of the folders for includes'
    if not target.startswith(allowed):
        return f"includes {target}, which is not below it"
    return None


def outside_strings(line):
    return STRING.sub('""', line)


def check_line(path, line):
    """Names and sentences of what is wrong with a line that is no include."""
    if path.startswith(PORTABLE):
        if CONDITIONAL.search(line):
            yield "conditional", "a conditional on the processor in portable code"
        if ASSEMBLY.search(outside_strings(line)):
            yield "assembly", "assembly in portable code"
    if path.startswith(KERNEL) and not path.startswith(NOT_KERNEL):
        for name, pattern in SHARING.items():
            if pattern.search(line):
                yield name, f"{name} outside of kernel/shared/"


def check_file(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as file:
        text = without_comments(file.read())
    for number, line in enumerate(text.splitlines(), 1):
        include = INCLUDE.match(line)
        if include:
            wrong = check_include(root, path, include[1])
            if wrong:
                yield f"{path}:{number}: {wrong}"
        for name, sentence in check_line(path, line):
            if (path, name) not in EXCEPTIONS:
                yield f"{path}:{number}: {sentence}: {line.strip()}"


def check_sources(root):
    return [violation for path in sources(root) for violation in check_file(root, path)]


def check_kernel(elf):
    """The kernel's code must have no instruction that lets it reach user memory."""
    command = ["objdump", "-d", "--no-show-raw-insn", elf]
    listing = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout
    return [f"{elf}: {line.strip()}" for line in listing.splitlines() if re.search(r":\s+stac\b", line)]


def main(arguments):
    violations = []
    if arguments[:1] == ["--kernel"]:
        violations += check_kernel(arguments[1])
        arguments = arguments[2:]
    root = arguments[0] if arguments else os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    violations += check_sources(root)
    for violation in violations:
        print(violation)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
