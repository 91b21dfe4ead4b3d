"""How one cell of the results grid looks."""

from dataclasses import dataclass

from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPalette, QPen, QPixmap

from explorer.gui.results_grid_cache import CORNER_PX, fitted

_BADGE_GROUND = QColor(16, 16, 18, 190)
_BADGE_INK = QColor(255, 255, 255)
_USUAL = QSize(640, 480)
_MAX_BADGES = 512
_BADGE_EDGE_PX = 5
_TRIANGLE_PX = 8


def mixed(first: QColor, second: QColor, part: float) -> QColor:
    """``part`` of the second colour in the first."""
    red, green, blue = (
        a + (b - a) * part for a, b in zip(
            (first.redF(), first.greenF(), first.blueF()), (second.redF(), second.greenF(), second.blueF()), strict=True
        )
    )
    return QColor.fromRgbF(red, green, blue)


@dataclass(frozen=True, slots=True)
class Tile:
    """What one cell shows.

    Attributes:
        pixmap: the thumbnail, or ``None`` while it is loading or if there is none.
        size: the thumbnail's or the picture's own size in pixels, empty if it is not known: only its shape matters.
        badge: the score as text; empty when browsing.
        moment: of a video, what its mark may say beside the triangle, the longest first; empty of a photo.
        problem: whether the item could not be read.
        current: whether it is the selected one.
        hovered: whether the pointer is over it.
    """

    pixmap: QPixmap | None
    size: QSize
    badge: str
    problem: bool
    current: bool
    hovered: bool
    moment: tuple[str, ...] = ()


