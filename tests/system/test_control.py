"""Control of processes by handles: rights, errors, what is given, ends and their reasons, watches, sandboxes."""

import pytest


def expect_ok(result, output="ok\n"):
    assert result.status == 0, result.stderr.decode() + result.log
    assert result.text() == output


@pytest.mark.parametrize("test", ["rights", "errors", "give", "table", "environments", "arguments",
                                  "info", "limits", "reasons",
                                  "watches", "watcher-ends"])
@pytest.mark.parametrize("cores", [1, 2])
def test_control(run, test, cores):
    expect_ok(run("control", test, cores=cores))


def test_end_for_lack_of_memory(run):
    expect_ok(run("control", "out-of-memory", cores=2, memory=64))


@pytest.mark.parametrize("cores", [1, 2, 4])
def test_kill_in_every_state(run, cores):
    expect_ok(run("control", "states", cores, cores=cores))


def test_second_kill_of_one_that_is_dying(run):
    expect_ok(run("control", "dying", cores=3))


@pytest.mark.parametrize("cores", [1, 4])
def test_process_ends_with_its_creator(run, cores):
    expect_ok(run("control", "creator-ends", "creator", cores=cores))


@pytest.mark.parametrize("cores", [1, 4])
def test_detached_process_outlives_its_creator(run, cores):
    result = run("control", "creator-ends", "creator-detaches", cores=cores)
    assert result.status == 0, result.stderr.decode() + result.log
    assert sorted(result.lines()) == ["ok", "outlived"]


@pytest.mark.parametrize("line", ["of-leaver", "of-leaver-exits", "of-keeper", "taken-over"])
@pytest.mark.parametrize("cores", [1, 4])
def test_nothing_detached_escapes_the_controller(run, line, cores):
    expect_ok(run("generations", "test", line, cores=cores))


def test_what_the_first_process_detaches_is_free(run):
    result = run("generations", "test", "free", cores=2)
    assert result.status == 0, result.stderr.decode() + result.log
    assert sorted(result.lines()) == ["free", "ok"]


# --- runtime images of one's own ----------------------------------------------------------------------


@pytest.mark.parametrize("test", ["parts", "kept", "errors", "guest", "replaced"])
def test_image(run, test):
    expect_ok(run("images", test, cores=2))


# --- sandboxes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("test", ["filter-error", "filter-end", "inherited", "tighten"])
@pytest.mark.parametrize("cores", [1, 2])
def test_sandbox(run, test, cores):
    expect_ok(run("sandbox", test, cores=cores))


@pytest.mark.parametrize("cores, vcores", [(1, 0), (1, 1), (2, 0), (2, 1), (4, 3)])
def test_calls_answered_in_a_guests_stead(run, cores, vcores):
    expect_ok(run("sandbox", "guests", vcores, cores=cores))


@pytest.mark.parametrize("cores, vcores", [(1, 0), (2, 1)])
def test_all_of_a_call_is_handed_up(run, cores, vcores):
    expect_ok(run("sandbox", "messages", vcores, cores=cores))


@pytest.mark.parametrize("cores", [1, 2])
def test_calls_that_nobody_answers_any_more(run, cores):
    result = run("sandbox", "asker-leaves", cores=cores)
    assert result.status == 0, result.stderr.decode() + result.log
    assert sorted(result.lines()) == ["ok", "refused", "refused"]
