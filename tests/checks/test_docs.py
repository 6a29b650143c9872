"""The pages: every test is named in docs/testing.md, every noun has its page, links lead somewhere, lines are short."""

import re

import pytest

from conftest import ROOT

COLUMNS = 110
TESTS = ["**/test_*.py", "unit/test_*.c", "unit/stress_*.c", "models/*.pml"]
TEST_NAME = re.compile(r"(test|stress)_[a-z0-9_]+\.(py|c)|[a-z0-9_]+\.pml")
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMED = re.compile(r"\bdocs/[\w/.-]+\.md\b")
IN_SOURCES = ["abi/*.h", "kernel/**/*.[ch]", "runtime/**/*.[ch]", "tests/models/*.pml"]


def pages(root):
    return [root / "README.md", *sorted((root / "docs").rglob("*.md"))]


def unnamed_tests(root):
    """Names of test files that docs/testing.md does not have, in code marks, and those it has of none."""
    named = set(re.findall(r"`([\w.]+)`", (root / "docs/testing.md").read_text()))
    found = {path.name for pattern in TESTS for path in (root / "tests").glob(pattern)}
    return sorted(found - named) + sorted(set(filter(TEST_NAME.fullmatch, named)) - found)


def anchors(page):
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(root):
    broken = []
    for page in pages(root):
        for link in LINK.findall(page.read_text()):
            path, _, anchor = link.partition("#")
            target = page.parent / path if path else page
            if "://" not in link and not (target.exists() and (not anchor or anchor in anchors(target))):
                broken.append(f"{page.relative_to(root)}: {link}")
    return broken


def long_lines(root):
    """Rows of tables may be longer: they cannot be broken."""
    return [f"{page.relative_to(root)}:{number}"
            for page in pages(root) for number, line in enumerate(page.read_text().split("\n"), 1)
            if len(line) > COLUMNS and not line.startswith("|")]


def pages_not_in_the_readme(root):
    """A page of docs/ that no link of the README leads to, decisions and calls apart."""
    linked = {link.partition("#")[0] for link in LINK.findall((root / "README.md").read_text())}
    return [page.name for page in sorted((root / "docs").glob("*.md")) if f"docs/{page.name}" not in linked]


def pages_that_sources_miss(root):
    return sorted({f"{path.relative_to(root)}: {name}" for pattern in IN_SOURCES for path in root.glob(pattern)
                   for name in NAMED.findall(path.read_text()) if not (root / name).exists()})


def test_every_test_is_named():
    assert unnamed_tests(ROOT) == []


def test_links_lead_somewhere():
    assert broken_links(ROOT) == []


def test_lines_are_short():
    assert long_lines(ROOT) == []


def test_every_page_is_in_the_readme():
    assert pages_not_in_the_readme(ROOT) == []


def test_pages_that_sources_name_are_there():
    assert pages_that_sources_miss(ROOT) == []


# --- what is planted is found -------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    for folder in ("docs", "tests/unit", "tests/models", "kernel"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "docs/testing.md").write_text("# Testing\n\n`test_known.c`, `known.pml`, `test_known.py`\n")
    (tmp_path / "README.md").write_text("# Tree\n\n[testing](docs/testing.md#testing)\n")
    for name in ("unit/test_known.c", "models/known.pml", "test_known.py"):
        (tmp_path / "tests" / name).touch()
    (tmp_path / "kernel/known.c").write_text("/* docs/testing.md. */\n")
    return tmp_path


def test_sound_tree_passes(tree):
    for check in (unnamed_tests, broken_links, long_lines, pages_not_in_the_readme, pages_that_sources_miss):
        assert check(tree) == []


@pytest.mark.parametrize("name", ["unit/test_new.c", "unit/stress_new.c", "models/new.pml", "unit/test_new.py"])
def test_unnamed_test_is_found(tree, name):
    (tree / "tests" / name).touch()
    assert unnamed_tests(tree) == [name.split("/")[1]]


def test_test_that_is_gone_is_found(tree):
    (tree / "tests/models/known.pml").unlink()
    assert unnamed_tests(tree) == ["known.pml"]


@pytest.mark.parametrize("link", ["gone.md", "testing.md#gone", "#gone"])
def test_broken_link_is_found(tree, link):
    (tree / "docs/testing.md").write_text(f"# Testing\n\n`test_known.c` [here]({link})\n")
    assert broken_links(tree) == [f"docs/testing.md: {link}"]


def test_long_line_is_found(tree):
    (tree / "docs/testing.md").write_text("# Testing\n\n" + "x" * 111 + "\n\n|" + "x" * 111 + "|\n")
    assert long_lines(tree) == ["docs/testing.md:3"]


def test_page_that_nobody_names_is_found(tree):
    (tree / "docs/new.md").touch()
    assert pages_not_in_the_readme(tree) == ["new.md"]


def test_page_that_is_gone_is_found(tree):
    (tree / "kernel/known.c").write_text("/* docs/gone.md. */\n")
    assert pages_that_sources_miss(tree) == ["kernel/known.c: docs/gone.md"]
