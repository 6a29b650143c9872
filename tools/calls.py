#!/usr/bin/python3
"""calls.py [--check]: makes of abi/calls.txt, the list of the system calls, abi/calls.h,
runtime/include/pando_calls.h and the pages of docs/calls/. --check says what is stale and writes nothing; the
exit status is 1 then."""

import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = "abi/calls.txt"
LIST_HEADER, STUBS, PAGES = "abi/calls.h", "runtime/include/pando_calls.h", "docs/calls"
REGISTERS = ["rdi", "rsi", "rdx", "r10"]
CALLS_MAX = 63
REQUIRED, OPTIONAL = ("result", "rights", "errors", "consumes"), ("message", "stub")
WIDTH = 100  # of C; of pages:
PAGE_WIDTH = 108

HEAD = re.compile(r"(\d+) ([a-z_]+)\(([a-z_, ]*)\)")
MESSAGE = re.compile(r"(in|out) ((?:struct )?\w+) (\w+)(?:\[(.+)\])?")
ERROR = re.compile(r'X\((E_\w+), "([^"]+)"\)')
ANSWER = re.compile(r"\[PANDO_(\w+)\] = \w+,|\bcase PANDO_(\w+):")


class Malformed(Exception):
    """A line of the list that makes no sense."""


@dataclass
class Message:
    """What a call has in the message page: direction, type and name of an element, how many."""

    way: str
    type: str
    name: str
    count: str

    def parameter(self):
        return f"{'const ' if self.way == 'in' else ''}{self.type} *{self.name}"

    def bytes(self):
        if self.type in ("void", "char"):
            return self.count
        size = f"sizeof *{self.name}"
        return f"({self.count}) * {size}" if self.count else size


@dataclass
class Call:
    """A block of the list."""

    number: int
    name: str
    arguments: list
    fields: dict = field(default_factory=dict)
    text: list = field(default_factory=list)
    types: dict = field(default_factory=dict)

    def message(self):
        if "message" not in self.fields:
            return None
        found = MESSAGE.fullmatch(self.fields["message"])
        if not found:
            raise Malformed(f"{self.name}: message: {self.fields['message']}")
        return Message(found[1], found[2], found[3], found[4] or "")

    def errors(self):
        return [] if self.fields["errors"] == "none" else self.fields["errors"].split()

    def stub(self):
        return self.fields.get("stub", f"pando_{self.name}")

    def parameters(self):
        listed = [f"{self.types.get(argument, 'long')} {argument}" for argument in self.arguments]
        if self.message():
            listed.append(self.message().parameter())
        return ", ".join(listed) or "void"

    def prototype(self):
        return f"long {self.stub()}({self.parameters()})"


# --- reading ------------------------------------------------------------------------------------------


def _check(calls):
    for place, call in enumerate(calls):
        missing = [name for name in REQUIRED if name not in call.fields]
        if missing:
            raise Malformed(f"{call.name}: no {missing[0]}")
        if call.number != place or place >= CALLS_MAX:
            raise Malformed(f"{call.name}: number {call.number} in place {place} of at most {CALLS_MAX}")
        if len(call.arguments) > len(REGISTERS):
            raise Malformed(f"{call.name}: more than {len(REGISTERS)} arguments")
        call.message()


def parse(text):
    """The calls of the list's text. Raises Malformed."""
    calls, types = [], {}
    for line in text.splitlines():
        head = HEAD.fullmatch(line)
        if head:
            arguments = [part.strip() for part in head[3].split(",") if part.strip()]
            calls.append(Call(int(head[1]), head[2], arguments, types=types))
        elif line.startswith("types: "):
            kind, *names = line.split()[1:]
            types.update(dict.fromkeys(names, kind))
        elif line.startswith("  ") and calls:
            calls[-1].text.append(line.strip())
        elif line and not line.startswith("#"):
            name, separator, value = line.partition(": ")
            if not calls or not separator or name not in REQUIRED + OPTIONAL or name in calls[-1].fields:
                raise Malformed(line)
            calls[-1].fields[name] = value.strip()
    _check(calls)
    return calls


def read_calls(root=ROOT):
    return parse((root / LIST).read_text())


def read_errors(root=ROOT):
    """The sentence of each error, by name."""
    return dict(ERROR.findall((root / "abi/error.h").read_text()))


def answered_calls(root=ROOT):
    """Names of the calls for which the kernel's sources have an answer: the home's table, the driver's switch."""
    sources = [(root / path).read_text() for path in ("kernel/home.c", "kernel/vcore_call.c")]
    return {first or second for source in sources for first, second in ANSWER.findall(source)}


# --- C ------------------------------------------------------------------------------------------------


def list_header(calls):
    entries = [f'    X({call.number}, {call.name}, {len(call.arguments)}, "{" ".join(call.arguments)}", '
               f'"{call.fields.get("message", "")}")' for call in calls]
    width = max(map(len, entries)) + 1
    lines = ["#define SYSCALL_LIST(X)".ljust(width) + "\\"]
    lines += [entry.ljust(width) + "\\" for entry in entries[:-1]] + [entries[-1]]
    return ("/* Made by tools/calls.py of abi/calls.txt. A line each: number, name, how many arguments, their\n"
            " * names, what lies in the message page. */\n"
            "#ifndef ABI_CALLS_H\n#define ABI_CALLS_H\n\n/* clang-format off */\n"
            + "\n".join(lines) + "\n/* clang-format on */\n\n#endif\n")


