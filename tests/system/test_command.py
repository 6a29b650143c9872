"""The pando command itself, with a fake kernel in place of the real one (fake_kernel/)."""

import array
import os
import signal
import subprocess
import time

import pexpect
import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PANDO = os.path.join(ROOT, "pando")
FAKE = os.path.join(HERE, "fake_kernel")
BIG_BYTES = 5 << 20

COMPILE = (
    "gcc -m32 -march=i686 -mgeneral-regs-only -O2 -Wall -Wextra -Werror -ffreestanding -fno-pic"
    " -fno-stack-protector -fno-tree-loop-distribute-patterns -nostdlib -static"
    " -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-T,kernel.ld -o"
).split()


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    """The fake kernel, as a 64-bit ELF file like the real one."""
    folder = tmp_path_factory.mktemp("fake")
    small, large = folder / "kernel32.elf", folder / "kernel.elf"
    subprocess.run(COMPILE + [small, "entry.S", "kernel.c"], cwd=FAKE, check=True)
    subprocess.run(["objcopy", "-O", "elf64-x86-64", small, large], check=True)
    return large


@pytest.fixture
def program(tmp_path):
    path = tmp_path / "program"
    path.write_bytes(b"not a real one")
    path.chmod(0o755)
    return path


@pytest.fixture
def command(kernel, program):
    """Makes the command line of a run on which the fake kernel does each `what`."""

    def make(*what, options=(), run="run", arguments=("program",)):
        line = [PANDO, run, "--no-build", "--kernel", kernel, "--program", program]
        for thing in what:
            line += ["--kernel-option", "fake=" + thing]
        return [os.fspath(word) for word in (*line, *options, "--", *arguments)]

    return make


def run(line, **more):
    return subprocess.run(
        line, stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False, **more
    )


def refused(*arguments):
    """Runs `pando ARGUMENTS`, sees that it is refused as it should be; returns the sentence."""
    done = run([PANDO, *map(os.fspath, arguments)])
    assert done.returncode == 125
    assert done.stdout == b""
    sentence = done.stderr.decode()
    assert sentence.startswith("pando: ") and sentence.count("\n") == 1
    return sentence


