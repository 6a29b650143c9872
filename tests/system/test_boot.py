"""Starting: all ways to boot, numbers of cores and kinds of interrupt controller, and orderly refusals."""

import re

import pytest

from conftest import BUILD, STATUS_STOP

HELLO = b"hello from pando\n"
ALL_UP = re.compile(r"\[0\] (\d+) of (\d+) cores run a kernel")
ARGS = b"hello\0"


def expect_all_up(result, cores):
    assert result.status == 0, result.stderr
    assert result.stdout == HELLO
    assert result.stderr == b""
    assert ALL_UP.search(result.log).groups() == (str(cores), str(cores))


def expect_stop(result, sentence):
    """One sentence, on the log and from the command; nothing was run."""
    assert result.status == STATUS_STOP
    assert result.stdout == b""
    stops = re.findall(r"stop: (.*)", result.log)
    assert len(stops) == 1 and re.fullmatch(sentence, stops[0]), result.log
    assert result.stderr.decode() == f"pando: {stops[0]}\n"


@pytest.mark.parametrize("cores", [1, 2, 4, 8, pytest.param(64, marks=pytest.mark.slow)])
def test_cores(run, cores):
    result = run("hello", cores=cores)
    expect_all_up(result, cores)
    assert "booted by PVH" in result.log
    alone = "there is no core beyond the first: it is management core and granted core in one"
    assert (alone in result.log) == (cores == 1)


@pytest.mark.slow
def test_most_cores(run):
    expect_all_up(run("hello", cores=255, memory=1024, options=["--qemu-option=-machine",
                                                                "--qemu-option=kernel-irqchip=split"]), 255)


@pytest.mark.parametrize("cpu, mode", [("max,-x2apic", "APIC ID"), ("max,+x2apic", "X2APIC ID")])
@pytest.mark.parametrize("cores", [2, 4])
def test_local_apic_mode(machine, cpu, mode, cores):
    """The mode of each core is what the emulator shows with the last interrupt that the core has sent."""
    running = machine("spin", cores - 1, cores=cores,
                      options=["--qemu-option=-cpu", f"--qemu-option={cpu}"])
    running.await_output(b"spinning\n")
    for core in range(cores):
        apic = running.monitor("info lapic", core)
        assert f"({mode})" in apic and "APIC enabled" in apic
    assert f"{cores} of {cores} cores run a kernel" in running.file("kernel.log").read_text()


@pytest.mark.parametrize("boot", ["bios", pytest.param("uefi", marks=pytest.mark.slow)])
def test_image(run, boot):
    result = run("hello", options=["--boot", boot])
    expect_all_up(result, 4)
    assert "booted by Multiboot2" in result.log


def test_image_without_archive(run):
    expect_stop(run(None, options=["--boot", "bios", "--no-archive"]),
                "no boot archive was given, so there is no program to run")


@pytest.mark.parametrize("cores", [1, 8])
@pytest.mark.parametrize("memory", [7, 8])
def test_too_little_memory(run, cores, memory):
    expect_stop(run("hello", cores=cores, memory=memory), "too little memory: .+")


@pytest.mark.parametrize("memory", range(9, 17))
def test_little_memory(run, memory):
    """Around the least that is needed a run is refused, or goes well, with fewer cores perhaps."""
    result = run("hello", cores=8, memory=memory)
    if result.status == STATUS_STOP:
        expect_stop(result, "too little memory: .+")
    elif result.status == 0:
        assert result.stdout == HELLO
    else:
        assert b"out of memory" in result.stderr or "out of memory" in result.log


def test_least_memory_for_four_cores(run):
    expect_all_up(run("hello", memory=24), 4)


def test_no_archive(run):
    expect_stop(run(None, options=["--no-archive"]), "no boot archive was given, so there is no program to run")