class TilePainter:
    """Paints tiles with one palette and font; made anew when either changes."""

    def __init__(self, palette: QPalette, font: QFont, *, focused: bool) -> None:
        base = palette.color(QPalette.ColorRole.Base)
        text = palette.color(QPalette.ColorRole.Text)
        accent = palette.color(QPalette.ColorGroup.Active, QPalette.ColorRole.Highlight)
        self._base = base
        self.ground = mixed(base, text, 0.035)
        self._quiet = mixed(base, text, 0.075)
        self._faint = mixed(base, text, 0.45)
        self._hover = mixed(base, text, 0.30)
        self._ring = accent if focused else mixed(accent, base, 0.35)
        self._badge_font = QFont(font)
        self._badge_font.setPointSizeF(max(7.0, font.pointSizeF() * 0.9))
        self._badge_font.setWeight(QFont.Weight.DemiBold)
        self._badge_metrics = QFontMetrics(self._badge_font)
        self._badges: dict[tuple[str, bool], QPixmap] = {}
        self._ground_card: QPixmap | None = None
        self._ground_card_for = (QSize(), 0.0)
        self._small_font = QFont(font)
        self._small_font.setPointSizeF(max(7.0, font.pointSizeF() * 0.85))

    def paint(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        """Draw one cell: picture, score, mark and selection."""
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(cell.topLeft(), self._card(cell.size(), ratio))
        if tile.problem and tile.pixmap is None:
            self._paint_problem(painter, cell)
        else:
            self._paint_picture(painter, cell, tile)
        if tile.current:
            self._paint_ring(painter, cell, self._ring, 3.0)
        elif tile.hovered:
            self._paint_ring(painter, cell, self._hover, 1.5)
        room = cell.width() - 2 * _BADGE_EDGE_PX
        if tile.badge:
            size = self._put_badge(painter, cell, self._badge(tile.badge, ratio), Qt.AlignmentFlag.AlignLeft)
            room -= size.width() + _BADGE_EDGE_PX
        if tile.moment:
            marks = (self._badge(text, ratio, plays=True) for text in tile.moment)
            mark = next((mark for mark in marks if mark.deviceIndependentSize().width() <= room), None)
            if mark is not None:  # a score is never covered
                self._put_badge(painter, cell, mark, Qt.AlignmentFlag.AlignRight)

    def _put_badge(self, painter: QPainter, cell: QRect, badge: QPixmap, side: Qt.AlignmentFlag) -> QSize:
        """Draw it into a lower corner; its size."""
        size = badge.deviceIndependentSize().toSize()
        left = cell.left() + _BADGE_EDGE_PX
        if side == Qt.AlignmentFlag.AlignRight:
            left = cell.right() + 1 - _BADGE_EDGE_PX - size.width()
        painter.drawPixmap(left, cell.bottom() + 1 - _BADGE_EDGE_PX - size.height(), badge)
        return size

    def _card(self, size: QSize, ratio: float) -> QPixmap:
        """The ground of a cell, drawn once for all cells."""
        if self._ground_card is None or self._ground_card_for != (size, ratio):
            card = QPixmap(round(size.width() * ratio), round(size.height() * ratio))
            card.setDevicePixelRatio(ratio)
            card.fill(self._base)
            painter = QPainter(card)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.ground)
            painter.drawRoundedRect(QRectF(0, 0, size.width(), size.height()), CORNER_PX, CORNER_PX)
            painter.end()
            self._ground_card, self._ground_card_for = card, (size, ratio)
        return self._ground_card

    def _paint_picture(self, painter: QPainter, cell: QRect, tile: Tile) -> None:
        size = fitted(tile.size if not tile.size.isEmpty() else _USUAL, cell.size())
        place = cell.topLeft() + QPoint((cell.width() - size.width()) // 2, (cell.height() - size.height()) // 2)
        if tile.pixmap is not None:
            painter.drawPixmap(QRect(place, size), tile.pixmap)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._quiet)
            painter.drawRoundedRect(QRect(place, size), CORNER_PX, CORNER_PX)

    def _paint_problem(self, painter: QPainter, cell: QRect) -> None:
        """A triangle with an exclamation mark, and the words where there is room."""
        centre = QPointF(cell.center())
        has_words = cell.width() >= 110 and cell.height() >= 64
        if has_words:
            centre -= QPointF(0, 10)
        pen = QPen(self._faint, 1.6)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPolygon([centre + QPointF(0, -11), centre + QPointF(12, 9), centre + QPointF(-12, 9)])
        painter.drawLine(centre + QPointF(0, -4), centre + QPointF(0, 2))
        painter.drawPoint(centre + QPointF(0, 5.5))
        if has_words:
            painter.setFont(self._small_font)
            words = QRectF(cell.left(), centre.y() + 12, cell.width(), 20)
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, "Cannot be read")

    def _paint_ring(self, painter: QPainter, cell: QRect, colour: QColor, width: float) -> None:
        painter.setPen(QPen(colour, width))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        out = width / 2 + 0.5
        painter.drawRoundedRect(QRectF(cell).adjusted(-out, -out, out, out), CORNER_PX + out, CORNER_PX + out)

    def _badge(self, text: str, ratio: float, *, plays: bool = False) -> QPixmap:
        """A score, or a triangle and a time, on its ground; drawn once for each text."""
        known = self._badges.get((text, plays))
        if known is not None and known.devicePixelRatio() == ratio:
            return known
        triangle = _TRIANGLE_PX + (4 if text else 0) if plays else 0
        size = QSize(self._badge_metrics.horizontalAdvance(text) + triangle + 10, self._badge_metrics.height() + 2)
        badge = QPixmap(round(size.width() * ratio), round(size.height() * ratio))
        badge.setDevicePixelRatio(ratio)
        badge.fill(Qt.GlobalColor.transparent)
        painter = QPainter(badge)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_BADGE_GROUND)
        box = QRectF(0, 0, size.width(), size.height())
        painter.drawRoundedRect(box, CORNER_PX, CORNER_PX)
        painter.setPen(_BADGE_INK)
        painter.setFont(self._badge_font)
        painter.drawText(box.adjusted(triangle, 0, 0, 0), Qt.AlignmentFlag.AlignCenter, text)
        if plays:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_BADGE_INK)
            tip, half = QPointF(5 + _TRIANGLE_PX, box.center().y()), QPointF(_TRIANGLE_PX, _TRIANGLE_PX * 0.55)
            painter.drawPolygon([tip, tip - half, tip - QPointF(half.x(), -half.y())])
        painter.end()
        if len(self._badges) >= _MAX_BADGES:
            self._badges.clear()
        self._badges[text, plays] = badge
        return badge
