"""Processes: how they end, what they are told, what they may do with memory and cores, and that nothing they
do reaches another process or a kernel."""

import re

import pytest

from conftest import STATUS_FAULT

FAULT = re.compile(r"^\[0\] process (?P<pid>\d+) \((?P<name>\S+)\) vcore (?P<vcore>\d+) core (?P<core>\d+): (?P<what>.*)$",
                   re.MULTILINE)
PAGE_FAULT = re.compile(r"(?P<access>read|write|execution) of (?P<address>[0-9a-f]+) by the instruction at "
                        r"(?P<instruction>[0-9a-f]+): (?P<why>.*)")

NOTHING_THERE = "nothing is mapped there"
NOT_PERMITTED = "the access is not permitted there"
NOT_ITS_OWN = "the address is not the process's"

# What a program does; the access, and why it is refused.
MEMORY_FAULTS = {
    "null-read": ("read", NOTHING_THERE),
    "null-write": ("write", NOTHING_THERE),
    "write-read-only": ("write", NOT_PERMITTED),
    "write-text": ("write", NOT_PERMITTED),
    "write-procinfo": ("write", "(" + NOT_PERMITTED + "|" + NOTHING_THERE + ")"),
    "write-runtime": ("write", "(" + NOT_PERMITTED + "|" + NOTHING_THERE + ")"),
    "write-archive": ("write", NOT_PERMITTED),
    "read-kernel": ("read", NOT_ITS_OWN),
    "write-private": ("write", NOT_ITS_OWN),
    "read-direct": ("read", NOT_ITS_OWN),
    "read-last-page": ("read", NOT_ITS_OWN),
    "execute-data": ("execution", NOT_PERMITTED),
    "execute-last-page": ("execution", NOT_ITS_OWN),
    "execute-kernel": ("execution", NOT_ITS_OWN),
    "execute-null": ("execution", NOTHING_THERE),
}
EXCEPTIONS = {
    "read-non-canonical": "general protection fault",
    "execute-non-canonical": "general protection fault",
    "divide": "divide error",
    "invalid": "invalid instruction",
    "halt": "general protection fault",
    "interrupts-off": "general protection fault",
    "control-register": "general protection fault",
    "port": "general protection fault",
    "store-idt": "general protection fault",
    "breakpoint": "(breakpoint|general protection fault)",
    "interrupt": "general protection fault",
    "page-fault-vector": "general protection fault",
    "doorbell-vector": "general protection fault",
    "single-step": "debug exception",
    "x87": "x87 error",
}
PROCDATA_FAULTS = ["entry-last-page", "entry-kernel", "entry-non-canonical", "entry-unmapped", "stack-kernel",
                   "stack-non-canonical", "stack-unmapped"]


def expect_ok(result, output="ok\n"):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == output


def expect_fault(result, name, vcore=0, many=False):
    """The process ended, and one line says whose fault it was. Returns what it was."""
    assert result.status == STATUS_FAULT, result.stderr.decode() + result.log
    lines = list(FAULT.finditer(result.log))
    assert len(lines) == 1, result.log
    assert (lines[0]["name"], int(lines[0]["vcore"])) == (name, vcore)
    assert (int(lines[0]["core"]) != 0) == many
    return lines[0]["what"]


# --- ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 77, 255])
def test_exit_status(run, status):
    result = run("ends", "exit", status, cores=2)
    assert (result.status, result.stdout, result.stderr) == (status, b"", b"")


def pattern(size, factor):
    return bytes((at * factor + (at >> 8)) & 255 for at in range(size))


@pytest.mark.parametrize("size, vcores", [(0, []), (1, []), (1 << 20, []), (1 << 20, [3]), (70000, [1])])
def test_output_is_byte_exact(run, size, vcores):
    result = run("stream", size, *vcores)
    assert result.status == 0
    assert result.stdout == pattern(size, 1)
    assert result.stderr == pattern(size, 7)


@pytest.mark.parametrize("place", [[], [2, 3]], ids=["single", "many-core"])
@pytest.mark.parametrize("kind", MEMORY_FAULTS)
def test_memory_fault(run, kind, place):
    access, why = MEMORY_FAULTS[kind]
    result = run("ends", kind, *place)
    what = PAGE_FAULT.fullmatch(expect_fault(result, "ends", *place[:1], many=bool(place)))
    address = re.fullmatch(r"at ([0-9a-f]+)\n", result.text())[1]
    assert (what["access"], what["address"]) == (access, address)
    assert re.fullmatch(why, what["why"])
    if access == "execution":
        assert what["instruction"] == address
    else:
        assert 0x400000 <= int(what["instruction"], 16) < 0x500000


@pytest.mark.parametrize("place", [[], [2, 3]], ids=["single", "many-core"])
@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_exception(run, kind, place):
    what = expect_fault(run("ends", kind, *place), "ends", *place[:1], many=bool(place))
    assert re.fullmatch(EXCEPTIONS[kind] + " by the instruction at [0-9a-f]+", what)


