"""browser: a parent renders a document through two renderers that it does not trust, and says which of them
misbehaved; what is not hostile in the document is on the page whatever they do. Seed two, 6.2."""

import re
import textwrap

import pytest

WIDTH = 40
BLOCKED = "[blocked]\n"
TEXT = ["=A page", "The quick brown fox jumps over the lazy dog, again and again, until it is tired of it.",
        "x" * 100, "Short.", " ".join(f"word{number}" for number in range(700)), "=The end of it"]
FORBIDDEN = {"console_write": 2, "proc_create": 10, "handle_close": 15, "handle_duplicate": 16, "handle_info": 17,
             "object_create": 19, "channel_create": 32, "vcore_notify": 9, "cores_request": 6, "none": 60}
MISBEHAVIOUR = {"!write": "did what the processor does not permit", "!lie": "gave an answer that makes no sense",
                "!exit": "ended before its time"}
NOT_PERMITTED = "made a call that it may not make"
HARMLESS = "!call 0 0"  # null
MANY = 40


def rendered(paragraph, width=WIDTH):
    if paragraph.startswith("!"):
        return "[script]\n" if paragraph == HARMLESS else BLOCKED
    if paragraph.startswith("="):
        heading = paragraph[1:].strip()
        return f"{heading}\n{'=' * len(heading)}\n"
    words = [word[at:at + width] for word in paragraph.split() for at in range(0, len(word), width)]
    lines = [[]]
    for word in words:
        if lines[-1] and len(" ".join(lines[-1] + [word])) > width:
            lines.append([])
        lines[-1].append(word)
    return "\n".join(map(" ".join, lines)) + "\n"


def expect_page(browse, paragraphs, **more):
    result = browse(paragraphs, **more)
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == "\n".join(map(rendered, paragraphs))
    assert "processes own 0 frames" in result.log
    *complaints, summary = result.stderr.decode().splitlines()
    hostile = sum(paragraph.startswith("!") and paragraph != HARMLESS for paragraph in paragraphs)
    assert summary == f"browser: {len(paragraphs)} paragraphs by {2 + hostile} renderers"
    return [re.fullmatch(r"browser: renderer [01] (.*); another takes its place", line)[1] for line in complaints]


@pytest.fixture
def browse(run, tmp_path):
    def start(paragraphs, cores=2, **more):
        page = tmp_path / "page.txt"
        page.write_text("\n\n".join(paragraphs) + "\n")
        return run("browser", "-w", WIDTH, "page.txt", files=[page], cores=cores, timeout=60, **more)

    return start


def test_page(browse):
    assert expect_page(browse, TEXT) == []


def test_script_that_does_what_it_may(browse):
    assert expect_page(browse, [*TEXT, HARMLESS]) == []


def test_long_page(browse):
    paragraphs = [textwrap.shorten(TEXT[4], 40 + 13 * number, placeholder="") for number in range(100)]
    assert expect_page(browse, paragraphs) == []


@pytest.mark.parametrize("call", FORBIDDEN)
def test_renderer_that_makes_a_forbidden_call(browse, call):
    """It is ended, the parent is told, and the page is finished by another."""
    assert expect_page(browse, [*TEXT, f"!call {FORBIDDEN[call]} 3", *TEXT]) == [NOT_PERMITTED]


@pytest.mark.parametrize("script", MISBEHAVIOUR)
def test_renderer_that_misbehaves(browse, script):
    assert expect_page(browse, [*TEXT, script, *TEXT]) == [MISBEHAVIOUR[script]]


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_page_that_is_hostile_throughout(browse, cores):
    scripts = [*MISBEHAVIOUR, "!call 10 1"] * (MANY // 4)
    complaints = expect_page(browse, scripts, cores=cores)
    assert sorted(complaints) == sorted([*MISBEHAVIOUR.values(), NOT_PERMITTED] * (MANY // 4))


@pytest.mark.parametrize("arguments", [[], ["-w", "7", "page.txt"], ["-w"], ["a", "b"]])
def test_usage(run, arguments):
    result = run("browser", *arguments, cores=1)
    assert (result.status, result.stdout) == (2, b"")
    assert result.stderr.decode().startswith("usage: browser")


def test_no_such_document(run):
    result = run("browser", "nowhere.txt", cores=1)
    assert (result.status, result.stderr) == (1, b"browser: nowhere.txt: there is no such file\n")
