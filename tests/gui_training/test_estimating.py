"""What a run would take, asked before it: measured by a process of its own, the latest question counts."""

import os
import tempfile
from pathlib import Path

import pytest

from explorer.gui.training import estimating
from explorer.gui.worker import running_workers
from explorer.protocol.runs import Estimated, RunFailed


@pytest.fixture
def told(control, tmp_path, monkeypatch):
    """What was said; the folders of estimates lie in the test's own."""
    (tmp_path / "estimates").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "estimates"))
    said = []
    control.estimated.connect(said.append)
    return said


@pytest.fixture
def ask(control, tmp_path):
    return lambda: control.estimate(b'task = "tvdb"\n', recipe_folder=tmp_path, device="cpu")


def left(tmp_path: Path) -> list[str]:
    return os.listdir(tmp_path / "estimates")


def test_the_trainer_measures_and_its_folder_goes(control, told, ask, until, tmp_path):
    ask()
    assert told == [None]
    assert control.estimating
    until(lambda: len(told) == 2)
    assert isinstance(told[1], Estimated)
    assert told[1].seconds == 600.0
    assert not control.estimating
    assert left(tmp_path) == []
    assert control.paths() == ()


def test_a_newer_question_ends_the_older(control, told, ask, trainer, until, tmp_path):
    trainer("--pace", 60)
    ask()
    until(lambda: left(tmp_path))
    trainer()
    ask()
    until(lambda: len(told) == 3)
    assert [type(each) for each in told] == [type(None), type(None), Estimated]
    until(lambda: left(tmp_path) == [])


def test_it_can_be_stopped(control, told, ask, trainer, until, tmp_path):
    trainer("--pace", 60)
    n_before = running_workers()
    ask()
    until(lambda: left(tmp_path))
    control.stop_estimating()
    assert not control.estimating
    assert told == [None, None]
    until(lambda: running_workers() == n_before)
    assert told == [None, None]
    assert left(tmp_path) == []


def test_a_trainer_that_cannot_measure_says_why(control, told, ask, trainer, until):
    trainer("--refuse", "The recipe asks for 8 bits; use 16 or more.")
    ask()
    until(lambda: len(told) == 2)
    assert isinstance(told[1], RunFailed)
    assert told[1].message == "The recipe asks for 8 bits; use 16 or more."


def test_a_command_that_is_not_there_is_one_sentence(control, told, ask, monkeypatch, until):
    monkeypatch.setattr(estimating, "trainer_command", lambda data_dir: ["/nowhere/python"])
    ask()
    until(lambda: len(told) == 2)
    assert told[1].message == "Nothing could be measured (No such file or directory)."
