"""A video along time: a person points at shots and times in it, goes to them, and drags the time."""

import html

import numpy as np
from PySide6.QtCore import QEvent, QPointF, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QToolTip, QWidget

from explorer.gui.item_text import score_text
from explorer.gui.phrases import clock
from explorer.gui.shot_times import fine_clock
from explorer.gui.timeline_painting import TimelineLayout
from explorer.gui.timeline_view import TimelineView

_LONGEST_STEP_S = 1.0
_STEPS_OF_A_SHOT = 20


class Timeline(TimelineView):
    """Tells where a person wants to go; goes nowhere by itself.

    Signals:
        sought(float): a person wants this time, in seconds; again and again while dragging.
        shot_chosen(int, float): a person went to the shot at this position, at this time.
        held(bool): dragging begins, or is over.
    """

    sought = Signal(float)
    shot_chosen = Signal(int, float)
    held = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pressed: tuple[QPointF, bool] | None = None
        self._dragged = False

    # --- pointer ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _time_at(at: QPointF, layout: TimelineLayout, *, in_video: bool) -> float:
        return layout.time_in_video(at.x()) if in_video else layout.time_in_shot(at.x())

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the time."""
        layout = self.layout_now()
        if event.button() != Qt.MouseButton.LeftButton or layout is None:
            event.ignore()
            return
        in_video = self.in_video_row(event.position(), layout)
        self._pressed, self._dragged = (event.position(), in_video), False
        self._hover = None
        QToolTip.hideText()
        self.held.emit(True)
        self.sought.emit(self._time_at(event.position(), layout, in_video=in_video))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub, or tell what is under the pointer."""
        layout = self.layout_now()
        if layout is None:
            return
        if self._pressed is None:
            self._hover = event.position()
            QToolTip.showText(event.globalPosition().toPoint(), self.told_at(event.position()), self)
            self.update()
            return
        pressed, in_video = self._pressed
        self._dragged |= (event.position() - pressed).manhattanLength() >= QApplication.startDragDistance()
        if self._dragged:
            self.sought.emit(self._time_at(event.position(), layout, in_video=in_video))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go: in another shot it is the one that is shown from now on; a click goes to its start."""
        layout = self.layout_now()
        if event.button() != Qt.MouseButton.LeftButton or self._pressed is None or layout is None:
            return
        (_, in_video), self._pressed = self._pressed, None
        self.held.emit(False)
        if not in_video or self._times is None:
            return
        time_s = layout.time_in_video(event.position().x())
        if self._dragged:
            position = self._times.at(time_s)
        else:
            position = self._shot_near(time_s, layout)
            time_s = self._times.span(position)[0]
        if position != self._position:
            self.shot_chosen.emit(position, time_s)

    def _shot_near(self, time_s: float, layout: TimelineLayout) -> int:
        """The shot at a time; where several share a pixel, the best of them."""
        assert self._times is not None
        half = layout.pixel_s() / 2
        at = self._times.at(time_s)
        start, end = self._times.span(at)
        return at if end - start > 2 * half else self._times.best_within(time_s - half, time_s + half)

    def told_at(self, at: QPointF) -> str:
        """Time, shot and score at a place of the widget."""
        layout = self.layout_now()
        if layout is None or self._times is None:
            return ""
        in_video = self.in_video_row(at, layout)
        time_s = self._time_at(at, layout, in_video=in_video)
        position = self._shot_near(time_s, layout) if in_video else self._position
        lines = [clock(time_s) if in_video else fine_clock(time_s)]
        score = self._times.score(position)
        told = [self.shot_text(position), self.span_text(position)]
        told += [f"score {score_text(score)}"] if score is not None else []
        lines.append(" · ".join(word for word in told if word))
        title, times_s, values = self._curve
        if values.size and not in_video and np.isfinite(values).any():
            value = float(np.interp(time_s, times_s, np.nan_to_num(values)))
            lines.append(f"{html.escape(title)} {score_text(value)}")
        return "<p style='white-space:pre'>" + "<br>".join(lines) + "</p>"

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer any more."""
        super().leaveEvent(event)
        self._hover = None
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not for the timeline: whoever scrolls past must not move the time."""
        event.ignore()

    # --- keys ---------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Left and right move within the shot, Home and End go to its ends, Page Up and Page Down to other shots."""
        if self._times is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            event.ignore()
            return
        start, end = self._times.span(self._position)
        step = min(_LONGEST_STEP_S, (end - start) / _STEPS_OF_A_SHOT)
        match Qt.Key(event.key()):
            case Qt.Key.Key_Left | Qt.Key.Key_Down:
                self._seek_within(self._time_s - step)
            case Qt.Key.Key_Right | Qt.Key.Key_Up:
                self._seek_within(self._time_s + step)
            case Qt.Key.Key_Home:
                self._seek_within(start)
            case Qt.Key.Key_End:
                self._seek_within(end)
            case Qt.Key.Key_PageUp:
                self._go_to(self._position - 1)
            case Qt.Key.Key_PageDown:
                self._go_to(self._position + 1)
            case _:
                event.ignore()

    def _seek_within(self, time_s: float) -> None:
        assert self._times is not None
        start, end = self._times.span(self._position)
        self.sought.emit(min(end, max(start, time_s)))

    def _go_to(self, position: int) -> None:
        assert self._times is not None
        if self._times.first <= position < self._times.first + len(self._times):
            self.shot_chosen.emit(position, self._times.span(position)[0])

    def focusInEvent(self, event: QFocusEvent) -> None:
        """A thin frame says that keys go here."""
        super().focusInEvent(event)
        self._tell_value()
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No more."""
        super().focusOutEvent(event)
        self.update()
