"""Memory protection: what the processors of a running machine enforce, as the emulator shows it, and what
each protection makes of a kernel that breaks it."""

import re
import subprocess
from dataclasses import dataclass

import pytest

from conftest import KERNEL, STATUS_PANIC, Machine, Runner

CORES = 4
PAGE = 4096
IMAGE_FRAMES = range(2 << 20, 6 << 20)
DIRECT = range(0xFFFF800000000000, 0xFFFFC00000000000)
PRIVATE = range(0xFFFFFFFF80400000, 0xFFFFFFFF82600000)
KERNEL_HALF = 1 << 63

CR0 = {"WP": 16}
CR4 = {"UMIP": 11, "FSGSBASE": 16, "SMEP": 20, "SMAP": 21}
EFER = {"NXE": 11}
TLB_LINE = re.compile(r"([0-9a-f]{16}): ([0-9a-f]{16}) ([-XGPDACTUW]{9})")


@dataclass
class Mapping:
    address: int
    physical: int
    bytes: int
    executable: bool
    user: bool
    writable: bool


def mappings(text):
    """What `info tlb` shows: each mapping of a core's page tables."""
    found = []
    for address, physical, flags in TLB_LINE.findall(text):
        found.append(Mapping(int(address, 16), int(physical, 16), 2 << 20 if "P" in flags else PAGE,
                             "X" not in flags, "U" in flags, "W" in flags))
    assert len(found) > 50
    return found


def symbols():
    listing = subprocess.run(["nm", str(KERNEL)], stdout=subprocess.PIPE, check=True, text=True).stdout
    return {name: int(value, 16) for value, _, name in (line.split() for line in listing.splitlines())}


@pytest.fixture(scope="module")
def shown(built):
    """Of each core of a machine on which a program computes on all granted cores: registers and mappings."""
    running = Machine(Runner(), "spin", CORES - 1, cores=CORES)
    try:
        running.await_output(b"spinning\n")
        running.ask("stop")
        registers = [running.monitor("info registers", core) for core in range(CORES)]
        tables = [mappings(running.monitor("info tlb", core)) for core in range(CORES)]
        running.ask("cont")
    finally:
        running.close()
    return registers, tables


@pytest.mark.parametrize("name, bits", [("CR0", CR0), ("CR4", CR4), ("EFER", EFER)])
def test_control_bits(shown, name, bits):
    for core, registers in enumerate(shown[0]):
        value = int(re.search(rf"\b{name}=([0-9a-f]+)", registers)[1], 16)
        missing = [bit for bit, number in bits.items() if not value >> number & 1]
        assert not missing, f"core {core}: {name} = {value:#x}"


def test_program_runs_in_user_mode_on_granted_cores(shown):
    for registers in shown[0][1:]:
        assert "CPL=3" in registers


def test_nothing_is_writable_and_executable(shown):
    for core, table in enumerate(shown[1]):
        assert not [hex(m.address) for m in table if m.writable and m.executable], f"core {core}"


def test_executable_is_only_text(shown):
    known = symbols()
    text = range(known["text_start"], known["text_end"])
    for core, table in enumerate(shown[1]):
        kernel = [m for m in table if m.executable and m.address >= KERNEL_HALF]
        assert {m.address for m in kernel} == set(range(text.start, text.stop, PAGE)), f"core {core}"


def test_no_kernel_page_is_for_users(shown):
    for core, table in enumerate(shown[1]):
        assert not [hex(m.address) for m in table if m.user and m.address >= KERNEL_HALF], f"core {core}"
        assert not [hex(m.address) for m in table if not m.user and m.address < KERNEL_HALF], f"core {core}"


def test_private_frames_are_writable_by_one_core(shown):
    owners = {}
    for core, table in enumerate(shown[1]):
        own = {m.physical for m in table if m.address in PRIVATE and m.writable}
        assert len(own) >= 10
        for frame in own:
            assert owners.setdefault(frame, core) == core, f"frame {frame:#x} of cores {owners[frame]} and {core}"


def test_private_frames_are_not_in_the_direct_map(shown):
    private = {m.physical for table in shown[1] for m in table if m.address in PRIVATE}
    for table in shown[1]:
        direct = [range(m.physical, m.physical + m.bytes) for m in table if m.address in DIRECT]
        assert direct
        for part in direct:
            assert not [hex(frame) for frame in private if frame in part]
            assert part.stop <= IMAGE_FRAMES.start or part.start >= IMAGE_FRAMES.stop


def test_page_tables_are_not_in_the_direct_map(shown):
    roots = {int(re.search(r"CR3=([0-9a-f]+)", registers)[1], 16) & ~0xFFF for registers in shown[0]}
    assert len(roots) == CORES
    for table in shown[1]:
        for m in table:
            if m.address in DIRECT:
                assert not [hex(root) for root in roots if m.physical <= root < m.physical + m.bytes]


