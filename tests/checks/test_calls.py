"""The one list of the system calls: what is made of it is up to date, and the kernel answers what it lists."""

import shutil
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))
import calls as call_list  # noqa: E402

CALL = """0 null()
result: 0
rights: none
errors: none
consumes: nothing
"""


def test_made_files_are_up_to_date():
    assert call_list.stale_files() == [], "run tools/calls.py"


def test_errors_of_calls_are_errors():
    known = call_list.read_errors()
    for call in call_list.read_calls():
        assert set(call.errors()) <= set(known), call.name
        assert len(set(call.errors())) == len(call.errors()), call.name


def test_each_call_is_answered():
    assert {call.name for call in call_list.read_calls()} - call_list.answered_calls() == set()


def test_each_call_says_what_its_errors_need():
    """A call that takes a handle can miss it; one of another kind only where a kind is wanted."""
    for call in call_list.read_calls():
        if {"process", "object", "end", "handle"} & set(call.arguments):
            assert "E_NO_ENTRY" in call.errors(), call.name


# --- what is planted is found -------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path):
    for top in ("abi", "docs/calls"):
        shutil.copytree(ROOT / top, tmp_path / top)
    (tmp_path / "runtime/include").mkdir(parents=True)
    shutil.copy(ROOT / call_list.STUBS, tmp_path / call_list.STUBS)
    return tmp_path


@pytest.mark.parametrize("path", [call_list.LIST_HEADER, call_list.STUBS, "docs/calls/null.md", "docs/calls/README.md"])
def test_changed_file_is_found(tree, path):
    (tree / path).write_text((tree / path).read_text() + "\n")
    assert call_list.stale_files(tree) == [path]
    call_list.write_files(tree)
    assert call_list.stale_files(tree) == []


def test_page_of_no_call_is_found(tree):
    (tree / "docs/calls/gone.md").write_text("# gone\n")
    assert call_list.stale_files(tree) == ["docs/calls/gone.md"]
    call_list.write_files(tree)
    assert not (tree / "docs/calls/gone.md").exists()


@pytest.mark.parametrize("spoilt", [
    CALL.replace("0 null", "1 null"),
    CALL.replace("rights: none\n", ""),
    CALL.replace("null()", "null(a, b, c, d, e)"),
    CALL + "message: both ways\n",
    CALL + "color: red\n",
    CALL + "result: 1\n",
    CALL + CALL,
])
def test_malformed_list_is_found(spoilt):
    assert len(call_list.parse(CALL)) == 1
    with pytest.raises(call_list.Malformed):
        call_list.parse(spoilt)
