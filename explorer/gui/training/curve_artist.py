"""The thread that draws curves: matplotlib takes longer for a picture than the window has between two frames."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QImage

from explorer.gui.worker import Worker

if TYPE_CHECKING:  # it brings matplotlib, which comes in the thread
    from explorer.figures.curve_spec import CurvesSpec

MakeSpec = Callable[[], "CurvesSpec"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture of curves.

    Attributes:
        key: what it was asked for as.
        image: with the device pixel ratio of its specification.
        plot: inside the axes, in the window's pixels from the picture's top left.
        last_step: where the axis of steps, which begins at 0, ends.
    """

    key: str
    spec: "CurvesSpec"
    image: QImage
    plot: QRectF
    last_step: float


class CurveArtist(Worker):
    """Draws what was asked for last under each key, one after the other; the boards that it draws on stay its own.

    Signals:
        drawn(Drawn): a picture is ready.
    """

    drawn = Signal(object)

    def __init__(self) -> None:
        super().__init__("curve artist")
        self._wanted: dict[str, MakeSpec] = {}
        self._lock = threading.Lock()
        self._keys: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def draw(self, key: str, make: MakeSpec) -> None:
        """Draw what ``make`` returns in the thread; what was asked for under this key and is not begun is forgotten."""
        with self._lock:
            if key not in self._wanted:
                self._keys.put(key)
            self._wanted[key] = make

    def stop(self) -> None:
        """End after the present picture."""
        with self._lock:
            self._wanted.clear()
        self._keys.put(None)

    def work(self) -> None:
        """Draw."""
        from explorer.figures.curves import draw_curves, plot_box  # here, because importing it takes most of a second

        while (key := self._keys.get()) is not None:
            with self._lock:
                make = self._wanted.pop(key, None)
            if make is None:
                continue
            spec = make()
            pixels = draw_curves(spec)
            height, width = pixels.shape[:2]
            image = QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
            image.setDevicePixelRatio(spec.ratio)
            box = plot_box(spec)
            plot = QRectF(box.left_px, box.top_px, box.width_px, box.height_px)
            self.drawn.emit(Drawn(key=key, spec=spec, image=image, plot=plot, last_step=box.last_step))
