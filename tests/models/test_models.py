"""Checks each Promela model exhaustively, and that each of its deliberately broken variants fails.

A check is a set of -D's for the model. SAFETY looks for failed assertions and for kernels that halt
for ever; PROGRESS for messages that go round for ever without anything being handled."""
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MEMORY_MB = 2000
SMALL = ("process", "multicast")  # would be compiled for longer than they run

SAFETY, PROGRESS = "-DSAFETY", "-DNP"

# name: model, -D's, what is looked for
CHECKS = {
    "channel-both-ways": ("channel", "-DSEND_0=4 -DSEND_1=2", SAFETY),
    "channel-one-way": ("channel", "-DSEND_0=8 -DSEND_1=0", SAFETY),
    "channel-windows": ("channel", "-DPOLLING -DSEND_0=4 -DSEND_1=4", SAFETY),
    "channel-backlog": ("channel", "-DPOLLING -DSEND_0=3 -DSEND_1=6", SAFETY),
    "channel-wrap": ("channel", "-DPOLLING -DSEND_0=13 -DSEND_1=1", SAFETY),
    "mailbox-halts": ("mailbox", "-DHALTS -DPOSTS=3", SAFETY),
    "mailbox-busy": ("mailbox", "-DBUSY -DPOSTS=5", SAFETY),
    "mailbox-waits": ("mailbox", "-DWAITS -DPOSTS=8", SAFETY),
    "mailbox-handover": ("mailbox", "-DHANDOVER -DPOSTS=8", SAFETY),
    "channel-progress": ("channel", "-DPOLLING -DSEND_0=4 -DSEND_1=4", PROGRESS),
    "multicast": ("multicast", "", SAFETY),
    "process": ("process", "-DCALLS=5 -DEVENTS=1 -DKILLS=0", SAFETY),
    "process-events": ("process", "-DCALLS=4 -DEVENTS=2 -DKILLS=0", SAFETY),
    "process-kill": ("process", "-DCALLS=4 -DEVENTS=1 -DKILLS=1", SAFETY),
    "process-abort": ("process", "-DCALLS=3 -DEVENTS=1 -DKILLS=2", SAFETY),
}

# variant: the check that it must fail, and how
BROKEN = {
    "SENDER_FENCE": ("channel-both-ways", "invalid end state"),
    "RECEIVER_FENCE": ("channel-both-ways", "invalid end state"),
    "SECOND_LOOK": ("channel-both-ways", "invalid end state"),
    "FLUSH": ("channel-both-ways", "invalid end state|assertion violated"),
    "SEQUENCE": ("channel-wrap", "assertion violated"),
    "NO_ACK": ("channel-one-way", "invalid end state"),
    "WINDOW": ("channel-one-way", "assertion violated"),
    "ORDER": ("channel-one-way", "assertion violated"),
    "ACK_SLOT": ("channel-windows", "assertion violated"),
    "LEARN": ("channel-backlog", "invalid end state|assertion violated"),
    "ACK_ACK": ("channel-progress", "non-progress cycle"),
    "EARLY": ("multicast", "assertion violated"),
    "UNREACHED": ("multicast", "assertion violated"),
    "FIRST": ("multicast", "assertion violated"),
    "WHOLE": ("multicast", "assertion violated"),
    "FULL": ("mailbox-halts", "assertion violated"),
    "PUBLISH": ("mailbox-halts", "assertion violated"),
    "BOTH": ("mailbox-busy", "assertion violated"),
    "TAKEN": ("mailbox-halts", "assertion violated"),
    "POST": ("mailbox-busy", "invalid end state"),
    "IDLE": ("mailbox-busy", "invalid end state"),
    "LAST_LOOK": ("mailbox-busy", "invalid end state"),
    "HALT": ("mailbox-busy", "invalid end state"),
    "PENDING": ("mailbox-halts", "invalid end state"),
    "OTHERS": ("mailbox-busy", "invalid end state"),
    "AGAIN": ("mailbox-busy", "invalid end state"),
    "YIELD": ("mailbox-waits", "invalid end state"),
    "WAKE": ("mailbox-waits", "invalid end state"),
    "CLEAR": ("mailbox-waits", "invalid end state"),
    "POSITION": ("mailbox-handover", "assertion violated"),
    "TWO": ("mailbox-handover", "assertion violated"),
    "ANSWER_FIRST": ("process", "assertion violated"),
    "WANTS_OPEN": ("process-kill", "assertion violated"),
    "FIRST_GRANT": ("process-kill", "assertion violated"),
    "EARLY_RESUME": ("process", "assertion violated"),
    "YIELD_BLIND": ("process", "assertion violated"),
    "STALE_GRANT": ("process", "assertion violated"),
    "NOT_KEPT": ("process-events", "assertion violated"),
}


def run(command, folder, timeout):
    return subprocess.run(command, cwd=folder, text=True, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def verify(name, model, defines, goal):
    """Generates, builds and runs the verifier; returns what it printed."""
    folder = ROOT / "build/tests/models" / name
    folder.mkdir(parents=True, exist_ok=True)
    reduction = ["-DCOLLAPSE"] if goal == SAFETY else []
    optimised = "-O0" if model in SMALL or "-DBROKEN_" in defines else "-O2"
    for command in (["spin", "-a", *defines.split(), ROOT / f"tests/models/{model}.pml"],
                    ["cc", optimised, "-w", goal, *reduction, f"-DMEMLIM={MEMORY_MB}",
                     "-DVECTORSZ=2048", "-o", "pan", "pan.c"]):
        done = run(command, folder, 120)
        assert done.returncode == 0, done.stdout
    loops = ["-l"] if goal == PROGRESS else []
    return run(["./pan", "-m100000", "-w22", *loops], folder, 180).stdout


@pytest.mark.parametrize("name", CHECKS)
def test_model(name):
    model, defines, goal = CHECKS[name]
    printed = verify(name, model, defines, goal)
    assert re.search(r"errors: 0\n", printed), printed
    assert "Search not completed" not in printed, printed
    assert "max search depth too small" not in printed, printed


@pytest.mark.parametrize("variant", BROKEN)
def test_broken_variant_fails(variant):
    check, how = BROKEN[variant]
    model, defines, goal = CHECKS[check]
    printed = verify("broken-" + variant, model, f"{defines} -DBROKEN_{variant}", goal)
    assert re.search(r"errors: 1\n", printed), printed
    assert re.search(r"pan:\d+: (" + how + ")", printed), printed