@pytest.mark.parametrize("place", [[], [1, 3]], ids=["single", "many-core"])
@pytest.mark.parametrize("kind", PROCDATA_FAULTS)
def test_damaged_procdata(run, kind, place):
    what = expect_fault(run("ends", kind, *place), "ends", *place[:1], many=bool(place))
    assert PAGE_FAULT.fullmatch(what)


@pytest.mark.parametrize("kind", ["null-read", "invalid", "execute-kernel", "entry-kernel", "stack-unmapped"])
def test_fault_hurts_nobody_else(run, kind):
    result = run("family", "beside", kind, cores=2)
    assert result.status == 0, result.stderr
    assert result.lines()[-1] == "ok"
    assert len(FAULT.findall(result.log)) == 1


# --- memory -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [[], ["on", 3]], ids=["single", "many-core"])
@pytest.mark.parametrize("test", ["errors", "overlaps", "pieces", "reserve", "zero", "slots"])
def test_memory(run, test, place):
    expect_ok(run("memory", test, *place))


@pytest.mark.parametrize("place", [[], ["on", 3]], ids=["single", "many-core"])
def test_memory_exhausted(run, place):
    expect_ok(run("memory", "exhaust", *place, memory=64))


def test_memory_touched_that_is_not_there(run):
    what = expect_fault(run("memory", "touch", memory=64), "memory")
    assert PAGE_FAULT.fullmatch(what)["why"] == "out of memory"


def test_memory_exhausted_by_another(run):
    expect_ok(run("family", "exhausted", cores=2, memory=64), "ok\nok\n")


@pytest.mark.parametrize("what, access, why", [
    ("write", "write", NOT_PERMITTED),
    ("execute", "execution", NOT_PERMITTED),
    ("read", "read", NOT_PERMITTED),
    ("unmapped", "read", NOTHING_THERE),
])
def test_memory_taken_away(run, what, access, why):
    fault = PAGE_FAULT.fullmatch(expect_fault(run("memory", what, cores=2), "memory"))
    assert (fault["access"], fault["address"], fault["why"]) == (access, "200000000000", why)


def test_memory_made_executable(run):
    assert run("memory", "permitted", cores=2).status == 0


@pytest.mark.parametrize("cores", [3, 4, 8])
@pytest.mark.parametrize("call", ["protect", "unmap"])
def test_no_stale_translation_survives(run, call, cores):
    result = run("stale", call, cores - 1, cores=cores)
    assert result.status == STATUS_FAULT, result.stderr.decode() + result.log
    assert "write of 2000000" in FAULT.search(result.log)["what"]


# --- other processes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("test", ["statuses", "kill", "turns"])
@pytest.mark.parametrize("cores", [1, 2, 4])
def test_children(run, test, cores):
    result = run("family", test, cores=cores)
    assert result.status == 0, result.stderr
    assert result.lines()[-1] == "ok"


def test_child_call_errors(run):
    result = run("family", "errors", cores=2)
    assert result.status == 0, result.stderr
    assert b"no such program in the boot archive" in result.stderr


def test_second_waiter_is_refused(run):
    assert run("family", "two-waiters").lines()[-1] == "ok"


@pytest.mark.parametrize("cores", [2, 4, 8])
def test_killed_process_gives_its_cores_back(run, cores):
    result = run("family", "cores", cores=cores)
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.lines()[-1] == "ok"
    assert result.lines().count(f"gathered {cores - 1}") == 5


def test_process_that_ends_amid_changes_of_memory(run):
    expect_ok(run("family", "churn", 40))


def private_frames(result):
    return [int(count) for count in re.findall(r"kernel \d+ owns \d+ frames: (\d+) private", result.log)]


def test_many_processes_leave_nothing_behind(run):
    few, many = (run("family", "many", count, cores=2) for count in (60, 160))
    expect_ok(few)
    expect_ok(many)
    assert private_frames(few) == private_frames(many)


@pytest.mark.parametrize("cores", [1, 2])
def test_processes_share_the_management_core(run, cores):
    expect_ok(run("family", "at-once", 20, cores=cores))


@pytest.mark.slow
def test_more_processes_than_there_is_memory_for(run):
    expect_ok(run("family", "crowd", cores=2, memory=64))


# --- cores --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores, vcores", [(1, 1), (2, 1), (4, 3), (8, 7), (8, 5)])
def test_cores(run, cores, vcores):
    expect_ok(run("cores", vcores, cores=cores))


# --- anything at all ----------------------------------------------------------------------------------


@pytest.mark.parametrize("cores, seed", [(1, 1), (2, 2), (4, 3), (4, 4), (8, 5),
                                         pytest.param(64, 6, marks=pytest.mark.slow)])
def test_random_calls(run, cores, seed):
    expect_ok(run("random", "calls", seed, max(1, cores - 1), 12000 // cores, cores=cores))


@pytest.mark.parametrize("cores", [1, 4])
def test_wild_processes(run, cores):
    result = run("family", "wild", 25, cores=cores)
    assert result.status == 0, result.stderr
    assert result.lines()[-1] == "ok"
