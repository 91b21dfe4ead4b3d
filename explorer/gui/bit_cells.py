"""How one bit of two codes looks: two cells, one above the other."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPalette, QPen

from explorer.gui.icons import blend

BETWEEN_PX = 7
"""Between the two cells of a bit: room for the cross where they differ."""

_SMALLEST_MARK, _LARGEST_MARK = 0.32, 0.80
_AGREE_GROUND = 0.30
_CROSS_PX = 2.2
_PEN_PX = 1.2


def paint_bit(painter: QPainter, whole: QRectF, query: float, item: float, palette: QPalette) -> None:
    """Paint a bit into a box that is as wide as a cell.

    A set bit is a full square, one that is not set an empty one; the larger, the further it is from flipping. Where
    both agree they share one ground, where they differ there is a cross between them.
    """
    ink = palette.color(QPalette.ColorRole.WindowText)
    if (query >= 0) == (item >= 0):
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(agreement_colour(palette))
        painter.drawRoundedRect(whole.adjusted(1, 0, -1, 0), 3, 3)
    else:
        painter.setPen(QPen(ink, 1.4))
        for dy in (-_CROSS_PX, _CROSS_PX):
            painter.drawLine(whole.center() + QPointF(-_CROSS_PX, dy), whole.center() + QPointF(_CROSS_PX, -dy))
    half = whole.width() / 2
    _paint_mark(painter, QPointF(whole.center().x(), whole.top() + half), query, whole.width(), ink)
    _paint_mark(painter, QPointF(whole.center().x(), whole.bottom() - half), item, whole.width(), ink)


def agreement_colour(palette: QPalette) -> QColor:
    """The ground of bits that agree."""
    accent = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Highlight)
    return blend(accent, palette.color(QPalette.ColorRole.Window), _AGREE_GROUND)


def _paint_mark(painter: QPainter, centre: QPointF, value: float, cell: float, ink: QColor) -> None:
    edge = cell * (_SMALLEST_MARK + (_LARGEST_MARK - _SMALLEST_MARK) * abs(value))
    mark = QRectF(0, 0, edge, edge)
    mark.moveCenter(centre)
    if value >= 0:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(ink)
        painter.drawRect(mark)
    else:
        painter.setPen(QPen(ink, _PEN_PX))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(mark.adjusted(_PEN_PX / 2, _PEN_PX / 2, -_PEN_PX / 2, -_PEN_PX / 2))
