"""Runs as the window starts and steers them, with a trainer that only pretends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.gui.training import control as controlling
from explorer.gui.training.control import Doing
from explorer.gui.training.processes import is_gone
from explorer.protocol.runs import RunFailed
from explorer.runs.alive import is_alive
from explorer.runs.layout import RunFolder
from explorer.runs.state import RunStatus


@pytest.fixture
def refusals(control):
    said = []
    control.refused.connect(said.append)
    return said


def status(control, path):
    return control.state(path).status


def running(control, path):
    return control.doing(path) is None and status(control, path) is RunStatus.RUNNING


def over(control, path):
    return not control.lives(path) and not is_alive(RunFolder(path))


def test_a_run_is_listed_at_once_then_begins_learns_and_finishes(control, start, until, trainer, qtbot):
    ended = []
    control.finished.connect(ended.append)
    path = start("first")
    assert control.paths() == (path,)
    assert control.living() == (path,)
    assert control.doing(path) is Doing.STARTING
    assert control.description(path).name == "first"
    assert b"tvdb" in control.recipe(path)
    until(lambda: status(control, path) is RunStatus.FINISHED)
    state = control.state(path)
    assert len(state.losses["loss"]) == 60
    assert [round(value, 2) for value in state.metrics["recall_at_10"].values] == [7.05, 13.27, 18.76]
    assert state.pid not in (0, os.getpid())
    assert ended == [path]
    until(lambda: over(control, path))
    assert control.living() == ()


def test_a_pause_is_told_and_ends(control, start, until, trainer):
    trainer("--hold", "--pace", 0.001)
    path = start()
    until(lambda: running(control, path))
    control.pause(path)
    assert control.doing(path) is Doing.PAUSING
    until(lambda: status(control, path) is RunStatus.PAUSED)
    assert control.doing(path) is None
    control.resume(path)
    assert control.doing(path) is Doing.RESUMING
    until(lambda: running(control, path))
    control.keep_best(path)
    until(lambda: status(control, path) is RunStatus.FINISHED)


def test_a_stop_is_acknowledged_at_once_kept_and_gone_on_with(control, start, until, trainer):
    trainer("--hold", "--pace", 0.001)
    path = start()
    until(lambda: control.state(path).epoch == 3)
    control.stop(path)
    assert control.doing(path) is Doing.STOPPING
    until(lambda: status(control, path) is RunStatus.STOPPED)
    assert control.doing(path) is None
    until(lambda: over(control, path))
    assert control.state(path).can_go_on
    trainer()
    control.go_on(path)
    assert control.doing(path) is Doing.STARTING
    assert control.lives(path)
    until(lambda: status(control, path) is RunStatus.FINISHED)
    steps = control.state(path).losses["loss"].steps
    assert list(steps) == list(range(1, 61))  # those after the checkpoint were done again, and count once


def test_a_stop_while_it_starts_is_heard(control, start, until, trainer):
    trainer("--hold")
    path = start()
    until(lambda: control._runs[path].started_pid)
    control.stop(path)
    until(lambda: status(control, path) is RunStatus.STOPPED)


def test_the_best_epoch_can_be_kept(control, start, until, trainer):
    trainer("--hold", "--pace", 0.001)
    path = start()
    until(lambda: control.state(path).can_keep)
    control.keep_best(path)
    assert control.doing(path) is Doing.KEEPING
    until(lambda: status(control, path) is RunStatus.FINISHED)
    assert control.state(path).finished.early


def test_where_there_is_nothing_to_keep_the_run_says_so_and_goes_on(control, start, until, trainer):
    trainer("--hold", "--epochs", 1)
    path = start()
    until(lambda: running(control, path))
    assert not control.state(path).can_keep
    control.keep_best(path)
    until(lambda: control.doing(path) is None)
    assert status(control, path) is RunStatus.RUNNING
    assert "no finished epoch" in control.state(path).log[-1][1]


def test_a_deaf_trainer_is_ended_and_the_run_can_go_on(control, start, until, trainer, monkeypatch):
    monkeypatch.setattr(controlling, "PATIENCE_MS", 300)
    trainer("--hold", "--deaf", "--pace", 0.001)
    path = start()
    until(lambda: control.state(path).epoch == 3)
    pid = control.state(path).pid
    control.stop(path)
    until(lambda: status(control, path) is RunStatus.STOPPED)
    assert is_gone(pid)
    assert "was ended" in control.state(path).log[-2][1]
    trainer()
    until(lambda: over(control, path))
    control.go_on(path)
    until(lambda: status(control, path) is RunStatus.FINISHED)


def test_a_discarded_run_is_stopped_and_gone(control, start, until, trainer, refusals):
    trainer("--hold")
    path = start()
    until(lambda: running(control, path))
    control.discard(path)
    assert control.doing(path) is Doing.DISCARDING
    until(lambda: control.paths() == ())
    assert not path.exists()
    assert refusals == []


def test_a_run_that_lives_is_not_deleted(control, start, until, trainer, refusals):
    trainer("--hold")
    path = start()
    until(lambda: running(control, path))
    control.delete(path)
    until(lambda: refusals)
    assert "is being trained" in refusals[0]
    assert path.exists()
    control.stop(path)
    until(lambda: over(control, path))
    control.delete(path)
    until(lambda: control.paths() == ())


def test_a_failure_keeps_its_sentence(control, start, until, trainer):
    trainer("--fail-at", 30)
    path = start()
    until(lambda: status(control, path) is RunStatus.FAILED)
    assert control.state(path).failed.remedy == "Lower training.learning_rate."
    until(lambda: over(control, path))


def test_a_process_that_dies_without_a_word_is_noticed(control, start, until, trainer):
    trainer("--die-at", 30)
    path = start()
    until(lambda: status(control, path) is RunStatus.DIED)
    failed = control.state(path).failed
    assert isinstance(failed, RunFailed)
    assert "Killed by the test" in failed.details
    trainer()
    control.go_on(path)
    until(lambda: status(control, path) is RunStatus.FINISHED)


def test_a_trainer_that_cannot_begin_is_noticed(control, start, until, trainer, refusals):
    trainer("--refuse", "The device cuda:7 is not there.")
    path = start()
    until(lambda: status(control, path) is RunStatus.DIED)
    assert "cuda:7" in control.state(path).failed.details
    assert refusals == []


def test_going_on_that_fails_at_once_says_so(control, start, until, trainer, refusals):
    trainer("--hold")
    path = start()
    until(lambda: running(control, path))
    control.stop(path)
    until(lambda: over(control, path))
    trainer("--refuse", "The device cuda:7 is not there.")
    control.go_on(path)
    until(lambda: refusals)
    assert refusals == ["The training process ended at once. The device cuda:7 is not there."]
    assert status(control, path) is RunStatus.STOPPED


def test_a_command_that_is_not_there_is_one_sentence(control, start, until, monkeypatch, refusals):
    monkeypatch.setattr(controlling, "trainer_command", lambda data_dir: ["/nowhere/python"])
    path = start()
    until(lambda: refusals)
    assert refusals[0].startswith("The training process cannot be started (/nowhere/python is not there")
    assert control.doing(path) is None


def test_a_runs_folder_that_cannot_be_made_is_one_sentence(control, start, tmp_path, refusals, until):
    (tmp_path / "runs").write_text("a file")
    path = control.start(b"", name="x", task="tvdb", title="", recipe_folder=tmp_path, device="cpu")
    assert path is None
    assert len(refusals) == 1
    assert "cannot be" in refusals[0]
    assert control.paths() == ()


def test_a_run_of_the_command_line_appears_and_can_be_stopped(control, make_run, until, trainer):
    run = make_run("from a terminal")
    child = subprocess.Popen([sys.executable, str(_fake()), "--hold", "--resume", str(run.path)])
    until(lambda: run.path in control.paths() and running(control, run.path))
    control.stop(run.path)
    until(lambda: status(control, run.path) is RunStatus.STOPPED)
    assert child.wait(30) == 0


def test_orders_to_what_is_over_do_nothing(control, make_run, fake_run, until, refusals):
    run = make_run("old", fake_run.events(n_epochs=2, n_steps=3))
    until(lambda: control.paths() == (run.path,) and status(control, run.path) is RunStatus.DIED)
    for order in (control.pause, control.resume, control.stop, control.keep_best):
        order(run.path)
        order(run.path / "nothing")
        assert control.doing(run.path) is None
    assert not run.orders_path.exists()
    assert refusals == []


def _fake() -> Path:
    return Path(__file__).resolve().parent.parent / "helpers" / "fake_trainer.py"
