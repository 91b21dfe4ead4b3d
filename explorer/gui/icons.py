"""Line glyphs drawn in the colour of the text around them, so that they fit light and dark and any scale.

Coordinates are on a 16 x 16 grid.
"""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QToolButton, QWidget

GRID = 16.0
_ROUND = 4.0


def _lines(path: QPainterPath, *points: tuple[float, float]) -> None:
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)


def glyph_path(name: str) -> QPainterPath:
    """The outline of a glyph on the 16 x 16 grid.

    Raises:
        KeyError: there is no such glyph.
    """
    path = QPainterPath()
    _GLYPHS[name](path)
    return path


def _search(path: QPainterPath) -> None:
    path.addEllipse(QPointF(7, 7), 4.5, 4.5)
    _lines(path, (10.4, 10.4), (14, 14))


def _close(path: QPainterPath) -> None:
    _lines(path, (4, 4), (12, 12))
    _lines(path, (12, 4), (4, 12))


def _plus(path: QPainterPath) -> None:
    _lines(path, (8, 3), (8, 13))
    _lines(path, (3, 8), (13, 8))


def _rescan(path: QPainterPath) -> None:
    path.arcMoveTo(QRectF(3, 3, 10, 10), 50)
    path.arcTo(QRectF(3, 3, 10, 10), 50, -300)
    _lines(path, (8.2, 4.2), (11.4, 4.2), (11.4, 1.0))


def _left_pane(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(1.5, 2.5, 13, 11), 2, 2)
    _lines(path, (6, 2.5), (6, 13.5))


def _right_pane(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(1.5, 2.5, 13, 11), 2, 2)
    _lines(path, (10, 2.5), (10, 13.5))


def _menu(path: QPainterPath) -> None:
    for y in (4, 8, 12):
        _lines(path, (2.5, y), (13.5, y))


def _more(path: QPainterPath) -> None:
    for y in (3.2, 8, 12.8):
        path.addEllipse(QPointF(8, y), 0.7, 0.7)


def _photos(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(1.5, 3, 13, 10.5), 1.5, 1.5)
    path.addEllipse(QPointF(5.2, 6.4), 1.1, 1.1)
    _lines(path, (2, 12), (6, 8.6), (8.4, 10.6), (11, 7.6), (14.2, 10.8))


def _warning(path: QPainterPath) -> None:
    _lines(path, (8, 2), (14.5, 13.5), (1.5, 13.5), (8, 2))
    _lines(path, (8, 6.4), (8, 9.8))
    _lines(path, (8, 11.4), (8, 11.6))


def _notice(path: QPainterPath) -> None:
    path.addEllipse(QPointF(8, 8), 6.2, 6.2)
    _lines(path, (8, 7.4), (8, 11.2))
    _lines(path, (8, 4.9), (8, 5.1))


def _export(path: QPainterPath) -> None:
    _lines(path, (8, 10.5), (8, 1.8))
    _lines(path, (4.8, 5), (8, 1.8), (11.2, 5))
    _lines(path, (2, 9.5), (2, 13.8), (14, 13.8), (14, 9.5))


def _film(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(1.5, 3, 13, 10), 1.5, 1.5)
    for x in (4.3, 11.7):
        _lines(path, (x, 3), (x, 13))
    for y in (6.3, 9.7):
        _lines(path, (1.5, y), (4.3, y))
        _lines(path, (11.7, y), (14.5, y))


def _curves(path: QPainterPath) -> None:
    _lines(path, (2, 2), (2, 14), (14, 14))
    path.moveTo(4.5, 4)
    path.cubicTo(6, 10, 9, 11, 14, 11.4)
    path.moveTo(4.5, 11)
    path.cubicTo(7, 7, 10, 5.4, 14, 5)


def _folder(path: QPainterPath) -> None:
    _lines(path, (1.5, 12.8), (1.5, 3.4), (6, 3.4), (7.6, 5.2), (14.5, 5.2), (14.5, 12.8), (1.5, 12.8))


def _add_image(path: QPainterPath) -> None:
    _lines(path, (9, 3), (3, 3), (1.5, 4.5), (1.5, 12), (3, 13.5), (12, 13.5), (13.5, 12), (13.5, 8.5))
    _lines(path, (2, 11.4), (5.4, 8.4), (8, 10.6), (10, 8.8), (13, 11.4))
    _lines(path, (12.2, 1.5), (12.2, 6.3))
    _lines(path, (9.8, 3.9), (14.6, 3.9))


_GLYPHS = {
    "search": _search, "close": _close, "plus": _plus, "rescan": _rescan, "left pane": _left_pane,
    "right pane": _right_pane, "menu": _menu, "more": _more, "photos": _photos, "warning": _warning,
    "notice": _notice, "folder": _folder, "add image": _add_image, "export": _export,
    "film": _film, "curves": _curves,
}


def paint_glyph(painter: QPainter, name: str, box: QRectF, colour: QColor) -> None:
    """Draw a glyph into a square box; lines stay near 1.3 px at 16 px and grow slower than the box."""
    scale = box.width() / GRID
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(box.topLeft())
    painter.scale(scale, scale)
    pen = QPen(colour, 1.3 / scale**0.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(glyph_path(name))
    painter.restore()


def blend(over: QColor, under: QColor, amount: float) -> QColor:
    """``amount`` of one colour on another; the quiet greys of the chrome are the palette's text on its ground."""
    return QColor(
        round(over.red() * amount + under.red() * (1 - amount)),
        round(over.green() * amount + under.green() * (1 - amount)),
        round(over.blue() * amount + under.blue() * (1 - amount)),
    )


def quiet_text(palette: QPalette) -> QColor:
    """Second-rank text: still at least 4.5 : 1 against the window's ground in the usual palettes."""
    return blend(palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window), 0.68)


def hairline(palette: QPalette) -> QColor:
    """Lines between panes."""
    return blend(palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window), 0.14)


def faint(palette: QPalette) -> QColor:
    """What cannot be used now."""
    return blend(palette.color(QPalette.ColorRole.WindowText), palette.color(QPalette.ColorRole.Window), 0.3)


class GlyphButton(QToolButton):
    """A flat button with a glyph; a ground appears under the pointer, a ring when it has the focus.

    Attributes:
        glyph: the glyph's name.
    """

    def __init__(self, glyph: str, name: str, tip: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.glyph = glyph
        self.setAccessibleName(name)
        self.setToolTip(tip or name)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAutoRaise(True)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(32, 32)

    def minimumSizeHint(self) -> QSize:  # noqa: D102
        return QSize(24, 24)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        palette = self.palette()
        text = palette.color(QPalette.ColorRole.WindowText)
        box = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        ground = 0.16 if self.isDown() else 0.08 if self.underMouse() and self.isEnabled() else 0.0
        if ground:
            shade = QColor(text)
            shade.setAlphaF(ground)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            painter.drawRoundedRect(box, _ROUND, _ROUND)
        if self.hasFocus():
            painter.setPen(QPen(palette.color(QPalette.ColorRole.Highlight), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(box, _ROUND, _ROUND)
        colour = quiet_text(palette) if self.isEnabled() else faint(palette)
        if self.isChecked() or (self.underMouse() and self.isEnabled()):
            colour = text
        edge = 16.0 if self.width() >= 28 else 12.0
        glyph_box = QRectF(0, 0, edge, edge)
        glyph_box.moveCenter(QRectF(self.rect()).center())
        paint_glyph(painter, self.glyph, glyph_box, colour)
        painter.end()
