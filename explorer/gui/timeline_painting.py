"""How the timeline is drawn: a close view of one shot with its curve, and below it the whole video with all shots."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen, QPolygonF

from explorer.gui.results_grid_tiles import mixed
from explorer.gui.shot_times import ShotTimes

SHOT_ROW_PX, VIDEO_ROW_PX, GAP_PX, MARGIN_PX = 34, 26, 7, 10
_NARROW_PX = 3.0
_LEAST_MARK_PX = 4.0


@dataclass(frozen=True, slots=True)
class TimelineLayout:
    """Where the rows of a timeline are.

    Attributes:
        shot_row: the shot, from its start to its end.
        video_row: the whole video; empty where that is the same.
        shot_span: seconds at the ends of the first.
        duration_s: at the end of the second.
    """

    shot_row: QRectF
    video_row: QRectF
    shot_span: tuple[float, float]
    duration_s: float

    def x_in_shot(self, time_s: float) -> float:
        """Where a time is in the row of the shot."""
        start, end = self.shot_span
        part = (time_s - start) / (end - start) if end > start else 0.0
        return self.shot_row.left() + min(1.0, max(0.0, part)) * self.shot_row.width()

    def x_in_video(self, time_s: float) -> float:
        """Where a time is in the row of the video."""
        part = time_s / self.duration_s if self.duration_s > 0 else 0.0
        return self.video_row.left() + min(1.0, max(0.0, part)) * self.video_row.width()

    def time_in_shot(self, x: float) -> float:
        """The time at a place of the row of the shot."""
        start, end = self.shot_span
        part = (x - self.shot_row.left()) / max(1.0, self.shot_row.width())
        return start + min(1.0, max(0.0, part)) * (end - start)

    def time_in_video(self, x: float) -> float:
        """The time at a place of the row of the video."""
        part = (x - self.video_row.left()) / max(1.0, self.video_row.width())
        return min(1.0, max(0.0, part)) * self.duration_s

    def pixel_s(self) -> float:
        """Seconds of one pixel of the row of the video."""
        return self.duration_s / max(1.0, self.video_row.width())


def layout_of(width: float, top: float, times: ShotTimes, span: tuple[float, float]) -> TimelineLayout:
    """The rows below ``top``; a video that is one shot is drawn once."""
    shot_row = QRectF(MARGIN_PX, top, max(1.0, width - 2 * MARGIN_PX), SHOT_ROW_PX)
    video_row = QRectF(shot_row.left(), shot_row.bottom() + GAP_PX, shot_row.width(), VIDEO_ROW_PX)
    return TimelineLayout(shot_row, video_row if has_two_rows(times) else QRectF(), span, times.duration_s)


def has_two_rows(times: ShotTimes) -> bool:
    """Whether the shots differ from the video."""
    start, end = float(times.starts_s[0]), float(times.ends_s[-1])
    return len(times) > 1 or end - start < 0.9 * times.duration_s


def bars_of(layout: TimelineLayout, times: ShotTimes) -> list[tuple[QRectF, float]]:
    """Bars of the shots over the whole video: where, and how strong in [0, 1].

    Where shots are narrow there is one bar for each pixel, as high as the best shot in it.
    """
    row, strengths = layout.video_row, times.strengths()
    if len(times) * _NARROW_PX > row.width():
        pixel, bars = layout.pixel_s(), []
        for column in range(int(row.width())):
            seen = times.within(column * pixel, (column + 1) * pixel)
            strongest = float(strengths[seen.start - times.first : seen.stop - times.first].max())
            bars.append((QRectF(row.left() + column, row.top(), 1, row.height()), strongest))
        return bars
    bars = []
    for start, end, strength in zip(times.starts_s, times.ends_s, strengths, strict=True):
        left, right = layout.x_in_video(start), layout.x_in_video(end)
        gap = 1.0 if right - left > _NARROW_PX else 0.0
        bars.append((QRectF(left, row.top(), max(1.0, right - left - gap), row.height()), float(strength)))
    return bars


def marked_rect(layout: TimelineLayout) -> QRectF:
    """Where the shot of the upper row is within the lower one, never too narrow to be seen."""
    left, right = (layout.x_in_video(time_s) for time_s in layout.shot_span)
    if right - left < _LEAST_MARK_PX:
        middle = min(max((left + right) / 2, layout.video_row.left() + _LEAST_MARK_PX / 2),
                     layout.video_row.right() - _LEAST_MARK_PX / 2)
        left, right = middle - _LEAST_MARK_PX / 2, middle + _LEAST_MARK_PX / 2
    return QRectF(left, layout.video_row.top(), right - left, layout.video_row.height())


def draw_rows(painter: QPainter, palette: QPalette, layout: TimelineLayout, times: ShotTimes) -> None:
    """The grounds, the shots with their scores, and which of them the upper row shows."""
    window, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
    accent = palette.color(QPalette.ColorRole.Highlight)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.fillRect(layout.shot_row, mixed(window, text, 0.10))
    if layout.video_row.isEmpty():
        return
    painter.fillRect(layout.video_row, mixed(window, text, 0.05))
    plain = not times.scores.size
    for bar, strength in bars_of(layout, times):
        painter.fillRect(bar, mixed(window, text, 0.16))
        if not plain:
            high = max(2.0, round(bar.height() * strength))
            colour = mixed(mixed(window, text, 0.2), accent, 0.45 + 0.55 * strength)
            painter.fillRect(QRectF(bar.left(), bar.bottom() - high, bar.width(), high), colour)
    _draw_mark(painter, layout, text)


def _draw_mark(painter: QPainter, layout: TimelineLayout, text: QColor) -> None:
    """A frame around the shot, and what ties it to its close view."""
    mark, shot = marked_rect(layout), layout.shot_row
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    tie = QColor(text)
    tie.setAlphaF(0.13)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tie)
    painter.drawPolygon(QPolygonF([shot.bottomLeft(), shot.bottomRight(), mark.topRight(), mark.topLeft()]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(text, 1.5, j=Qt.PenJoinStyle.MiterJoin))
    painter.drawRect(mark.adjusted(-0.5, -0.5, 0.5, 0.5))


def draw_curve(
    painter: QPainter, palette: QPalette, layout: TimelineLayout, times_s: np.ndarray, values: np.ndarray
) -> None:
    """When in the shot the model found what it was asked for: a line over its own area, from its lowest value up."""
    finite = np.isfinite(values)
    if not finite.any():
        return
    times_s, values = times_s[finite], values[finite]
    low, high = float(values.min()), float(values.max())
    part = (values - low) / (high - low) if high > low else np.full(values.shape, 0.5)
    row = layout.shot_row
    room = row.height() - 6
    ends = (layout.shot_span[0], layout.shot_span[1])
    xs = [layout.x_in_shot(time_s) for time_s in (ends[0], *times_s.tolist(), ends[1])]
    ys = [row.bottom() - 3 - room * float(y) for y in (part[0], *part.tolist(), part[-1])]
    line = [QPointF(x, y) for x, y in zip(xs, ys, strict=True)]
    accent = palette.color(QPalette.ColorRole.Highlight)
    area = QColor(accent)
    area.setAlphaF(0.30)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(area)
    painter.drawPolygon(QPolygonF([*line, QPointF(xs[-1], row.bottom()), QPointF(xs[0], row.bottom())]))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(accent, 1.6))
    painter.drawPolyline(QPolygonF(line))
    painter.restore()


def draw_playhead(painter: QPainter, palette: QPalette, layout: TimelineLayout, time_s: float) -> None:
    """The time that is shown, in both rows."""
    text, window = palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window)
    places = []
    start, end = layout.shot_span
    if start - 1e-3 <= time_s <= end + 1e-3:
        places.append((layout.x_in_shot(time_s), layout.shot_row))
    if not layout.video_row.isEmpty():
        places.append((layout.x_in_video(time_s), layout.video_row))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for x, row in places:
        at = round(x)
        painter.fillRect(QRectF(at - 2, row.top() - 2, 4, row.height() + 4), window)
        painter.fillRect(QRectF(at - 1, row.top() - 2, 2, row.height() + 4), text)
        painter.setPen(QPen(window, 1))
        painter.setBrush(text)
        painter.drawEllipse(QPointF(at, row.top() - 1), 3.5, 3.5)


def draw_hover(painter: QPainter, palette: QPalette, row: QRectF, x: float) -> None:
    """Where the pointer is."""
    colour = palette.color(QPalette.ColorRole.WindowText)
    colour.setAlphaF(0.5)
    painter.fillRect(QRectF(round(x), row.top(), 1, row.height()), colour)
