"""A video along time: its shots and how well each fits, the shot that is explained with its curve, where it plays."""

import html

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QApplication, QSizePolicy, QToolTip, QWidget

from explorer.gui.icons import quiet_text
from explorer.gui.item_text import score_text
from explorer.gui.phrases import clock
from explorer.gui.readable import small_font
from explorer.gui.shot_times import ShotTimes, fine_clock
from explorer.gui.timeline_painting import (
    GAP_PX,
    MARGIN_PX,
    SHOT_ROW_PX,
    VIDEO_ROW_PX,
    TimelineLayout,
    draw_curve,
    draw_hover,
    draw_playhead,
    draw_rows,
    has_two_rows,
    layout_of,
)

_TOP_PX, _BOTTOM_PX = 2, 6
_CAPTION_GAP_PX = 5
_LONGEST_STEP_S = 1.0
_STEPS_OF_A_SHOT = 20
_TOLD_EVERY_MS = 1000
_NOTHING = np.zeros(0, np.float32)


class Timeline(QAbstractSlider):
    """Two rows: one shot from its start to its end, and below it the whole video; of a single shot only the first.

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
        self.setOrientation(Qt.Orientation.Horizontal)
        self._times: ShotTimes | None = None
        self._position = 0
        self._time_s = 0.0
        self._curve: tuple[str, np.ndarray, np.ndarray] = "", _NOTHING, _NOTHING
        self._rows: QPixmap | None = None
        self._pressed: tuple[QPointF, bool] | None = None
        self._dragged = False
        self._hover: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(80)
        self.setAccessibleName("Timeline")

    # --- what is shown ------------------------------------------------------------------------------------------------

    def set_times(self, times: ShotTimes, position: int) -> None:
        """Show these shots, the one at ``position`` from near."""
        if self._times is None or has_two_rows(times) != has_two_rows(self._times):
            self.updateGeometry()
        self._times, self._position = times, position
        self.setRange(0, round(times.duration_s * 1000))
        self._renew()

    def set_curve(self, title: str, times_s: np.ndarray, values: np.ndarray) -> None:
        """What lies over the shot that is shown from near: float32 (n,) each; empty for nothing."""
        self._curve = title, times_s, values
        self._renew()

    def set_time(self, time_s: float) -> None:
        """Mark the time that is shown now."""
        if time_s == self._time_s:
            return
        before, self._time_s = self._time_s, time_s
        self._tell_value()
        if self._times is not None:
            for moment in (before, time_s):
                self._update_playhead(moment)

    @property
    def time_s(self) -> float:
        """The time that is shown."""
        return self._time_s

    @property
    def position(self) -> int:
        """Of the shot that is shown from near."""
        return self._position

    @property
    def times(self) -> ShotTimes | None:
        """The shots that are shown."""
        return self._times

    def caption(self) -> str:
        """Which shot is shown from near: ``Shot 3 of 12 · 0:12–0:15 · .54``."""
        if self._times is None:
            return ""
        score = self._times.score(self._position)
        words = [self._shot_text(self._position), self._span_text(self._position)]
        words += [score_text(score)] if score is not None else []
        return " · ".join(word for word in words if word)

    def _span_text(self, position: int) -> str:
        assert self._times is not None
        start, end = self._times.span(position)
        text = clock if clock(start) != clock(end) else fine_clock
        return f"{text(start)}–{text(end)}"

    def _shot_text(self, position: int) -> str:
        assert self._times is not None
        n = len(self._times)
        return f"Shot {position + 1:,} of {n:,}" if n > 1 else ""

    def _renew(self) -> None:
        self._rows = None
        self._describe()
        self.update()

    def _describe(self) -> None:
        start = self._times.span(self._position)[0] if self._times is not None else 0.0
        self.setAccessibleDescription(f"{self.caption()}. Shown from {clock(start)}" if self._times else "")

    def _tell_value(self) -> None:
        """Tell those who cannot see it; while it plays not more often than seconds are counted."""
        value = round(self._time_s * 1000)
        if abs(value - self.value()) >= _TOLD_EVERY_MS or self.hasFocus():
            self.blockSignals(True)
            self.setValue(value)
            self.blockSignals(False)

    # --- where things are ---------------------------------------------------------------------------------------------

    def _caption_px(self) -> float:
        return float(self.fontMetrics().height()) * 0.9 + _CAPTION_GAP_PX

    def layout_now(self) -> TimelineLayout | None:
        """Where the rows are; ``None`` if there is nothing to show."""
        if self._times is None:
            return None
        top = _TOP_PX + self._caption_px()
        return layout_of(self.width(), top, self._times, self._times.span(self._position))

    def sizeHint(self) -> QSize:
        """High enough for its rows; any width."""
        two = self._times is not None and has_two_rows(self._times)
        height = _TOP_PX + self._caption_px() + SHOT_ROW_PX + _BOTTOM_PX + (GAP_PX + VIDEO_ROW_PX if two else 0)
        return QSize(240, round(height))

    def minimumSizeHint(self) -> QSize:
        """It may get narrow, never flat."""
        return QSize(80, self.sizeHint().height())

    def _in_video_row(self, at: QPointF, layout: TimelineLayout) -> bool:
        return not layout.video_row.isEmpty() and at.y() > layout.shot_row.bottom() + GAP_PX / 2

    def _time_at(self, at: QPointF, layout: TimelineLayout, *, in_video: bool) -> float:
        return layout.time_in_video(at.x()) if in_video else layout.time_in_shot(at.x())

    def _update_playhead(self, time_s: float) -> None:
        layout = self.layout_now()
        if layout is None:
            return
        for x, row in ((layout.x_in_shot(time_s), layout.shot_row), (layout.x_in_video(time_s), layout.video_row)):
            if not row.isEmpty():
                self.update(QRectF(x - 7, row.top() - 6, 14, row.height() + 10).toAlignedRect())

    # --- painting -----------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """Rows from memory, over them what moves."""
        layout = self.layout_now()
        if layout is None:
            return
        painter, palette = QPainter(self), self.palette()
        if self._rows is None or self._rows.size() != self.size() * self.devicePixelRatioF():
            self._rows = self._painted_rows(layout)
        painter.drawPixmap(0, 0, self._rows)
        draw_playhead(painter, palette, layout, self._time_s)
        if self._hover is not None and self._pressed is None:
            in_video = self._in_video_row(self._hover, layout)
            draw_hover(painter, palette, layout.video_row if in_video else layout.shot_row, self._hover.x())
        if self.hasFocus():
            painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
            painter.setPen(palette.color(QPalette.ColorRole.Highlight))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _painted_rows(self, layout: TimelineLayout) -> QPixmap:
        assert self._times is not None
        rows = QPixmap(self.size() * self.devicePixelRatioF())
        rows.setDevicePixelRatio(self.devicePixelRatioF())
        rows.fill(Qt.GlobalColor.transparent)
        painter, palette = QPainter(rows), self.palette()
        draw_rows(painter, palette, layout, self._times)
        title, times_s, values = self._curve
        if values.size:
            draw_curve(painter, palette, layout, times_s, values)
        painter.setFont(small_font(self.font()))
        painter.setPen(quiet_text(palette))
        line = QRectF(MARGIN_PX, _TOP_PX, layout.shot_row.width(), self._caption_px() - _CAPTION_GAP_PX + 2)
        caption, metrics = self.caption(), painter.fontMetrics()
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, caption)
        room = line.width() - metrics.horizontalAdvance(caption) - 16
        if values.size and room > 60:
            told = metrics.elidedText(title, Qt.TextElideMode.ElideRight, round(room))
            painter.drawText(line, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, told)
        painter.end()
        return rows

    def changeEvent(self, event: QEvent) -> None:
        """Follow the palette into the dark and back."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange):
            self._rows = None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Rows are drawn anew."""
        super().resizeEvent(event)
        self._rows = None

    # --- pointer ------------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the time."""
        layout = self.layout_now()
        if event.button() != Qt.MouseButton.LeftButton or layout is None:
            event.ignore()
            return
        in_video = self._in_video_row(event.position(), layout)
        self._pressed, self._dragged = (event.position(), in_video), False
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
        in_video = self._in_video_row(at, layout)
        time_s = self._time_at(at, layout, in_video=in_video)
        position = self._shot_near(time_s, layout) if in_video else self._position
        lines = [clock(time_s) if in_video else fine_clock(time_s)]
        score = self._times.score(position)
        told = [self._shot_text(position), self._span_text(position)]
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
