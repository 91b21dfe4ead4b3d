"""Playing a shot with its overlays on: frames shown a second, and the longest stall of the event loop.

Run with ``pytest tests/benchmarks/test_playback_benchmarks.py --benchmark-enable -s`` to see the figures. Decoding runs
in threads of Qt's; what the window's own thread does for a frame is to convert it to RGB, to mix the maps of its time,
and to colour and paint all of it, and these are timed alone as well.
"""

import os
import statistics
import time
from contextlib import contextmanager

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtMultimedia import QVideoFrame
from PySide6.QtWidgets import QApplication

from explorer.gui.painters import OverlayPainter
from explorer.gui.viewer import Viewer
from explorer.gui.viewer_canvas import PictureCanvas
from explorer.media.writing import write_video
from explorer.protocol import ClipMaps, Explanation, ItemDescription, MovingClasses, MovingGrid

SECONDS, N_FRAMES = 4.0, 16
PLAYED_S = 6.0


def _frames(width, height, rate):
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    texture = np.random.default_rng(0).integers(0, 40, (height, width, 1), np.uint8)
    for n in range(round(SECONDS * rate)):
        waves = np.sin(x / 37 + n / 5) * np.cos(y / 23 - n / 9) * 70 + 110
        frame = np.stack([waves, np.roll(waves, 40, axis=1), 220 - waves], axis=2).astype(np.uint8)
        yield np.minimum(frame, 215) + np.roll(texture, 3 * n, axis=1)


def _item(path, width, height):
    return ItemDescription(
        item_id=1, path=os.fsencode(path), display=str(path), name=path.name, kind="video", width_px=width,
        height_px=height, size_bytes=path.stat().st_size, modified_at=1.7e9, duration_s=SECONDS, start_s=0.0,
        end_s=SECONDS, n_shots=1,
    )


def _explanation():
    times = (np.arange(N_FRAMES) + 0.5) * SECONDS / N_FRAMES
    n, y, x = np.mgrid[0:N_FRAMES, 0:7, 0:7]
    heat = np.exp(-((x - n * 6 / N_FRAMES) ** 2 + (y - 3) ** 2) / 4).astype("<f2")
    n, y, x = np.mgrid[0:N_FRAMES, 0:56, 0:56]
    ids = ((x - 3 * n - 5) ** 2 + (y - 28) ** 2 < 150).astype(np.uint8) + 2 * (y > 45).astype(np.uint8)
    return Explanation(
        id=1, item_id=1, model="m", attention=(), class_map=None, presence=(), score=0.5, elapsed_ms=1.0,
        clip=ClipMaps(
            times_s=times.astype("<f4").tobytes(), curve_title="Similarity", curve=times.astype("<f4").tobytes(),
            attention=(MovingGrid(name="cam", title="Similarity", height=7, width=7, values=heat.tobytes()),),
            class_maps=MovingClasses(
                height=56, width=56, class_ids=ids.tobytes(), confidence=np.full(ids.shape, 230, np.uint8).tobytes(),
                names=("background", "dog", "road", "sky"),
            ),
        ),
    )


class _Ticker(QObject):
    """Times between two ticks of a 1 ms timer, in ms."""

    def __init__(self):
        super().__init__()
        self.gaps, self._last = [], time.perf_counter()
        self._timer = QTimer(self, interval=1, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start()

    def _tick(self):
        now = time.perf_counter()
        self.gaps.append(1e3 * (now - self._last))
        self._last = now


class _Paints(QObject):
    def __init__(self, widget):
        super().__init__()
        self.n = 0
        widget.installEventFilter(self)

    def eventFilter(self, watched, event):
        self.n += event.type() is QEvent.Type.Paint
        return False


@contextmanager
def _timed(owner, name, times):
    """Note how long each call of a method takes, in ms."""
    method = getattr(owner, name)

    def noted(*args, **kwargs):
        started = time.perf_counter()
        try:
            return method(*args, **kwargs)
        finally:
            times.append(1e3 * (time.perf_counter() - started))

    setattr(owner, name, noted)
    try:
        yield
    finally:
        setattr(owner, name, method)


def _spin(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.0005)


@pytest.mark.parametrize("overlays", ["none", "heat", "heat and classes"])
@pytest.mark.parametrize(("width", "height", "rate"), [(640, 360, 25), (640, 360, 30), (1280, 720, 25)])
def test_playing_with_overlays(qtbot, tmp_path, width, height, rate, overlays):
    path = tmp_path / "clip.mp4"
    write_video(path, _frames(width, height, rate), rate)
    viewer = Viewer()
    qtbot.addWidget(viewer)
    viewer.resize(656, 900)
    viewer.show()
    painting, mixing, layers, converting = [], [], [], []
    with (
        _timed(PictureCanvas, "paintEvent", painting), _timed(Viewer, "_show_layers", mixing),
        _timed(OverlayPainter, "paint", layers), _timed(QVideoFrame, "toImage", converting),
    ):
        ticker = _Ticker()
        viewer.show_item(_item(path, width, height), 0.5, 1)
        _spin(1.0)
        opening_ms, ticker.gaps = max(ticker.gaps), []
        if overlays != "none":
            viewer.show_explanation(_explanation())
            viewer.layers.boxes[1].check.setChecked(overlays == "heat and classes")
        _spin(SECONDS)  # once around, so that what is remembered of each frame is there
        first_round_ms, ticker.gaps = max(ticker.gaps), []
        for times in (painting, mixing, layers, converting):
            times.clear()
        paints, before = _Paints(viewer.canvas), time.perf_counter()
        _spin(PLAYED_S)
        shown = paints.n / (time.perf_counter() - before)
        stall_ms = max(ticker.gaps)
    viewer.clear()
    rect = viewer.canvas.size()
    print(
        f"\n{width} x {height}, {rate} fps in {rect.width()} x {rect.height()}, overlays: {overlays}: {shown:.1f} "
        f"frames/s ({shown / rate:.0%}), longest stall {stall_ms:.0f} ms (first round {first_round_ms:.0f} ms, opening "
        f"{opening_ms:.0f} ms); a frame: to RGB {statistics.median(converting):.1f} ms, maps of its time "
        f"{statistics.median(mixing):.2f} ms, all painting {statistics.median(painting):.1f} ms, of which layers "
        f"{sum(layers) / max(1, len(painting)):.1f} ms"
    )
    assert shown > 0.5 * rate
