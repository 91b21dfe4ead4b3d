"""Small line icons in the palette's own colour, drawn so that they are sharp at any scale and right in the dark."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPalette, QPen, QPixmap

_UNITS = 16.0


def _lines(painter: QPainter, *corners: tuple[float, float]) -> None:
    painter.drawPolyline([QPointF(x, y) for x, y in corners])


def _previous(painter: QPainter) -> None:
    _lines(painter, (10, 3.5), (5.5, 8), (10, 12.5))


def _next(painter: QPainter) -> None:
    _lines(painter, (6, 3.5), (10.5, 8), (6, 12.5))


def _close(painter: QPainter) -> None:
    _lines(painter, (4, 4), (12, 12))
    _lines(painter, (12, 4), (4, 12))


def _fit(painter: QPainter) -> None:
    for sx, sy in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
        _lines(painter, *((8 + sx * x, 8 + sy * y) for x, y in ((5.5, 2.5), (5.5, 5.5), (2.5, 5.5))))


def _compare(painter: QPainter) -> None:
    painter.drawRoundedRect(QRectF(2, 3.5, 12, 9), 1.5, 1.5)
    _lines(painter, (8, 1.5), (8, 14.5))
    painter.fillRect(QRectF(9.5, 5.5, 3, 5), painter.pen().color())


def _search(painter: QPainter) -> None:
    painter.drawEllipse(QRectF(2.5, 2.5, 8, 8))
    _lines(painter, (9.5, 9.5), (13.5, 13.5))


def _more(painter: QPainter) -> None:
    painter.setBrush(painter.pen().color())
    painter.setPen(Qt.PenStyle.NoPen)
    for x in (3.2, 8.0, 12.8):
        painter.drawEllipse(QPointF(x, 8), 1.3, 1.3)


def _filled(painter: QPainter, *corners: tuple[float, float]) -> None:
    painter.save()
    painter.setBrush(painter.pen().color())
    painter.drawPolygon([QPointF(x, y) for x, y in corners])
    painter.restore()


def _play(painter: QPainter) -> None:
    _filled(painter, (5, 3), (12.5, 8), (5, 13))


def _pause(painter: QPainter) -> None:
    for x in (4.5, 9.0):
        painter.fillRect(QRectF(x, 3, 2.8, 10), painter.pen().color())


def _step_back(painter: QPainter) -> None:
    _filled(painter, (8.5, 4.5), (4, 8), (8.5, 11.5))
    _lines(painter, (11.5, 4), (11.5, 12))


def _step_on(painter: QPainter) -> None:
    _filled(painter, (7.5, 4.5), (12, 8), (7.5, 11.5))
    _lines(painter, (4.5, 4), (4.5, 12))


def _loop(painter: QPainter) -> None:
    painter.drawArc(QRectF(2.5, 3, 11, 10), 40 * 16, 280 * 16)
    _lines(painter, (13.4, 1.8), (12.6, 5.2), (9.2, 4.6))


def _speaker(painter: QPainter) -> None:
    _filled(painter, (2.5, 6.3), (4.8, 6.3), (7.8, 3.6), (7.8, 12.4), (4.8, 9.7), (2.5, 9.7))


def _muted(painter: QPainter) -> None:
    _speaker(painter)
    _lines(painter, (10.4, 6.2), (14, 9.8))
    _lines(painter, (14, 6.2), (10.4, 9.8))


def _sound(painter: QPainter) -> None:
    _speaker(painter)
    painter.drawArc(QRectF(7.2, 5.2, 4.6, 5.6), -60 * 16, 120 * 16)
    painter.drawArc(QRectF(6.6, 2.8, 7.8, 10.4), -55 * 16, 110 * 16)


_ICONS: dict[str, Callable[[QPainter], None]] = {
    "previous": _previous, "next": _next, "close": _close, "fit": _fit, "search": _search, "more": _more,
    "compare": _compare, "play": _play, "pause": _pause, "step_back": _step_back, "step_on": _step_on, "loop": _loop,
    "muted": _muted, "sound": _sound,
}


def line_icon(name: str, palette: QPalette, *, ratio: float = 2.0) -> QIcon:
    """One of the icons by name, for enabled and disabled controls."""
    icon = QIcon()
    for mode, group in (
        (QIcon.Mode.Normal, QPalette.ColorGroup.Active), (QIcon.Mode.Disabled, QPalette.ColorGroup.Disabled)
    ):
        icon.addPixmap(_drawn(_ICONS[name], palette.color(group, QPalette.ColorRole.ButtonText), ratio), mode)
    return icon


def _drawn(draw: Callable[[QPainter], None], colour: QColor, ratio: float) -> QPixmap:
    side = QSize(round(_UNITS * ratio), round(_UNITS * ratio))
    pixmap = QPixmap(side)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(ratio, ratio)
    painter.setPen(QPen(colour, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    draw(painter)
    painter.end()
    pixmap.setDevicePixelRatio(ratio)
    return pixmap