def test_snapshot_is_read_only_for_all(shown):
    """A private frame that two cores map is the snapshot's, and nobody can write to it."""
    writable = {m.physical for table in shown[1] for m in table if m.writable}
    shared = set.intersection(*({m.physical for m in table if m.address in PRIVATE} for table in shown[1]))
    assert len(shared) > 10
    assert not shared & writable


def test_guard_pages(shown):
    known = symbols()
    stacks = ("stack_bottom", "nmi_stack_bottom", "fault_stack_bottom", "machine_check_stack_bottom")
    for core, table in enumerate(shown[1]):
        mapped = {m.address for m in table}
        for name in stacks:
            assert known[name] in mapped, f"core {core}: {name}"
            assert known[name] - PAGE not in mapped, f"core {core}: below {name}"


def test_null_and_last_page_are_not_mapped(shown):
    for table in shown[1]:
        mapped = {m.address for m in table}
        assert 0 not in mapped
        assert 0x7FFFFFFFF000 not in mapped


# --- kernels that break a rule ------------------------------------------------------------------------

BROKEN = {
    "panic": ("break_an_invariant", "asked for by a probe"),
    "stack": ("use_up_the_stack", "double fault|page fault"),
    "write-text": ("write_to_text", "page fault in the kernel: write of [0-9a-f]+"),
    "execute-data": ("perform_execute_data", "page fault in the kernel: execution of ffffffff806[0-9a-f]+ .*"),
    "read-user": ("read_a_user_address", "page fault in the kernel: read of 1000 .*"),
    "execute-user": ("perform_execute_user", "page fault in the kernel: execution of 1000 .*"),
    "write-pool": ("write_to_the_pool", "page fault in the kernel: write of ffff8000[0-9a-f]+ .*"),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("cores", [1, 4])
def test_broken_rule_stops_the_machine(probe, name, cores):
    function, reason = BROKEN[name]
    result = probe(name, cores=cores, panics=True)
    assert result.status == STATUS_PANIC, result.log
    assert "nothing stopped it" not in result.log
    last = cores - 1
    said = re.findall(rf"^\[{last}\] panic: (.*)$", result.log, re.MULTILINE)
    assert len(said) == 1 and re.match(reason, said[0]), result.log
    assert re.search(rf"^\[{last}\]   [0-9a-f]{{16}} {function}(\.isra\.0)?\+0x", result.log, re.MULTILINE), result.log
    report = result.stderr.decode()
    assert f"the kernel of core {last} panicked" in report and function in report


@pytest.mark.parametrize("cores", [1, 2, 4, 8])
def test_inheritance(probe, cores):
    """A constructor's value is seen on every core; one changed later is changed there alone."""
    result = probe("inherit", cores=cores)
    assert result.status == 0, result.log
    sees = re.findall(r"probe inherit: core (\d+) sees (\d+)", result.log)
    has = re.findall(r"probe inherit: core (\d+) has (\d+)", result.log)
    assert sorted(sees) == sorted((str(core), "4711") for core in range(cores))
    assert sorted(has) == sorted((str(core), str(4711 + core)) for core in range(cores))


@pytest.mark.parametrize("cores", [1, 4, 8])
def test_audit_of_private_frames(probe, cores):
    result = probe("audit", cores=cores)
    assert result.status == 0, result.log
    found = re.findall(r"probe audit: core (\d+): (\d+) writable private frames, all its own", result.log)
    assert sorted(int(core) for core, _ in found) == list(range(cores))
    assert all(int(frames) >= 10 for _, frames in found)


@pytest.mark.parametrize("cores", [1, 3])
def test_private_heap_grows_and_shrinks(probe, cores):
    result = probe("heap", cores=cores)
    assert result.status == 0, result.log
    found = re.findall(r"probe heap: core (\d+): 2 tables came and went", result.log)
    assert sorted(map(int, found)) == list(range(cores))


@pytest.mark.parametrize("cores", [1, 2, 4, 8])
def test_messages_arrive_once_and_in_order(probe, cores):
    result = probe("messages", cores=cores)
    assert result.status == 0, result.log
    done = re.findall(r"probe messages: core (\d+) ok", result.log)
    assert sorted(map(int, done)) == list(range(cores))


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_watcher_is_told(probe, cores):
    result = probe("watch", cores=cores)
    assert result.status == 0, result.log
    assert len(re.findall(r"probe watch: .*ok", result.log)) == 1


def test_ordinary_kernel_has_no_probes(run):
    result = run("hello", cores=2, options=["--kernel-option=--probe", "--kernel-option=panic"])
    assert result.status == 125
    assert result.stderr.decode().count("\n") == 1
