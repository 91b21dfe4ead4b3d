"""Runs with a fake trainer, a window with a fake engine, and proof afterwards that nothing of it is left running."""

import contextlib
import importlib.util
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explorer.gui.training import control as controlling
from explorer.gui.training import estimating, watcher
from explorer.gui.training.control import TrainingControl
from explorer.protocol.runs import RunBegan
from explorer.runs.folder import create_run
from explorer.runs.journal import JournalReader, JournalWriter
from explorer.runs.layout import RunFolder

_TESTS = Path(__file__).resolve().parent.parent
FAKE_TRAINER = _TESTS / "helpers" / "fake_trainer.py"
RECIPE = b'task = "tvdb"\nname = "tiny"\n\n[training]\nepochs = 3\n'


def _load(name: str, path: Path) -> object:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_of_windows = _load("fixtures_of_windows", _TESTS / "gui" / "conftest.py")
fake_command = _of_windows.fake_command
open_window = _of_windows.open_window
until = _of_windows.until
wait_until = _of_windows.wait_until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform says this of windows with a smallest size, and of raised ones; it is not about us."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support", extend=True))


@pytest.fixture
def fake_run():
    """The module of the fake trainer: what a run says."""
    return _load("fake_trainer", FAKE_TRAINER)


@pytest.fixture
def trainer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Let runs be trained by the fake trainer with these options; ends those that are left."""

    def choose(*options: object) -> None:
        command = [sys.executable, str(FAKE_TRAINER), *map(str, options)]
        for module in (controlling, estimating):
            monkeypatch.setattr(module, "trainer_command", lambda data_dir: command)

    monkeypatch.setattr(watcher, "LIST_S", 0.1)  # tests are not to wait for a second each
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(_TESTS.parent), os.environ.get("PYTHONPATH", "")]))
    choose()
    yield choose
    for journal in (tmp_path / "runs").glob("*/journal"):
        for event in JournalReader(journal).read():
            if isinstance(event, RunBegan):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(event.pid, signal.SIGKILL)


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., RunFolder]:
    """A run that nobody trains, with this journal."""

    def make(name: str = "tiny", events: object = (), *, task: str = "tvdb", recipe: bytes = RECIPE) -> RunFolder:
        run = create_run(tmp_path / "runs", name, recipe, task=task, title="TVDB", recipe_folder=tmp_path)
        journal = JournalWriter(run.journal_path)
        for event in events:
            journal.append(event)
        journal.close()
        return run

    return make


@pytest.fixture
def control(open_window, trainer, until) -> TrainingControl:
    """The runs of an open window, listed."""
    window, _ = open_window()
    until(lambda: window.training.control.listed)
    return window.training.control


@pytest.fixture
def start(control: TrainingControl, tmp_path: Path) -> Callable[..., Path]:
    """Start a run from the window."""

    def start_one(name: str = "tiny") -> Path:
        path = control.start(RECIPE, name=name, task="tvdb", title="TVDB", recipe_folder=tmp_path, device="cpu")
        assert path is not None
        return path

    return start_one


@pytest.fixture
def opened(control, until):
    """The window of training."""
    part = control.parent()
    part.open()
    until(lambda: part.window is not None)
    return part.window


@pytest.fixture
def shown(opened, control, until):
    """Show a run in it, read whole."""

    def show(run):
        until(lambda: run.path in control.paths() and control.state(run.path).log)
        opened.show_run(run.path)
        return opened.view

    return show
