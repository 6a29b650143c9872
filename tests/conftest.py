"""What system tests share: one build for the whole session, and runs through `./pando run`."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"
KERNEL = BUILD / "kernel.elf"
PROBE_KERNEL = BUILD / "probe" / "kernel.elf"
TEST_PROGRAMS = BUILD / "tests" / "bin"
SOURCES = ROOT / "tests" / "system" / "programs"
CHILDREN = {"waits": ["states"], "places": ["fp"], "family": ["ends", "spin", "slow", "memory", "random", "cores", "stale"],
            "chaos": ["chaos_child"]}  # what a program runs

STATUS_PANIC, STATUS_TIMEOUT, STATUS_STOP = 70, 124, 125
STATUS_FAULT, STATUS_KILLED = 139, 137
QMP_PATIENCE_S = 30


@dataclass
class Result:
    """A run that has ended: its exit status, what it wrote, and the kernels' log."""

    status: int
    stdout: bytes
    stderr: bytes
    log: str
    command: list = field(repr=False)

    def text(self):
        return self.stdout.decode()

    def lines(self):
        return self.text().splitlines()


@pytest.fixture(scope="session")
def built():
    """Builds the kernels and all programs, once."""
    programs = [str((TEST_PROGRAMS / source.stem).relative_to(ROOT)) for source in SOURCES.glob("*.c")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["flock", "build/.lock", "make", "-s", "-j2", "all", "build/probe/kernel.elf", *programs]
    BUILD.mkdir(exist_ok=True)
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        pytest.exit("the build failed:\n" + done.stdout.decode(errors="replace")[-4000:], returncode=1)


def is_test_program(name):
    return (SOURCES / f"{name}.c").exists()


def pando_command(folder, program, arguments, cores, memory, files, timeout, options):
    command = [str(ROOT / "pando"), "run", "--no-build", "--run-folder", str(folder)]
    command += ["--cores", str(cores), "--memory", str(memory), "--timeout", str(timeout)]
    for file in files:
        command += ["--file", str(file)]
    if program and is_test_program(program):
        for name in sorted({program, *CHILDREN.get(program, [])}):
            command += ["--program", str(TEST_PROGRAMS / name)]
    command += options
    return command + (["--", program, *map(str, arguments)] if program else [])


def management(count):
    """Options for so many management cores."""
    return ["--kernel-option=--management", f"--kernel-option={count}"]


class Runner:
    """Runs Pando and keeps, for the report of a failed test, how each run ended. A panic that a test
    does not expect fails it there and then."""

    def __init__(self):
        self.results = []

    def __call__(self, program, *arguments, cores=4, memory=512, files=(), timeout=120, options=(),
                 panics=False):
        with tempfile.TemporaryDirectory(prefix="pando-") as folder:
            command = pando_command(folder, program, arguments, cores, memory, files, timeout, list(options))
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, timeout=timeout + 60)
            return self.ended(done.returncode, done.stdout, done.stderr, folder, command, panics)

    def ended(self, status, stdout, stderr, folder, command, panics=False):
        log = Path(folder) / "kernel.log"
        text = log.read_text(errors="replace") if log.exists() else ""
        result = Result(status, stdout, stderr, text, command)
        self.results.append(result)
        if not panics:
            assert status != STATUS_PANIC, stderr.decode(errors="replace")
            assert not re.search("processes own [1-9]", text), "frames of a process that has ended are not back"
        return result


class Machine:
    """A run that is still going, with QEMU's monitor at hand."""

    def __init__(self, runner, program, *arguments, cores=4, memory=512, timeout=120, options=()):
        self.cores = cores
        self._runner = runner
        self._folder = tempfile.mkdtemp(prefix="pando-")
        monitor = ["--qemu-option=-qmp", "--qemu-option=unix:qmp.sock,server=on,wait=off"]
        self._command = pando_command(self._folder, program, arguments, cores, memory, (), timeout,
                                      monitor + list(options))
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self._socket = None
        self._bytes = b""

    def file(self, name):
        return Path(self._folder) / name

    def await_output(self, text):
        """Waits until the program has written this."""
        self._await(lambda: self.file("stdout").exists() and text in self.file("stdout").read_bytes(),
                    f"the program did not write {text!r}")

    def ask(self, command, **arguments):
        """QEMU's answer to a command of its machine protocol."""
        if not self._socket:
            self._await(self.file("qmp.sock").exists, "QEMU has no monitor")
            self._socket = socket.socket(socket.AF_UNIX)
            self._socket.settimeout(QMP_PATIENCE_S)
            self._socket.connect(str(self.file("qmp.sock")))
            self._line()
            self.ask("qmp_capabilities")
        self._socket.sendall(json.dumps({"execute": command, "arguments": arguments}).encode())
        while True:
            answer = self._line()
            if "return" in answer:
                return answer["return"]
            assert "error" not in answer, answer

    def monitor(self, line, core=0):
        return self.ask("human-monitor-command", **{"command-line": line, "cpu-index": core})

    def finish(self):
        """Waits for the end of the run and returns how it ended."""
        stdout, stderr = self._process.communicate(timeout=300)
        return self._runner.ended(self._process.returncode, stdout, stderr, self._folder, self._command)

    def close(self):
        if self._socket:
            self._socket.close()
        if self._process.poll() is None:
            self._process.terminate()
            stdout, stderr = self._process.communicate(timeout=60)
            self._runner.ended(self._process.returncode, stdout, stderr, self._folder, self._command)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _line(self):
        while b"\n" not in self._bytes:
            data = self._socket.recv(1 << 20)
            assert data, "QEMU is gone"
            self._bytes += data
        line, self._bytes = self._bytes.split(b"\n", 1)
        return json.loads(line)

    def _await(self, condition, sentence):
        for _ in range(QMP_PATIENCE_S * 100):
            if condition():
                return
            assert self._process.poll() is None, f"{sentence}; the run has ended"
            time.sleep(0.01)
        pytest.fail(sentence)


@pytest.fixture
def runner(request, built):
    made = Runner()
    request.node.pando_results = made.results
    return made


@pytest.fixture
def run(runner):
    """run(PROGRAM, ARGUMENT..., cores=, memory=, files=, timeout=, options=, panics=): a Result."""
    return runner


@pytest.fixture
def probe(runner):
    """probe(NAME, cores=, panics=): the Result of a test that runs inside the kernel."""

    def start(name, cores=4, **more):
        options = ["--kernel", str(PROBE_KERNEL), "--kernel-option=--probe", f"--kernel-option={name}"]
        return runner("hello", cores=cores, options=options + more.pop("options", []), **more)

    return start


@pytest.fixture
def machine(runner):
    """machine(PROGRAM, ARGUMENT..., ...): a Machine, ended with the test."""
    made = []

    def start(program, *arguments, **options):
        made.append(Machine(runner, program, *arguments, **options))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows how its last runs ended."""
    report = (yield).get_result()
    if report.failed:
        for result in getattr(item, "pando_results", [])[-3:]:
            said = result.stderr.decode(errors="replace")[-4000:]
            text = f"{' '.join(result.command)}\nstatus {result.status}\n--- kernel.log\n{result.log[-8000:]}"
            report.sections.append(("pando run", f"{text}--- standard error\n{said}"))