def newc(*files):
    """A cpio archive of the newc format."""
    out = b""
    for number, (name, data) in enumerate([*files, (b"TRAILER!!!", b"")]):
        fields = (number, 0o100755, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
        out += b"070701" + b"".join(b"%08x" % value for value in fields) + name + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


def whole_archive():
    return newc((b"bin/hello", (BUILD / "bin/hello").read_bytes()), (b"boot/args", ARGS))


def test_whole_archive(run, tmp_path):
    """What the damaged ones below are made from is sound."""
    (tmp_path / "archive").write_bytes(whole_archive())
    expect_all_up(run(None, options=["--archive", str(tmp_path / "archive")]), 4)


def second_entry(archive):
    return archive.index(b"070701", 6)


DAMAGED = {
    "truncated in a file": lambda whole: whole[: len(whole) // 2],
    "truncated at the end": lambda whole: whole[: whole.rindex(b"070701")],
    "truncated in a header": lambda whole: whole[: second_entry(whole) + 50],
    "garbage": lambda whole: bytes(range(256)) * 100,
    "zeroes": lambda whole: bytes(8192),
    "a few bytes": lambda whole: b"0707",
    "wrong magic first": lambda whole: b"070707" + whole[6:],
    "wrong magic in the middle": lambda whole: whole.replace(b"070701", b"07070x").replace(b"07070x", b"070701", 1),
    "no number": lambda whole: whole[:54] + b"0000zz00" + whole[62:],
    "a file beyond the end": lambda whole: whole[:54] + b"fffffff0" + whole[62:],
    "a name beyond the end": lambda whole: whole[:94] + b"fffffff0" + whole[102:],
    "no name": lambda whole: whole[:94] + b"00000000" + whole[102:],
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_archive(run, tmp_path, damage):
    whole = whole_archive()
    damaged = DAMAGED[damage](whole)
    assert damaged != whole
    (tmp_path / "archive").write_bytes(damaged)
    expect_stop(run(None, cores=2, options=["--archive", str(tmp_path / "archive")]),
                "the boot archive is damaged: it is not a whole cpio archive of the newc format")


@pytest.mark.parametrize("files, sentence", [
    ([], "the boot archive has no file boot/args, which names the program to run"),
    ([(b"boot/args", b"")], "the boot archive's boot/args does not hold a program's arguments"),
    ([(b"boot/args", b"hello")], "the boot archive's boot/args does not hold a program's arguments"),
    ([(b"boot/args", b"\0hello\0")], "the boot archive's boot/args does not hold a program's arguments"),
])
def test_archive_names_no_program(run, tmp_path, files, sentence):
    (tmp_path / "archive").write_bytes(newc(*files))
    expect_stop(run(None, cores=2, options=["--archive", str(tmp_path / "archive")]), sentence)


@pytest.mark.parametrize("options, sentence", [
    (["--nonsense", "1"], "the kernel's command line: there is no option --nonsense"),
    (["--cores-up", "some"], "the kernel's command line: --cores-up takes `all`, not some"),
    (["--exit-port", "zz"], "the kernel's command line: --exit-port takes a port number, not zz"),
    (["--cores-up"], "the kernel's command line: a value is missing behind --cores-up"),
])
def test_kernel_option(run, options, sentence):
    expect_stop(run("hello", cores=2, options=["--kernel-option=" + word for word in options]),
                re.escape(sentence))


def test_a_processor_without_nx_is_refused_by_the_first_instructions(run):
    done = run("hello", cores=1, options=["--qemu-option=-cpu", "--qemu-option=max,-nx"])
    assert done.status == 125
    assert b"lacks long mode or NX" in done.stderr
    assert "stop: this processor lacks long mode or NX" in done.log


@pytest.mark.parametrize("feature", ["FSGSBASE", "XSAVE", "SYSCALL"])
def test_processor_that_lacks(run, feature):
    result = run("hello", cores=2, options=["--qemu-option=-cpu", f"--qemu-option=max,-{feature.lower()}"])
    expect_stop(result, f"this processor lacks {feature}, which Pando requires")


@pytest.mark.parametrize("features", ["-smap,-smep,-umip", "-avx", "-pdpe1gb", "-avx2,-avx,-avx512f"])
def test_processor_without_optional(run, features):
    expect_all_up(run("hello", options=["--qemu-option=-cpu", f"--qemu-option=max,{features}"]), 4)


def test_program_that_is_not_there(run):
    result = run(None, options=["--archive", str(BUILD / "bin/hello")])
    expect_stop(result, "the boot archive is damaged: .+")
