"""The control port: what the kernel tells the command, a line each.

    exit N          the program ended with status N
    stop SENTENCE   the kernel could not start or go on, in an orderly way
    panic CORE      the kernel of that core panicked; its report is in the log

A panic outranks a stop, and a stop an exit; of two of a kind the later counts."""

import re

EXIT, STOP, PANIC = range(3)

_LINES = (
    (EXIT, re.compile(r"exit ([0-9]{1,3})")),
    (STOP, re.compile(r"stop (.+)")),
    (PANIC, re.compile(r"panic ([0-9]+)")),
)


class Word:
    """One line of the control port: its kind and its argument (int, str, int)."""

    def __init__(self, kind, argument):
        self.kind = kind
        self.argument = argument


def last_word(path):
    """The line that counts, or None. A line without its end is not there yet."""
    with open(path, "rb") as file:
        lines = file.read().decode(errors="replace").replace("\r", "").split("\n")[:-1]
    best = None
    for line in lines:
        word = _parse(line)
        if word and (best is None or word.kind >= best.kind):
            best = word
    return best


def _parse(line):
    for kind, pattern in _LINES:
        match = pattern.fullmatch(line)
        if match and kind == STOP:
            return Word(kind, match[1])
        if match and (kind == PANIC or int(match[1]) <= 255):
            return Word(kind, int(match[1]))
    return None
