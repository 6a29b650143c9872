"""The runtime: calls of many vcores at once, halting, futexes, memory and file calls, guard pages, ends, and
programs that cannot be run."""

import re
import struct
import time

import pytest

from conftest import BUILD, STATUS_FAULT

PATIENCE_S = 20
LINE_LETTERS, LINES_EACH, LINE_BYTES = 20, 10, 6000
MESSAGE_LETTERS, MESSAGES_EACH, MESSAGE_BYTES = 12, 20, 3000
STATUS_NOT_LOADABLE = 126
FIRST_STATUS = 10


def expect_ok(result):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == "ok\n"


@pytest.mark.parametrize("cores", [2, 8])
def test_unmapping_what_is_not_mapped(run, cores):
    expect_ok(run("hammer", cores - 1, 300, cores=cores))


# --- halting ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [3, 4])
def test_halt_waits_for_a_notification(run, cores):
    expect_ok(run("halts", "wait", cores=cores, timeout=60))


@pytest.mark.parametrize("cores", [3, 4])
def test_idle_vcores_halt(machine, cores):
    running = machine("halts", "idle", cores - 1, cores=cores)
    running.await_output(b"\n")
    busy = int(re.fullmatch(r"idle on (\d+)\n", running.file("stdout").read_text())[1])
    wanted = {core: core != busy for core in range(cores)}
    end = time.monotonic() + PATIENCE_S
    halted = {}
    while halted != wanted and time.monotonic() < end:
        running.ask("stop")
        halted = {core: "HLT=1" in running.monitor("info registers", core) for core in range(cores)}
        running.ask("cont")
    assert halted == wanted


# --- futexes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["turns", "lock"])
@pytest.mark.parametrize("cores", [1, 2, 4])
def test_futex(run, what, cores):
    expect_ok(run("futexes", what, max(1, cores - 1), cores=cores))


@pytest.mark.parametrize("what", ["count", "values", "timed"])
def test_futex_results(run, what):
    expect_ok(run("futexes", what, cores=2))


# --- memory and files ---------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["maps", "files", "heap", "descriptors", "limits"])
def test_calls(run, what):
    expect_ok(run("mappings", what, cores=2))


@pytest.mark.parametrize("cores", [2, 4])
def test_lines_come_out_whole(run, cores):
    result = run("lines", cores - 1, cores=cores)
    assert result.status == 0, result.stderr
    wanted = [chr(ord("a") + number) * LINE_BYTES for number in range(LINE_LETTERS)] * LINES_EACH
    assert sorted(result.lines()) == sorted(wanted)


# --- calls with the message page ----------------------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 4])
def test_messages_of_all_vcores_come_out_whole(run, cores):
    result = run("messages", "lines", max(1, cores - 1), cores=cores)
    assert result.status == 0, result.stderr
    wanted = [chr(ord("a") + number) * MESSAGE_BYTES for number in range(MESSAGE_LETTERS)] * MESSAGES_EACH
    assert sorted(result.lines()) == sorted(wanted)


@pytest.mark.parametrize("test", ["errors", "child"])
def test_message_calls(run, test):
    expect_ok(run("messages", test, cores=2))


# --- ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cores", [1, 3])
def test_guard_page_of_a_uthread(run, cores):
    result = run("guard", max(1, cores - 1), cores=cores)
    assert result.status == STATUS_FAULT, result.log
    assert result.text() == "enough\n"
    faults = re.findall(r"^\[0\] process \d+ \(guard\) vcore \d+ core \d+: (.*)$", result.log, re.MULTILINE)
    assert len(faults) == 1, result.log
    assert re.fullmatch(r"write of [0-9a-f]+ by the instruction at [0-9a-f]+: nothing is mapped there", faults[0])


def expect_frames_back(result):
    assert re.search("processes own 0", result.log), result.log


@pytest.mark.parametrize("cores, status", [(2, 0), (4, 77), (8, 255)])
def test_exit_while_others_compute(run, cores, status):
    result = run("leave", "one", cores - 1, status or 256, cores=cores)
    assert result.status == status, result.log
    expect_frames_back(result)


@pytest.mark.parametrize("cores", [4, 8])
def test_exit_of_all_at_once(run, cores):
    result = run("leave", "all", cores - 1, cores=cores)
    assert result.status in range(FIRST_STATUS, FIRST_STATUS + cores - 1), result.log
    expect_frames_back(result)


# --- programs that cannot be run ----------------------------------------------------------------------


def with_field(whole, offset, form, value):
    return whole[:offset] + struct.pack(form, value) + whole[offset + struct.calcsize(form):]


def first_header(whole):
    return struct.unpack_from("<Q", whole, 32)[0]


def code_header(whole):
    """The program header of the code."""
    at = first_header(whole)
    while struct.unpack_from("<II", whole, at) != (1, 5):
        at += 56
    return at


NOT_LOADABLE = {
    "text": (lambda whole: b"#!/bin/sh\n" * 100, "it is not an ELF file"),
    "empty": (lambda whole: b"", "it is not an ELF file"),
    "half": (lambda whole: whole[:len(whole) // 4], "it is truncated"),
    "machine": (lambda whole: with_field(whole, 18, "<H", 40), "it is for another machine"),
    "object": (lambda whole: with_field(whole, 16, "<H", 1), "it is not a program"),
    "no headers": (lambda whole: with_field(whole, 56, "<H", 0), "it has no program headers"),
    "headers outside": (lambda whole: with_field(whole, 32, "<Q", 1 << 63),
                        "its program headers lie outside the file"),
    "entry": (lambda whole: with_field(whole, 24, "<Q", 0x1000), "its entry point is not in its code"),
    "interpreter": (lambda whole: with_field(whole, first_header(whole), "<I", 3),
                    "it is dynamically linked, and only static programs can be run"),
    "writable code": (lambda whole: with_field(whole, code_header(whole) + 4, "<I", 7),
                      "a segment is both writable and executable"),
    "kernel's address": (lambda whole: with_field(whole, code_header(whole) + 16, "<Q", 0xFFFF800000000000),
                         "a segment's address is out of range"),
}


@pytest.mark.parametrize("damage", NOT_LOADABLE)
def test_damaged_program(run, tmp_path, damage):
    spoil, sentence = NOT_LOADABLE[damage]
    (tmp_path / "wreck").write_bytes(spoil((BUILD / "bin" / "hello").read_bytes()))
    (tmp_path / "wreck").chmod(0o755)
    result = run("wreck", cores=2, options=["--program", str(tmp_path / "wreck")])
    assert result.status == STATUS_NOT_LOADABLE, result.stderr.decode() + result.log
    assert (result.text(), result.stderr.decode()) == ("", f"pando: wreck: {sentence}\n")


def test_missing_program(run):
    result = run("no_such_program", cores=2)
    assert (result.status, result.text()) == (125, "")
    sentence = result.stderr.decode()
    assert sentence.startswith("pando: ") and "no_such_program" in sentence and sentence.count("\n") == 1
