"""A picture of curves; the pointer, or the arrow keys, tell the values at a step."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.gui.icons import hairline, quiet_text
from explorer.gui.training.curve_artist import Drawn
from explorer.gui.training.run_sentences import metric_title, number

_LEAST = QSize(200, 110)
_KEY_PART = 0.02


class PlotView(QWidget):
    """Paints what was drawn last, until something newer is there.

    Signals:
        wanted(): it is seen at another size, or in other colours.
    """

    wanted = Signal()

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._empty = ""
        self.drawn: Drawn | None = None
        self._at: float | None = None
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return _LEAST

    def show_drawn(self, drawn: Drawn | None) -> None:
        """Redraw; None: there is nothing to draw yet."""
        self.drawn = drawn
        if drawn is None:
            self._at = None
        self._speak()
        self.update()

    def say_empty(self, sentence: str) -> None:
        """Say this while there is nothing to draw."""
        if sentence != self._empty:
            self._empty = sentence
            self._speak()
            self.update()

    # --- the values at a step -----------------------------------------------------------------------------------------

    @property
    def step(self) -> float | None:
        """The step that is pointed at."""
        return self._at if self.drawn is not None else None

    def values_at(self, step: float) -> tuple[int, list[tuple[str, float]]]:
        """The measured step that lies nearest, and each curve's value there."""
        assert self.drawn is not None
        values: list[tuple[str, float]] = []
        nearest = round(step)
        for curve in self.drawn.spec.curves:
            if not len(curve.steps):
                continue
            after = int(np.searchsorted(curve.steps, step))
            candidates = [i for i in (after - 1, after) if 0 <= i < len(curve.steps)]
            i = min(candidates, key=lambda i: abs(float(curve.steps[i]) - step))
            nearest = int(curve.steps[i])
            values.append((curve.name, float(curve.values[i])))
        return nearest, values

    def reading(self) -> str:
        """What stands at the step that is pointed at, a line each; empty if none is."""
        if self.drawn is None or self._at is None:
            return ""
        step, values = self.values_at(self._at)
        return "\n".join([f"step {step:,}", *(f"{metric_title(name)} {number(value)}" for name, value in values)])

    def point_at(self, step: float | None) -> None:
        """Tell the values there; None: none."""
        if step is not None and self.drawn is not None:
            step = min(max(step, 0.0), self.drawn.last_step)
        if step != self._at:
            self._at = step
            self._speak()
            self.update()

    def _speak(self) -> None:
        reading = self.reading().replace("\n", ", ")
        self.setAccessibleDescription(reading or ("" if self.drawn is not None else self._empty))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if self.drawn is not None:
            plot, x = self.drawn.plot, event.position().x()
            inside = plot.left() - 4 <= x <= plot.right() + 4 and plot.width() > 0
            self.point_at((x - plot.left()) / plot.width() * self.drawn.last_step if inside else None)

    def leaveEvent(self, event: QEvent) -> None:  # noqa: D102
        self.point_at(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: D102
        self.point_at(None)
        super().focusOutEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: D102
        moves = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
        if self.drawn is None or event.key() not in moves:
            super().keyPressEvent(event)
            return
        last = self.drawn.last_step
        at = last if self._at is None else self._at
        self.point_at(at + moves[Qt.Key(event.key())] * max(1.0, _KEY_PART * last))

    # --- painting -----------------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self.wanted.emit()

    def changeEvent(self, event: QEvent) -> None:  # noqa: D102
        super().changeEvent(event)
        if event.type() is QEvent.Type.PaletteChange:
            self.wanted.emit()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        if self.drawn is None:
            painter.setPen(quiet_text(self.palette()))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._empty)
        else:
            painter.drawImage(QPointF(0, 0), self.drawn.image)
            if self._at is not None:
                self._paint_reading(painter, self.drawn, self._at)
        if self.hasFocus():
            painter.setPen(QPen(self.palette().color(QPalette.ColorRole.Highlight), 1.0))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 4, 4)
        painter.end()

    def _paint_reading(self, painter: QPainter, drawn: Drawn, at: float) -> None:
        palette, plot = self.palette(), drawn.plot
        step, _ = self.values_at(at)
        x = plot.left() + plot.width() * min(1.0, step / drawn.last_step if drawn.last_step else 0.0)
        painter.setPen(QPen(quiet_text(palette), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, plot.top()), QPointF(x, plot.bottom()))
        text = self.reading()
        flags = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop
        box = QRectF(painter.boundingRect(QRectF(0, 0, self.width(), self.height()), flags, text)).adjusted(0, 0, 16, 8)
        box.moveTopLeft(QPointF(x + 8, plot.top()))
        if box.right() > self.width():
            box.moveRight(x - 8)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(hairline(palette), 1))
        painter.setBrush(palette.color(QPalette.ColorRole.Base))
        painter.drawRoundedRect(box, 4, 4)
        painter.setPen(palette.color(QPalette.ColorRole.Text))
        painter.drawText(box.adjusted(8, 4, -8, -4), flags, text)
