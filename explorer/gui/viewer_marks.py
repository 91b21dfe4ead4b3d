"""What is drawn over picture and layers in the widget's own pixels: the place pointed at, its tag, a colour key."""

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from explorer.gui.overlay_controls import value_text
from explorer.gui.painters import bar_image
from explorer.overlays import PlacedOverlay, bar_range

_INK = QColor(255, 255, 255)
_LIGHT = QColor(235, 235, 235)
_GROUND = QColor(20, 20, 20, 215)
_CASING = QColor(0, 0, 0, 170)
_PAD = 5.0


def place_rect(target: QRectF, box: tuple[float, float, float, float]) -> QRectF:
    """A normalised box in the widget."""
    left, top, right, bottom = box
    return QRectF(
        QPointF(target.left() + left * target.width(), target.top() + top * target.height()),
        QPointF(target.left() + right * target.width(), target.top() + bottom * target.height()),
    )


def draw_place(painter: QPainter, rect: QRectF, *, pinned: bool) -> None:
    """An outline that is seen on any ground: white with a dark edge; thin while it only follows the pointer."""
    around, width = rect.toRect(), 3 if pinned else 1
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, px in ((_CASING, width + 2), (_INK, width)):
        painter.setPen(QPen(colour, px, j=Qt.PenJoinStyle.MiterJoin))
        painter.drawRect(around)


def draw_tag(painter: QPainter, view: QRectF, at: QRectF, text: str) -> None:
    """A few words above a place, or wherever there is room near it; shortened where they do not fit at all."""
    metrics = QFontMetricsF(painter.font())
    words = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, view.width() - 4 * _PAD)
    size = QSizeF(metrics.horizontalAdvance(words) + 2 * _PAD, metrics.height() + 2)
    seen = at.intersected(view)
    top = seen.top() - size.height() - 3
    if top < view.top() + 2:
        top = min(seen.bottom() + 3, view.bottom() - size.height() - 2)
    left = min(max(seen.left(), view.left() + 2), view.right() - size.width() - 2)
    ground = QRectF(QPointF(left, top), size)
    _draw_ground(painter, ground)
    painter.setPen(_INK)
    painter.drawText(ground, Qt.AlignmentFlag.AlignCenter, words)


def draw_key(painter: QPainter, view: QRectF, overlay: PlacedOverlay, title: str) -> None:
    """What the colours mean while a layer shows something else than its controls say: bottom left of the view.

    One line without a title, where that is said already.
    """
    metrics = QFontMetricsF(painter.font())
    low, high = bar_range(overlay)
    ends = value_text(low, high - low), value_text(high, high - low)
    bar_width = 84.0
    numbers = sum(metrics.horizontalAdvance(end) for end in ends)
    width = min(view.width() - 8, max(metrics.horizontalAdvance(title), bar_width + numbers + 3 * _PAD) + 2 * _PAD)
    height = (2 if title else 1) * metrics.height() + (2 if title else 1) * _PAD
    ground = QRectF(view.left() + 4, view.bottom() - height - 4, width, height)
    _draw_ground(painter, ground)
    inside = ground.adjusted(_PAD, _PAD / 2, -_PAD, -_PAD / 2)
    painter.setPen(_INK)
    line = QRectF(inside.left(), inside.top(), inside.width(), metrics.height())
    if title:
        words = metrics.elidedText(title, Qt.TextElideMode.ElideRight, line.width())
        painter.drawText(line, Qt.AlignmentFlag.AlignLeft, words)
        line.translate(0, metrics.height() + _PAD / 2)
    painter.drawText(line, Qt.AlignmentFlag.AlignLeft, ends[0])
    painter.drawText(line, Qt.AlignmentFlag.AlignRight, ends[1])
    bar = line.adjusted(
        metrics.horizontalAdvance(ends[0]) + _PAD, 4, -metrics.horizontalAdvance(ends[1]) - _PAD, -4)
    painter.fillRect(bar, _LIGHT)  # as a picture under a cover
    painter.drawImage(bar, bar_image(overlay))


def draw_note(painter: QPainter, view: QRectF, text: str) -> None:
    """A sentence about the picture, bottom left of the view, in as many lines as it takes."""
    flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
    room = QRectF(0, 0, view.width() - 8 - 2 * _PAD, view.height())
    size = QFontMetricsF(painter.font()).boundingRect(room, int(flags), text).size()
    height = size.height() + _PAD
    ground = QRectF(view.left() + 4, view.bottom() - height - 4, size.width() + 2 * _PAD, height)
    _draw_ground(painter, ground)
    painter.setPen(_INK)
    painter.drawText(ground.adjusted(_PAD, _PAD / 2, 0, 0), int(flags), text)


def _draw_ground(painter: QPainter, rect: QRectF) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_GROUND)
    painter.drawRoundedRect(rect, 4, 4)
    painter.restore()
