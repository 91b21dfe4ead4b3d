"""A window with a fake engine for every test, and proof afterwards that nothing of it is left running."""

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PySide6.QtWidgets import QApplication

from explorer.gui import app as window_app
from explorer.gui.controller import Controller
from explorer.gui.main_window import MainWindow
from explorer.gui.worker import running_workers

CHECKOUT = Path(__file__).resolve().parents[2]
FAKE_ENGINE = CHECKOUT / "tests" / "helpers" / "fake_engine.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform says this of every window with a smallest size; it is not about us."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support propagateSizeHints"))


@pytest.fixture
def fake_command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The command of a fake engine with these options."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
    return lambda *options: [sys.executable, str(FAKE_ENGINE), *map(str, options)]


OpenWindow = Callable[..., tuple[MainWindow, Controller]]


@pytest.fixture
def open_window(qapp: QApplication, tmp_path: Path, fake_command: Callable[..., list[str]]) -> Iterator[OpenWindow]:
    """Open a window on a fake engine with these options; ends everything and looks for leftovers."""
    opened: list[tuple[MainWindow, Controller]] = []
    before = set(threading.enumerate())

    def open_one(*options: object, wait: bool = True, start: bool = True) -> tuple[MainWindow, Controller]:
        window_app.prepare_application(qapp)
        window, controller = window_app.build_window(None, data_dir=tmp_path, engine_command=fake_command(*options))
        window.resize(1280, 800)
        window.show()
        opened.append((window, controller))
        if start:
            controller.start()
        if start and wait:
            wait_until(lambda: controller.session.ranking is not None and controller.session.model_ready)
        return window, controller

    yield open_one
    for window, controller in opened:
        window.hide()
        window_app.leave_window(window, controller, tmp_path)
        for timer in window.findChildren(QTimer) + controller.findChildren(QTimer):
            timer.stop() if timer.isSingleShot() else None
        window.deleteLater()
        controller.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    wait_until(lambda: running_workers() == 0 and set(threading.enumerate()) <= before, 30)
    assert set(threading.enumerate()) <= before, f"threads left behind: {set(threading.enumerate()) - before}"
    assert qapp.findChildren(QThread) == []
    assert [t for t in qapp.findChildren(QTimer) if t.isActive()] == []


def wait_until(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    """Run the event loop until the condition holds; say which one did not."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come to pass in time")
        QCoreApplication.processEvents()
        time.sleep(0.002)


@pytest.fixture
def until() -> Callable[..., None]:
    """Run the event loop until something holds."""
    return wait_until
