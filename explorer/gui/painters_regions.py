"""Region boxes as outlines, drawn whenever the picture is painted: sharp at any zoom."""

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QPainter

from explorer.overlays import RegionOverlay, RegionStroke, region_strokes

_WIDEST_PX = 4
_CASING_PX = 1
_CASING_ALPHA = 150
_FAINTEST = 0.35
_PIECE_LINES = 90


Bar = tuple[QRect, QColor]


class RegionPainter:
    """Outlines in the colour of their weight, the strongest on top and widest; remembers them until that changes."""

    def __init__(self) -> None:
        self._strokes: dict[str, tuple[RegionOverlay, tuple[RegionStroke, ...]]] = {}
        self._bars: dict[str, tuple[object, list[Bar]]] = {}

    def paint(self, painter: QPainter, target: QRectF, overlay: RegionOverlay) -> None:
        """Draw them over ``target``, where the whole picture is."""
        strokes, view = self._strokes_of(overlay), painter.window()
        piece = max(1, int(_PIECE_LINES / painter.device().devicePixelRatioF()))
        known, asked = self._bars.get(overlay.name), (strokes, target, view, piece, overlay.opacity)
        if known is None or known[0] != asked:
            bars = [bar for stroke in strokes for bar in _bars(stroke, target, view, piece, overlay.opacity)]
            known = self._bars[overlay.name] = asked, bars
        for bar, colour in known[1]:
            painter.fillRect(bar, colour)

    def _strokes_of(self, overlay: RegionOverlay) -> tuple[RegionStroke, ...]:
        known = self._strokes.get(overlay.name)
        if known is None or _content(known[0]) != _content(overlay):
            known = self._strokes[overlay.name] = overlay, region_strokes(overlay)
        return known[1]


def _bars(stroke: RegionStroke, target: QRectF, view: QRect, piece: int, opacity: float) -> list[Bar]:
    """The outline of one region: its colour with a thin dark line on either side, so that it is seen on any ground."""
    width = 1 + round((_WIDEST_PX - 1) * stroke.strength)
    alpha = opacity * (_FAINTEST + (1 - _FAINTEST) * stroke.strength)
    left, top, right, bottom = stroke.box
    box = QRectF(
        target.left() + left * target.width(), target.top() + top * target.height(),
        (right - left) * target.width(), (bottom - top) * target.height(),
    ).toRect().adjusted(-(width // 2), -(width // 2), width // 2, width // 2)
    dark, colour = QColor(0, 0, 0, round(_CASING_ALPHA * alpha)), QColor(*stroke.colour, round(255 * alpha))
    casing = box.adjusted(-_CASING_PX, -_CASING_PX, _CASING_PX, _CASING_PX)
    return [
        *((bar, dark) for bar in frame_bars(casing, width + 2 * _CASING_PX, view, piece)),
        *((bar, colour) for bar in frame_bars(box, width, view, piece)),
    ]


def frame_bars(box: QRect, width: int, view: QRect, piece: int) -> list[QRect]:
    """A frame inside of ``box``: bars that do not overlap, as far as they are in ``view``.

    High bars come in pieces: from about a hundred lines on Qt hands each to its threads, whose waking takes far longer
    than to fill it (on a busy machine a hundred times as long); a stroked rectangle is handed over as a whole.
    """
    left, top, right, bottom = box.left(), box.top(), box.right() + 1, box.bottom() + 1
    if box.isEmpty() or not box.intersects(view):
        return []
    if right - left <= 2 * width or bottom - top <= 2 * width:
        return [box & view]
    first, last = max(left, view.left()), min(right, view.right() + 1)
    sides = [at for at in (left, right - width) if view.left() - width < at <= view.right()]
    bars = [
        QRect(first, at, last - first, width)
        for at in (top, bottom - width) if view.top() - width < at <= view.bottom()
    ]
    end = min(bottom - width, view.bottom() + 1)
    for at in range(max(top + width, view.top()), end, piece):
        bars += [QRect(side, at, width, min(piece, end - at)) for side in sides]
    return bars


def _content(overlay: RegionOverlay) -> tuple[object, ...]:
    return id(overlay.boxes), id(overlay.values), overlay.threshold, overlay.colour_map, overlay.span
