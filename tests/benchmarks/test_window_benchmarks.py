"""The window's own speed: first paint beside a bare window, the longest stall, the window's share of a search.

``pytest tests/benchmarks/test_window_benchmarks.py --benchmark-enable -s`` prints the figures. Times are the best of
several interleaved runs, because the machine is shared; stalls are of the best of three runs for the same reason.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QObject, Qt, QTimer
from PySide6.QtWidgets import QApplication

from explorer.gui import app as window_app

CHECKOUT = Path(__file__).resolve().parents[2]
FAKE_ENGINE = CHECKOUT / "tests" / "helpers" / "fake_engine.py"
FRAME_MS = 33.0
_WAIT = QEventLoop.ProcessEventsFlag.AllEvents | QEventLoop.ProcessEventsFlag.WaitForMoreEvents

_WATCH = """
import os, sys
def watch_window(window, *_):
    from PySide6.QtCore import QEvent, QObject, QTimer
    def leave():
        print("painted", flush=True)
        os._exit(0)
    class Watch(QObject):
        def eventFilter(self, watched, event):
            if event.type() == QEvent.Type.Paint and watched is window:
                QTimer.singleShot(0, leave)
            return False
    window.watch = Watch()
    window.installEventFilter(window.watch)
"""
_BARE = _WATCH + """
from PySide6.QtWidgets import QApplication, QWidget
app = QApplication([])
window = QWidget()
window.resize(1280, 800)
window.show()
watch_window(window)
app.exec()
"""
_OURS = _WATCH + """
from pathlib import Path
from explorer.gui import app
app.complete_after_paint = watch_window
app.run_window(None, data_dir=Path(sys.argv[1]), engine_command=["false"])
"""


def seconds_to_paint(code: str, folder: Path) -> float:
    """From the start of the process to the end of its first paint."""
    environment = {**os.environ, "PYTHONPATH": str(CHECKOUT), "QT_QPA_PLATFORM": "offscreen"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")  # as installed: compiled once, before the first run
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        line = child.stdout.readline()
        elapsed = time.perf_counter() - started
        assert line == b"painted\n", child.stderr.read().decode()
    return elapsed


def test_first_paint_beside_a_bare_window(tmp_path: Path) -> None:
    """At most twice the time of an empty PySide6 window, everything counted: interpreter, imports, settings, layout."""
    seconds_to_paint(_BARE, tmp_path), seconds_to_paint(_OURS, tmp_path)  # files into the cache
    bare, ours = [], []
    for _ in range(3):  # more rounds only where the machine was busy
        for _ in range(5):
            bare.append(seconds_to_paint(_BARE, tmp_path))
            ours.append(seconds_to_paint(_OURS, tmp_path))
        ratio = min(ours) / min(bare)
        if ratio <= 2.0:
            break
    sys.stderr.write(f"\nfirst paint: bare {min(bare):.3f} s, ours {min(ours):.3f} s, ratio {ratio:.2f}\n")
    assert ratio <= 2.0


class StallWatch(QObject):
    """Longest time in which the event loop came to nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.longest_ms = 0.0
        self._last = time.perf_counter()
        self._timer = QTimer(self, interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.longest_ms = max(self.longest_ms, 1000 * (now - self._last))
        self._last = now

    def reset(self) -> None:
        self.longest_ms, self._last = 0.0, time.perf_counter()


def run_until(condition: Callable[[], object], timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end
        QCoreApplication.processEvents(_WAIT, 20)


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """The command of a fake engine."""
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    return lambda *options: [sys.executable, str(FAKE_ENGINE), *map(str, options)]


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_longest_stall_while_the_engine_loads_and_indexes(
    qapp: QApplication, tmp_path: Path, engine: Callable[..., list[str]]
) -> None:
    """An engine that keeps a core busy while it loads and then indexes 7,000 photos; no frame is missed for long."""
    stalls = []
    for attempt in range(3):
        command = engine("--items", 0, "--n-found", 7000, "--rate", 3500, "--step", 50, "--burn-ms", 1500)
        data = tmp_path / str(attempt)
        window, controller = window_app.build_window(None, data_dir=data, engine_command=command)
        window.resize(1280, 800)
        window.show()
        run_until(lambda window=window: window.isVisible())
        QCoreApplication.processEvents()
        watch = StallWatch()
        watch.reset()
        controller.start()
        run_until(lambda session=controller.session: session.library is not None and session.model_ready)
        loading_ms = watch.longest_ms
        watch.reset()
        controller.add_folders([b"/photos"])
        run_until(
            lambda session=controller.session: session.indexing is None and session.library.n_items == 7000
        )
        stalls.append((loading_ms, watch.longest_ms))
        watch.deleteLater()
        window.hide()
        window_app.leave_window(window, controller, data)
        window.deleteLater()
        controller.deleteLater()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    loading, indexing = min(s[0] for s in stalls), min(s[1] for s in stalls)
    sys.stderr.write(f"\nlongest stall: loading {loading:.1f} ms, indexing 7,000 {indexing:.1f} ms (all: {stalls})\n")
    assert loading <= FRAME_MS
    assert indexing <= FRAME_MS


class PaintWatch(QObject):
    """Notes when a widget was painted."""

    def __init__(self) -> None:
        super().__init__()
        self.at = 0.0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self.at = time.perf_counter()
        return False


@pytest.mark.qt_log_ignore("propagateSizeHints")
def test_from_enter_to_repaint_at_ten_thousand(
    qapp: QApplication, tmp_path: Path, engine: Callable[..., list[str]]
) -> None:
    """The window's share of a search: an engine that answers at once, 10,000 results, from Enter to the paint."""
    command = engine("--items", 10_000, "--search-ms", 0)
    window, controller = window_app.build_window(None, data_dir=tmp_path, engine_command=command)
    window.resize(1280, 800)
    window.show()
    controller.start()
    run_until(lambda: controller.session.model_ready and controller.session.ranking is not None)
    watch = PaintWatch()
    window.pane.grid.viewport().installEventFilter(watch)
    times, arrived = [], []
    window.pane.arrived.connect(lambda: arrived.append(time.perf_counter()))
    for n in range(15):
        window.query.edit.setText(f"query {n}")
        arrived.clear()
        started = time.perf_counter()
        window.query.search_now()
        run_until(lambda: arrived and watch.at > arrived[0])
        times.append(1000 * (watch.at - started))
        rest_until = time.monotonic() + 0.2  # its thumbnails come before a person types again
        run_until(lambda until=rest_until: time.monotonic() > until)
    window.hide()
    window_app.leave_window(window, controller, tmp_path)
    window.deleteLater()
    controller.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    sys.stderr.write(f"\nEnter to repaint, 10,000 items, engine's time ~0: median {statistics.median(times):.1f} ms\n")
    assert min(times) <= 3 * FRAME_MS
