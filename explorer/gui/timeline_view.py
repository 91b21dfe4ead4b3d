"""How the timeline looks: two rows, one shot with its curve and the whole video with its shots, and the time shown."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QPainter,
    QPaintEvent,
    QPalette,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QAbstractSlider, QSizePolicy, QWidget

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
_TOLD_EVERY_MS = 1000
_NOTHING = np.zeros(0, np.float32)


class TimelineView(QAbstractSlider):
    """Two rows: one shot from its start to its end, and below it the whole video; of a single shot only the first.

    Its value are the milliseconds of the time that is shown, for those who cannot see it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setOrientation(Qt.Orientation.Horizontal)
        self._times: ShotTimes | None = None
        self._position = 0
        self._time_s = 0.0
        self._curve: tuple[str, np.ndarray, np.ndarray] = "", _NOTHING, _NOTHING
        self._rows: QPixmap | None = None
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
        words = [self.shot_text(self._position), self.span_text(self._position)]
        words += [score_text(score)] if score is not None else []
        return " · ".join(word for word in words if word)

    def span_text(self, position: int) -> str:
        """When a shot is: ``0:12–0:15``; within one second ``0:12.2–0:12.8``."""
        assert self._times is not None
        start, end = self._times.span(position)
        text = clock if clock(start) != clock(end) else fine_clock
        return f"{text(start)}–{text(end)}"

    def shot_text(self, position: int) -> str:
        """Which of the shots it is; nothing of the only one."""
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

    def in_video_row(self, at: QPointF, layout: TimelineLayout) -> bool:
        """Whether a place of the widget is in the row of the whole video."""
        return not layout.video_row.isEmpty() and at.y() > layout.shot_row.bottom() + GAP_PX / 2

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
        if self._hover is not None:
            in_video = self.in_video_row(self._hover, layout)
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
