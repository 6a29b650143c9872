#!/usr/bin/python3
"""Measures Pando: a line `name value unit; at most bound` for each figure. docs/figures.md says what each
means. Ends with status 1 when one is past its bound, or cannot be measured.

usage: bench.py [NAME...]      without names: all of them"""
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build")
SKIPPED = "skipped"  # in the place of a value: this host cannot measure it


class Failed(Exception):
    pass


def run(program, *args, cores=1, memory=512, icount=True, options=(), timeout=300):
    """Runs a measuring program on Pando: its standard output and the kernels' log."""
    path = os.path.join(BUILD, "bench", "bin", program)
    place = ["--program", path] if os.path.exists(path) else []
    with tempfile.TemporaryDirectory(prefix="bench-", dir=BUILD) as folder:
        return run_in(folder, place, program, args, cores, memory, icount, options, timeout)


def run_in(folder, place, program, args, cores, memory, icount, options, timeout):
    command = [os.path.join(ROOT, "pando"), "run", "--no-build", "--run-folder", folder, "-c", str(cores),
               "-m", str(memory), "--timeout", str(timeout), *place, *(["--icount"] if icount else []),
               *options, "--", program, *args]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: status {done.returncode}: {done.stderr[-2000:]}")
    with open(os.path.join(folder, "kernel.log"), encoding="utf-8", errors="replace") as log:
        return done.stdout, log.read()


