"""The window with the real engine on real photos: stalls, memory, latency, as one JSON document.

    python tests/benchmarks/window_report.py FOLDER_OF_PHOTOS [--items N] > window.json

Indexes the folder into a fresh library with the real engine while the window is up, measuring how long the window's
event loop ever stood still (a timer of 1 ms notes the time between its ticks) and the resident memory of both
processes; then fills the library to N items (default 10,000, with copies of real vectors under new names) and times
sentences from Enter to the repaint of the grid.
"""

import argparse
import json
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from explorer.engine.client import engine_command
from explorer.gui.app import build_window
from explorer.protocol import LibraryState, SearchResponse

SENTENCES = (
    "a dog jumping over a log", "two children playing in the snow", "a man riding a wave", "people at a market",
    "a red car on a street", "a girl in a pink dress", "a climber on a rock", "a football match", "a bird over water",
    "a woman with a guitar",
)


class Ticker(QObject):
    """Longest time between two ticks of a 1 ms timer since the last :meth:`take`, in ms."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self, interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter()
        self._longest = 0.0
        self._timer.start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self._longest = max(self._longest, now - self._last)
        self._last = now

    def take(self) -> float:
        longest, self._longest = self._longest, 0.0
        return round(1e3 * longest, 1)


class Paints(QObject):
    """Time of the last paint of a widget."""

    def __init__(self) -> None:
        super().__init__()
        self.last = 0.0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Paint:
            self.last = time.perf_counter()
        return False


def wait_until(condition: Callable[[], bool], limit_s: float) -> None:
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"nothing happened for {limit_s:.0f} s")
        QApplication.processEvents()
        time.sleep(0.0005)


def resident_mb(process: psutil.Process) -> float:
    return round(process.memory_info().rss / 1e6, 1)


def fill(library: Path, n_items: int) -> None:
    """Copies of real items, vectors and thumbnails under new names, straight into the catalogue."""
    connection = sqlite3.connect(library / "library.sqlite")
    (n_known, highest) = connection.execute("SELECT COUNT(*), MAX(id) FROM items").fetchone()
    columns = [row[1] for row in connection.execute("PRAGMA table_info(items)")]
    others = ", ".join(column for column in columns if column not in ("id", "name"))
    step = 0
    while n_known + step < n_items:
        take = min(n_known, n_items - n_known - step)
        source = f"FROM items WHERE id <= {highest} ORDER BY id LIMIT {take}"
        connection.execute(
            f"INSERT INTO items (id, name, {others}) "
            f"SELECT id + {highest + step}, CAST('copy {step} of ' AS BLOB) || name, {others} {source}"
        )
        for table in ("segments", "thumbnails", "vectors"):
            names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})") if row[1] != "item_id"]
            names = [name for name in names if not (table == "vectors" and name == "id")]
            rest = ", ".join(names)
            connection.execute(
                f"INSERT INTO {table} (item_id, {rest}) SELECT item_id + {highest + step}, {rest} FROM {table} "
                f"WHERE item_id IN (SELECT id {source})"
            )
        step += take
    connection.execute("UPDATE models SET change_counter = change_counter + 1")
    connection.commit()
    connection.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--items", type=int, default=10_000)
    wanted = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication(sys.argv[:1])
    report: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as scratch:
        data_dir = Path(scratch)
        window, controller = build_window(None, data_dir=data_dir, engine_command=engine_command(data_dir))
        states: list[LibraryState] = []
        controller.library_changed.connect(lambda state: states.append(state) if state else None)
        rankings: list[SearchResponse] = []
        arrivals: list[float] = []
        controller.ranking_changed.connect(rankings.append)
        controller.ranking_changed.connect(lambda _: arrivals.append(time.perf_counter()))
        window.show()
        ticker = Ticker()
        wait_until(lambda: window.isVisible(), 5)
        for _ in range(50):
            app.processEvents()
        ticker.take()
        controller.start()
        wait_until(lambda: bool(states) and controller.session.model_ready, 120)
        report["longest_stall_ms_engine_loads"] = ticker.take()
        own = psutil.Process()
        (engine,) = own.children()  # looked for once: it reads all of /proc, which would count as a stall
        report["window_mb_idle"] = resident_mb(own)
        report["engine_mb_loaded"] = resident_mb(engine)

        app.processEvents()
        ticker.take()
        started = time.monotonic()
        controller.add_folders((os.fsencode(wanted.folder.absolute()),))
        wait_until(lambda: controller.session.indexing is not None, 10)
        memory: list[tuple[float, float]] = []
        while controller.session.indexing is not None:
            until = time.monotonic() + 2
            wait_until(lambda until=until: time.monotonic() > until or controller.session.indexing is None, 60)
            memory.append((resident_mb(own), resident_mb(engine)))
        report["longest_stall_ms_indexing"] = ticker.take()
        report["n_indexed"] = states[-1].n_items
        report["indexing_s"] = round(time.monotonic() - started, 1)
        tenth = max(1, len(memory) // 10)
        for place, name in enumerate(("window", "engine")):
            values = [pair[place] for pair in memory]
            early, late = max(values[tenth : 2 * tenth] or values), max(values)
            report[f"{name}_mb_while_indexing"] = {
                "after_a_tenth": early, "highest": late, "ratio": round(late / early, 3)
            }

        fill(data_dir / "library", wanted.items)
        latencies, parts = [], []
        paints = Paints()
        window.pane.grid.viewport().installEventFilter(paints)
        app.processEvents()
        ticker.take()  # filling kept this process busy, not the window
        for turn, sentence in enumerate((SENTENCES[0], *SENTENCES, *SENTENCES)):
            n_before = len(rankings)
            field = window.query.edit
            field.setText(sentence)
            began = time.perf_counter()
            QTest.keyClick(field, Qt.Key.Key_Return)
            wait_until(lambda n=n_before: len(rankings) > n, 30)
            wait_until(lambda came=arrivals[-1]: paints.last > came, 5)
            if turn:  # the first builds the arrays
                latencies.append(1e3 * (paints.last - began))
                answer = rankings[-1]
                parts.append((answer.encode_ms, answer.score_ms, answer.sort_ms))
        report["n_items_searched"] = len(rankings[-1].item_ids) // 8
        report["enter_to_repaint_ms"] = {
            "median": round(statistics.median(latencies), 1), "longest": round(max(latencies), 1)
        }
        report["of_which_ms"] = {
            name: round(statistics.median(part[place] for part in parts), 2)
            for place, name in enumerate(("encode", "score", "sort"))
        }
        report["longest_stall_ms_searching"] = ticker.take()
        report["window_mb_end"] = resident_mb(own)
        report["engine_mb_end"] = resident_mb(engine)
        window.close()
        controller.close()
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
