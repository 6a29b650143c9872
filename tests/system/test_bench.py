"""`pando bench`: a line `name value unit` for each figure asked for."""

import importlib.util
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD_AND_RUN_S = 180

# The most that each may be, and its unit.
LIMITS = {"kernel_image": (160, "KiB"), "syscall_null": (100, "instructions")}


def bench(*names):
    command = [os.path.join(ROOT, "pando"), "bench", *names]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          timeout=BUILD_AND_RUN_S)


@pytest.fixture(name="module")
def bench_module(monkeypatch):
    """bench/bench.py, which builds nothing and has no figures yet."""
    spec = importlib.util.spec_from_file_location("bench", os.path.join(ROOT, "bench", "bench.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "build", lambda: 0)
    return module


@pytest.mark.slow
def test_figures():
    done = bench(*LIMITS)
    assert done.returncode == 0, done.stderr
    lines = [line.split(None, 2) for line in done.stdout.splitlines()]
    assert [line[0] for line in lines] == list(LIMITS)
    for name, value, rest in lines:
        limit, unit = LIMITS[name]
        assert rest == f"{unit}; at most {limit}"
        assert 0 < float(value) <= limit


def test_overrun(module, monkeypatch, capsys):
    """Each figure past its bound is named, the others are measured all the same, the status is 1."""
    figures = {
        "equal": module.Figure(lambda: (100, "instructions"), 100),
        "more": module.Figure(lambda: (1000.5, "instructions (2 parts)"), 1000),
        "enough": module.Figure(lambda: (1.9, "x"), least=1.9),
        "less": module.Figure(lambda: (1.899, "x"), least=1.9),
        "none": module.Figure(lambda: (module.SKIPPED, ""), 1.5),
    }
    monkeypatch.setattr(module, "FIGURES", figures)
    assert module.main([]) == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [
        "equal 100 instructions; at most 100",
        "more 1000.5 instructions (2 parts); at most 1,000",
        "enough 1.9 x; at least 1.9",
        "less 1.899 x; at least 1.9",
        "none skipped; at most 1.5",
    ]
    assert said.err.splitlines() == [
        "pando: more is past its bound: 1000.5, at most 1,000",
        "pando: less is past its bound: 1.899, at least 1.9",
    ]
    assert module.main(["equal", "enough", "none"]) == 0
    assert module.main(["equal", "more"]) == 1


def test_not_measured(module, monkeypatch, capsys):
    def fail():
        raise module.Failed("no answer")
    monkeypatch.setattr(module, "FIGURES", {"one": module.Figure(fail, 1)})
    assert module.main([]) == 1
    assert capsys.readouterr().err == "pando: one: no answer\n"


def test_every_figure_is_documented(module):
    """With its bound, in the one table."""
    with open(os.path.join(ROOT, "docs", "figures.md"), encoding="utf-8") as page:
        rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in page if line.startswith("| `")]
    bounds = {row[0].strip("`"): row[2] for row in rows if len(row) == 5}
    assert list(bounds) == list(module.FIGURES)
    for name, figure in module.FIGURES.items():
        number = figure.bound().removeprefix("at most ")
        assert bounds[name].removesuffix(" KiB").removesuffix(" x") == number


def test_unknown_figure():
    done = bench("no_such_figure")
    assert (done.returncode, done.stdout) == (125, "")
    assert "no_such_figure" in done.stderr and done.stderr.count("\n") == 1