def build():
    """Builds what is stale, one build at a time; all that is said goes to standard error."""
    os.makedirs(BUILD, exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(["flock", os.path.join(BUILD, ".lock"), "make", f"-j{os.cpu_count()}", "-s", "bench"],
                          cwd=ROOT, env=environment, stdout=sys.stderr, check=False).returncode


def number(text):
    return float(text.split()[0])


def probe(name, cores, build="probe"):
    """Runs a probe of an instrumented kernel: its lines on the log."""
    kernel = os.path.join(BUILD, build, "kernel.elf")
    log = run("hello", cores=cores, options=["--kernel", kernel, "--kernel-option", "--probe",
                                             "--kernel-option", name])[1]
    return [line for line in log.splitlines() if f"probe {name}:" in line]


def boot(cores):
    """On one core all instructions; on more the path length, from the build that counts it."""
    options = ["--kernel", os.path.join(BUILD, "paths", "kernel.elf")] if cores > 1 else []
    return number(run("bench_boot", cores=cores, options=options)[0]), "instructions"


def kernel_private():
    """The most that a further kernel owns, idle: with 4 cores."""
    log = run("bench_boot", cores=4)[1]
    owned = re.findall(r"kernel (\d+) owns (\d+) frames", log)
    cached = re.findall(r"kernel [1-9]\d* .*; (\d+) free", log)
    most = max(int(frames) for core, frames in owned if core != "0")
    return most * 4, f"KiB (and {max(map(int, cached)) * 4} KiB free in its cache)"


def kmsg():
    fields = re.search(r"kmsg: (\d+) sender (\d+) receiver (\d+) least (\d+) most (\d+)",
                       probe("kmsg", 2)[0])
    total, sender, receiver, least, most = fields.groups()
    return int(total), f"instructions (sender {sender}, receiver {receiver}; {least} to {most})"


def ring_roundtrip():
    both, _, here, _, there = run("bench_channel", "ring", cores=3)[0].split()
    return int(both), f"instructions (one side {here}, the other {there})"


def kernel_fork():
    values = sorted(int(re.search(r"fork: (\d+)", line).group(1))
                    for line in probe("fork", 10, "paths"))
    return statistics.median(values), f"instructions ({values[0]} to {values[-1]} of {len(values)})"


def shootdown(vcores):
    kernel = os.path.join(BUILD, "paths", "kernel.elf")
    middle, least, most = run("bench_shootdown", str(vcores), cores=vcores + 1, options=["--kernel", kernel])[0].split()
    return int(middle), f"instructions ({least} to {most})"


def own_slots(vcores):
    """A fault in a vcore's own slot, of the vcore for which it took longest: a path length. Of 0 vcores:
    on the home's core."""
    kernel = os.path.join(BUILD, "paths", "kernel.elf")
    return number(run("bench_slots", str(vcores), cores=vcores + 1, options=["--kernel", kernel])[0])


def fault_own_slot():
    granted, home = own_slots(1), own_slots(0)
    return max(granted, home), f"instructions a page (granted core {granted}, the home's {home})"


def fault_ratio():
    one, four = own_slots(1), own_slots(4)
    return four / one, f"x ({one} and {four} instructions)"


def host_ratio():
    done = subprocess.run([os.path.join(BUILD, "bench", "host", "channel_host")], capture_output=True,
                          text=True, check=True)
    value, *unit = done.stdout.split()[1:]
    return (value if value == SKIPPED else float(value)), " ".join(unit)


def matmul_speedup():
    busiest = {}
    for vcores in (1, 2):
        plugin = os.path.join(BUILD, "bench", "pcount.so")
        with tempfile.NamedTemporaryFile("r", prefix="bench-", dir=BUILD) as log:
            run("bench_matmul", "-n", str(vcores), cores=3, icount=False,
                options=["--plugin", f"{plugin},log={log.name}"])
            busiest[vcores] = int(re.search(r"region 0 busiest (\d+)", log.read()).group(1))
    return busiest[1] / busiest[2], f"x (busiest core {busiest[1]} and {busiest[2]} instructions)"


def kernel_image():
    """Text and read-only data, without the runtime image and the symbol table."""
    names = {}
    listing = subprocess.run(["nm", os.path.join(BUILD, "kernel.elf")], capture_output=True, text=True,
                             check=True)
    for line in listing.stdout.splitlines():
        address, _, name = line.rpartition(" ")
        names[name] = int(address.split()[0], 16) if address.split()[0] != "U" else 0
    size = names["text_end"] - names["text_start"] + names["rodata_own_end"] - names["rodata_start"]
    return round(size / 1024, 1), "KiB"


class Figure:
    """How a figure is measured, and what it may be at most, or must be at least."""

    def __init__(self, measure, most=None, least=None):
        self.measure, self.most, self.least = measure, most, least

    def bound(self):
        return f"at most {self.most:,}" if self.least is None else f"at least {self.least:,}"

    def kept(self, value):
        if value == SKIPPED:
            return True
        return float(value) <= self.most if self.least is None else float(value) >= self.least


def program(*command):
    """Measures by the number that a program prints."""
    return lambda: (number(run(*command)[0]), "instructions")


FIGURES = {
    "boot_1core": Figure(lambda: boot(1), 10_000_000),
    "boot_4core": Figure(lambda: boot(4), 20_000_000),
    "kernel_private": Figure(kernel_private, 160),
    "kernel_fork": Figure(kernel_fork, 300_000),
    "syscall_null": Figure(program("bench_syscall"), 100),
    "fault_home": Figure(lambda: (number(run("bench_fault")[0]), "instructions a page"), 1_000),
    "mmap_1p": Figure(program("bench_memory", "1"), 4_000),
    "mmap_256p": Figure(program("bench_memory", "256"), 300_000),
    "move_1m": Figure(program("bench_move", "256"), 40_000),
    "move_2m": Figure(program("bench_move", "512"), 6_000),
    "proc_cycle": Figure(program("bench_proc"), 25_000),
    "chan_roundtrip": Figure(program("bench_channel", "roundtrip"), 2_500),
    "ring_roundtrip": Figure(ring_roundtrip, 400),
    "kmsg": Figure(kmsg, 120),
    "fault_own_slot": Figure(fault_own_slot, 1_000),
    "fault_4v_over_1v": Figure(fault_ratio, 1.1),
    "shootdown_8": Figure(lambda: shootdown(8), 6_000),
    "channel_host_ratio": Figure(host_ratio, 1.5),
    "matmul_speedup_2": Figure(matmul_speedup, least=1.9),
    "kernel_image": Figure(kernel_image, 160),
}


def show(value):
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    return str(value)


def report(name):
    """Measures a figure and prints its line; whether it keeps its bound."""
    figure = FIGURES[name]
    value, unit = figure.measure()
    print(f"{name} {show(value)} {unit}".rstrip() + f"; {figure.bound()}", flush=True)
    kept = figure.kept(value)
    if not kept:
        print(f"pando: {name} is past its bound: {show(value)}, {figure.bound()}", file=sys.stderr, flush=True)
    return kept


def main(names):
    unknown = [name for name in names if name not in FIGURES]
    if unknown:
        print(f"pando: there is no figure {unknown[0]}; there are: {' '.join(FIGURES)}", file=sys.stderr)
        return 125
    if build():
        print("pando: the build failed", file=sys.stderr)
        return 125
    status = 0
    for name in names or FIGURES:
        try:
            status = status if report(name) else 1
        except (Failed, OSError, subprocess.SubprocessError, AttributeError, LookupError, ValueError,
                ArithmeticError) as failure:
            print(f"pando: {name}: {failure}", file=sys.stderr, flush=True)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