def _fit(line):
    """The line, broken behind a comma where it is too long."""
    if len(line) <= WIDTH:
        return line
    cut = line.rindex(", ", 0, WIDTH) + 1
    column = line.index("{." if " = {" in line else "(") + 1
    return line[:cut] + "\n" + _fit(" " * column + line[cut:].lstrip())


def _stub(call):
    message = call.message()
    values = [f"PANDO_{call.name}"] + [f"(long){name}" if name in call.types else name
                                       for name in call.arguments]
    values += ["0"] * (len(REGISTERS) - len(call.arguments))
    lines = [f"static inline {call.prototype()}", "{"]
    if message:
        lines.append(f"    const struct pando_message page = {{.{message.way} = {message.name}, "
                     f".{message.way}_bytes = {message.bytes()}}};")
        lines.append(f"    return PANDO_TABLE.message_call({', '.join(values)}, &page);")
    else:
        lines.append(f"    return PANDO_TABLE.kernel_call({', '.join(values)});")
    return "\n".join(map(_fit, lines + ["}"]))


def stubs_header(calls):
    return ("/* Made by tools/calls.py of abi/calls.txt: a function for each system call. docs/calls/ says what\n"
            " * each does. Any uthread may call them. Result: as the page says, or a negative error.\n"
            " * What a call has in the message page is a pointer here, to anywhere in the program's memory; what\n"
            " * comes out is written after a success alone. */\n"
            "#ifndef PANDO_CALLS_H\n#define PANDO_CALLS_H\n\n#include \"pando.h\"\n\n/* clang-format off */\n\n"
            + "\n\n".join(map(_stub, calls)) + "\n\n/* clang-format on */\n\n#endif\n")


# --- pages --------------------------------------------------------------------------------------------


def _wrap(text, indent=""):
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > PAGE_WIDTH - len(indent):
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    return "\n".join(indent + part for part in lines + [line])


def _sentence(text):
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _registers(call):
    given = [f"`rax` = {call.number}"]
    given += [f"`{register}` = {name}" for register, name in zip(REGISTERS, call.arguments)]
    return ", ".join(given)


def page(call, errors):
    parts = [f"# {call.name}", _fit(f"    {call.prototype()};")]
    parts.append(_wrap(f"System call {call.number}: {_registers(call)}; the result in `rax`."))
    message = call.message()
    if message:
        what = "takes" if message.way == "in" else "leaves"
        size = f"{message.bytes()} bytes" if message.type in ("void", "char") else \
            f"`{message.type}`" + (f", {message.count} of them" if message.count else "")
        parts.append(_wrap(f"Message page: the kernel {what} {message.name} there ({size})."))
    if call.text:
        parts.append(_wrap(" ".join(call.text)))
    for title in ("result", "rights"):
        parts.append(f"**{title.capitalize()}**: {call.fields[title]}.")
    parts.append(f"**A failure consumes**: {call.fields['consumes']}.")
    if call.errors():
        rows = [f"| {name} | {errors[name]} |" for name in call.errors()]
        parts.append("\n".join(["| error | means |", "|---|---|"] + rows))
    else:
        parts.append("**Errors**: none of its own.")
    return "\n\n".join(parts) + "\n"


def index(calls, errors):
    rows = [f"| {call.number} | [{call.name}]({call.name}.md)({', '.join(call.arguments)}) | "
            f"{call.fields['result']} |" for call in calls]
    common = "\n".join(f"| {name} | {errors[name]} |" for name in ("E_NO_CALL", "E_FILTERED", "E_GONE", "E_LIMIT"))
    return ("# System calls\n\n"
            + _wrap("Made by `tools/calls.py` of `abi/calls.txt`, the one list; a test holds these pages, "
                    "`abi/calls.h` and the functions of `runtime/include/pando_calls.h` to it. A call is made with the "
                    "`syscall` instruction in vcore context; the same instruction in uthread context is reflected to the "
                    "runtime ([vcore](../vcore.md)). Number in `rax`, arguments in `rdi`, `rsi`, `rdx`, `r10`; the "
                    "result is in `rax`, and a negative one is an error of `abi/error.h`. `rcx` and `r11` are lost.")
            + "\n\n| number | call | result |\n|---:|---|---|\n" + "\n".join(rows)
            + "\n\nBeside its own errors any call can give these. E_LIMIT: too many requests of the core are under way; the call\n"
              "has not begun. E_GONE: the process is ending.\n\n| error | means |\n|---|---|\n" + common + "\n")


# --- files --------------------------------------------------------------------------------------------


def made_files(root=ROOT):
    """What each made file must hold, by path."""
    calls, errors = read_calls(root), read_errors(root)
    files = {LIST_HEADER: list_header(calls), STUBS: stubs_header(calls), f"{PAGES}/README.md": index(calls, errors)}
    files.update({f"{PAGES}/{call.name}.md": page(call, errors) for call in calls})
    return files


def stale_files(root=ROOT):
    """Paths that do not hold what they must, and pages of calls that are gone."""
    files = made_files(root)
    there = {str(path.relative_to(root)) for path in (root / PAGES).glob("*")}
    wrong = [path for path, text in files.items()
             if not (root / path).exists() or (root / path).read_text() != text]
    return sorted(wrong + list(there - set(files)))


def write_files(root=ROOT):
    files = made_files(root)
    for path in stale_files(root):
        if path in files:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(files[path])
        else:
            (root / path).unlink()


def main(arguments):
    try:
        if arguments == ["--check"]:
            stale = stale_files()
            print("".join(f"{path} is stale: run tools/calls.py\n" for path in stale), end="")
            return 1 if stale else 0
        write_files()
        return 0
    except (Malformed, KeyError) as error:
        print(f"{LIST}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