def emulators_of(folder):
    """The processes whose working folder is the run's."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            if entry.isdigit() and os.readlink(f"/proc/{entry}/cwd") == os.fspath(folder):
                found.append(int(entry))
        except OSError:
            pass
    return found


# Output and exit status


@pytest.mark.parametrize("status", [0, 1, 77, 255])
def test_exit_status_is_the_programs(command, status):
    done = run(command(f"exit:{status}"))
    assert (done.returncode, done.stdout, done.stderr) == (status, b"", b"")


def test_output_passes_unchanged(command):
    done = run(command("bytes", "exit:0"))
    assert done.returncode == 0
    assert done.stdout == bytes(range(256)) * 4
    assert done.stderr == bytes(range(255, -1, -1)) * 4


def big_output():
    """Counts up in 32-bit words: what is lost, doubled or out of place shows."""
    return array.array("I", range(BIG_BYTES // 4)).tobytes()


def test_big_output_through_a_slow_pipe(command):
    """The reader sleeps at first: nothing may be lost for that."""
    with subprocess.Popen(command("big", "exit:3"), stdout=subprocess.PIPE) as running:
        time.sleep(2)
        assert running.stdout.read() == big_output()
    assert running.returncode == 3


def test_output_comes_as_it_is_written(command):
    with subprocess.Popen(command("begin"), stdout=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"begun\n"
        assert running.poll() is None
        running.terminate()


def test_verbose_shows_the_log(command, tmp_path):
    done = run(command("exit:0", options=["-v", "--run-folder", tmp_path / "run"]))
    lines = done.stderr.decode().splitlines()
    assert lines[0] == "[kernel] first line"
    assert all(line.startswith("[kernel] ") for line in lines)
    log = (tmp_path / "run" / "kernel.log").read_text(encoding="utf-8")
    assert log == "".join(line[9:] + "\n" for line in lines)


def test_kernel_is_told_its_options(command):
    done = run(command("exit:0", options=["-v", "--kernel-option", "--more=1"]))
    assert b"command: --exit-port 0xf4 --cores-up all fake=exit:0 --more=1\n" in done.stderr


def test_last_word_counts_when_qemu_stays(command):
    done = run(command("exit:5", "linger"))
    assert done.returncode == 5


def test_instruction_counting_run(command):
    done = run(command("bytes", "exit:6", options=["--icount", "-c", "2"]))
    assert (done.returncode, len(done.stdout)) == (6, 1024)


# Ends that are not the program's


def test_panic(command):
    done = run(command("panic"))
    assert done.returncode == 70
    text = done.stderr.decode()
    assert text.startswith("pando: ") and "core 1" in text
    assert text.endswith("\n[1] panic: something broke\n[1]   1000 somewhere+0x10\n")
    assert "first line" not in text


def test_stop(command):
    done = run(command("stop"))
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr == b"pando: no memory to speak of\n"


@pytest.mark.parametrize("end", ["triple", "unended"])
def test_end_without_a_word(command, end):
    done = run(command(end))
    assert done.returncode == 70
    assert done.stderr.startswith(b"pando: the machine stopped without a word")
    assert b"\nfirst line\n" in done.stderr


def test_time_out_says_where_the_cores_are(command):
    start = time.monotonic()
    done = run(command("begin", options=["-c", "2", "--timeout", "1"]))
    assert time.monotonic() - start < 20
    assert (done.returncode, done.stdout) == (124, b"begun\n")
    lines = done.stderr.decode().splitlines()
    assert lines[0].startswith("pando: time-out after 1 s")
    assert lines[1].startswith("  core 0: kernel, hang+0x")
    assert lines[2].startswith("  core 1: firmware, ") and lines[2].endswith("(halted)")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_machine_too(command, tmp_path, number):
    folder = tmp_path / "run"
    line = command("begin", options=["--run-folder", folder])
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"begun\n"
        assert emulators_of(folder)
        running.send_signal(number)
        output, errors = running.communicate(timeout=20)
    assert (running.returncode, output, errors) == (128 + number, b"", b"")
    assert not emulators_of(folder)


def test_machine_ends_with_a_killed_command(command, tmp_path):
    folder = tmp_path / "run"
    with subprocess.Popen(
        command("begin", options=["--run-folder", folder]), stdout=subprocess.PIPE
    ) as running:
        assert running.stdout.readline() == b"begun\n"
        running.kill()
    deadline = time.monotonic() + 10
    while emulators_of(folder) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = emulators_of(folder)
    for process in left:
        os.kill(process, signal.SIGKILL)
    assert not left


def test_closed_output_ends_the_run_quietly(command, tmp_path):
    folder = tmp_path / "run"
    line = command("flood", options=["--run-folder", folder])
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"flood\n"
        running.stdout.close()
        assert running.wait(20) == 141
        assert running.stderr.read() == b""
    assert not emulators_of(folder)


def test_output_that_cannot_be_written(command):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("bytes", "exit:0"), stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 125
    assert b"pando: standard output cannot be written: No space left" in done.stderr


def test_standard_descriptors_may_be_closed(command):
    done = run(["sh", "-c", 'exec "$@" <&- >&-', "sh", *command("bytes", "exit:4")])
    assert (done.returncode, len(done.stderr)) == (4, 1024)


# The boot archive


def guest_archive(command, tmp_path, *options, arguments=("program",), boot="direct"):
    """The archive as the kernel got it, unpacked by cpio: the folder and the bytes."""
    done = run(
        command("archive", "exit:0", options=[*options, "--boot", boot], arguments=arguments)
    )
    assert (done.returncode, done.stderr) == (0, b"")
    folder = tmp_path / "unpacked"
    folder.mkdir()
    subprocess.run(["cpio", "-i", "-d", "--quiet"], cwd=folder, input=done.stdout, check=True)
    return folder, done.stdout


def test_archive_holds_programs_arguments_and_files(command, program, tmp_path):
    data = tmp_path / "some=file"
    data.write_bytes(bytes(range(256)) * 33 + b"x")
    plain = tmp_path / "plain.txt"
    plain.write_bytes(b"")
    arguments = ["program", "", "two words", "-n", "--", "\udcff\udc80\n'\"$x"]
    options = ["--file", f"{data}=in/a/folder", "--file", plain]
    folder, _ = guest_archive(command, tmp_path, *options, arguments=arguments)
    assert (folder / "boot/args").read_bytes() == b"".join(
        os.fsencode(word) + b"\0" for word in arguments
    )
    assert (folder / "in/a/folder").read_bytes() == data.read_bytes()
    assert (folder / "plain.txt").read_bytes() == b""
    assert (folder / "bin/program").read_bytes() == program.read_bytes()
    assert os.access(folder / "bin/program", os.X_OK)


def test_archive_is_the_same_each_time(command, tmp_path):
    """Whenever the files were written and in whatever order they are named."""
    one, two = tmp_path / "one", tmp_path / "two"
    copies = []
    for second, files in ((1, [one, two]), (2, [two, one])):
        for file in files:
            file.write_bytes(b"same")
            os.utime(file, (second, second))
        folder = tmp_path / str(second)
        folder.mkdir()
        copies.append(guest_archive(command, folder, *(f"--file={file}" for file in files))[1])
    assert copies[0] == copies[1]


def test_file_may_be_a_pipe(command, tmp_path):
    line = command("archive", "exit:0", options=["--file", "/dev/stdin=input"])
    done = subprocess.run(line, input=b"from a pipe", capture_output=True, timeout=60, check=False)
    assert done.returncode == 0
    subprocess.run(["cpio", "-i", "-d", "--quiet"], cwd=tmp_path, input=done.stdout, check=True)
    assert (tmp_path / "input").read_bytes() == b"from a pipe"


def test_archive_as_it_is_and_none(command, kernel, tmp_path):
    damaged = tmp_path / "damaged"
    damaged.write_bytes(b"\0damaged\xff")
    line = [PANDO, "run", "--no-build", "--kernel", kernel]
    line += ["--kernel-option", "fake=archive", "--kernel-option", "fake=exit:0"]
    assert run([*line, "--archive", damaged]).stdout == damaged.read_bytes()
    done = run([*line, "--no-archive"])
    assert (done.returncode, done.stdout) == (0, b"")


# Usage


@pytest.mark.parametrize("name", ["", "build", "run", "test", "bench", "debug", "image"])
def test_help(name):
    done = run([PANDO, *name.split(), "--help"])
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.decode().startswith("usage: ./pando " + name)


def test_help_after_other_options():
    assert run([PANDO, "run", "-c", "2", "--help"]).stdout == run([PANDO, "run", "--help"]).stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["build", "nonsense"],
        ["test", "nonsense"],
        ["test", "--nonsense"],
        ["run", "--no-build"],
        ["run", "--nonsense", "program"],
        ["run", "-c"],
        ["run", "-c", "0", "program"],
        ["run", "-c", "256", "program"],
        ["run", "-c", "two", "program"],
        ["run", "-m", "0", "program"],
        ["run", "-m", "12K", "program"],
        ["run", "--timeout", "-1", "program"],
        ["run", "--timeout", "soon", "program"],
        ["run", "--boot", "floppy", "program"],
        ["run", "--file", "", "program"],
        ["run", "--file", "=guest", "program"],
        ["run", "--no-archive", "--archive", "a", "program"],
        ["run", ""],
        ["run", "program", *["x"] * 4096],
        ["run", "program", "x" * 65536],
        ["image", "program"],
        ["debug", "--batch", "/nonexistent", "program"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_wrong_usage_is_refused(arguments):
    refused(*arguments)


BAD_NAMES = ["/abs", "../up", "a/../b", "a//b", "a/", "./a", "..", ".", "", "TRAILER!!!"]
TAKEN_NAMES = ["bin", "bin/program", "bin/program/x", "boot", "boot/args", "boot/args/x"]


@pytest.mark.parametrize("guest", BAD_NAMES + TAKEN_NAMES)
def test_bad_guest_names_are_refused(kernel, program, guest):
    line = ["run", "--no-build", "--kernel", kernel, "--program", program]
    refused(*line, "--file", f"{program}={guest}", "program")


def test_files_are_checked(kernel, program, tmp_path):
    line = ["run", "--no-build", "--kernel", kernel, "--program", program]
    assert "no file" in refused(*line, "--file", tmp_path / "absent", "program")
    assert "folder" in refused(*line, "--file", tmp_path, "program")
    assert "two files" in refused(*line, "--file", program, "--file", program, "program")
    huge = tmp_path / "huge"
    with open(huge, "wb") as file:
        file.truncate(1 << 30)
    assert "1 GiB" in refused(*line, "--file", huge, "program")


def test_unknown_program_is_refused_with_a_list(kernel, program):
    sentence = refused("run", "--no-build", "--kernel", kernel, "--program", program, "progam")
    assert "'progam'" in sentence and "program" in sentence.split("there are:")[1]


def test_absent_kernel_is_refused(program, tmp_path):
    refused("run", "--no-build", "--kernel", tmp_path / "absent", "--program", program, "program")


def test_qemu_that_does_not_start_is_an_environment_error(command):
    done = run(command("exit:0", options=["--qemu-option=-nonsense"]))
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.startswith(b"pando: QEMU could not start") and b"nonsense" in done.stderr


# Folders of runs


def test_runs_at_once_do_not_disturb_one_another(command):
    """More at once than are kept: none may lose its folder."""
    running = [
        subprocess.Popen(
            command("bytes", f"exit:{status}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for status in range(10, 22)
    ]
    for status, one in zip(range(10, 22), running):
        output, errors = one.communicate(timeout=120)
        assert (one.returncode, len(output), len(errors)) == (status, 1024, 1024)
    assert (
        len([name for name in os.listdir(os.path.join(ROOT, "build/runs")) if name.isdigit()]) <= 12
    )


def test_last_leads_to_a_run(command):
    assert run(command("exit:0")).returncode == 0
    with open(os.path.join(ROOT, "build/last/kernel.log"), "rb") as log:
        assert log.read()


def test_folder_in_use_is_refused(command, tmp_path):
    options = ["--run-folder", tmp_path / "run"]
    with subprocess.Popen(command("begin", options=options), stdout=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"begun\n"
        assert run(command("exit:0", options=options)).returncode == 125
        running.terminate()


# Images


@pytest.mark.parametrize("boot", ["bios", pytest.param("uefi", marks=pytest.mark.slow)])
def test_image_boots(command, tmp_path, boot):
    file = tmp_path / "file"
    file.write_bytes(b"contents")
    folder, _ = guest_archive(
        command, tmp_path, "--file", file, arguments=["program", "it's"], boot=boot
    )
    assert (folder / "file").read_bytes() == b"contents"
    assert (folder / "boot/args").read_bytes() == b"program\0it's\0"


def test_image_file(kernel, program, tmp_path):
    image = tmp_path / "out.iso"
    line = [PANDO, "image", "--no-build", "--kernel", kernel, "--program", program]
    done = run([*line, "-o", image, "program", "argument"])
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert set(os.listdir(tmp_path)) == {"out.iso", "program"}
    extracted = tmp_path / "archive.cpio"
    subprocess.run(
        ["xorriso", "-osirrox", "on", "-indev", image, "-extract", "/boot/archive.cpio", extracted],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    assert b"program\0argument\0" in extracted.read_bytes()
    assert run([*line, "-o", tmp_path / "absent" / "out.iso", "program"]).returncode == 125


# gdb


def test_debug_with_a_batch_file(command, tmp_path):
    batch = tmp_path / "batch"
    batch.write_text("pando-at hang\nbacktrace\npando-cores\n", encoding="utf-8")
    done = run(command("begin", run="debug", options=["-c", "2", "--batch", batch]))
    text = done.stdout.decode()
    assert done.returncode == 0
    assert "begun\n" in text
    assert "#0" in text and "hang ()" in text and "fake_main ()" in text and "CPU#1" in text


def test_debug_at_a_terminal(command, tmp_path):
    folder = tmp_path / "run"
    line = command("hang", run="debug", options=["-c", "1", "--run-folder", folder])
    gdb = pexpect.spawn(line[0], line[1:], timeout=30, env=dict(os.environ, TERM="dumb"))
    gdb.expect_exact("(gdb) ")
    gdb.sendline("continue")
    gdb.expect_exact("Continuing.")
    time.sleep(1)
    gdb.sendintr()
    gdb.expect("in hang ")
    gdb.sendline("quit")
    gdb.expect(pexpect.EOF)
    gdb.close()
    assert gdb.exitstatus == 0
    assert not emulators_of(folder)
