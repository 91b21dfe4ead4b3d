"""Region boxes as outlines with their numbers, drawn whenever the picture is painted: sharp at any zoom."""

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from explorer.gui.readable import readable_on, small_font
from explorer.overlays import RegionOverlay, RegionStroke, place_badges, region_strokes

_WIDEST_PX = 4
_CASING_PX = 1
_CASING_ALPHA = 150
_FAINTEST = 0.35
_PIECE_LINES = 90
_DASH_PX, _DASH_GAP_PX = 7, 5
_BADGE_PAD_PX = 3.0
_BADGE_FAINTEST = 0.7


Bar = tuple[QRect, QColor]
Badge = tuple[QRectF, QColor, QColor, str]


class RegionPainter:
    """Outlines in the colour of their weight, the strongest on top and widest; dashed where it is negative.

    Remembers them until that changes.
    """

    def __init__(self) -> None:
        self._strokes: dict[str, tuple[RegionOverlay, tuple[RegionStroke, ...]]] = {}
        self._bars: dict[str, tuple[object, list[Bar]]] = {}
        self._badges: dict[str, tuple[object, list[Badge]]] = {}

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
        if overlay.numbered:
            self._paint_numbers(painter, target, overlay, strokes)

    def _paint_numbers(
        self, painter: QPainter, target: QRectF, overlay: RegionOverlay, strokes: tuple[RegionStroke, ...]
    ) -> None:
        font, view = small_font(painter.font()), painter.window()
        asked = (strokes, target, view, font, overlay.opacity)
        known = self._badges.get(overlay.name)
        if known is None or known[0] != asked:
            known = self._badges[overlay.name] = asked, badges_of(strokes, target, view, font, overlay.opacity)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font)
        for spot, ground, ink, number in known[1]:
            painter.setPen(QColor(0, 0, 0, round(_CASING_ALPHA * ground.alphaF())))
            painter.setBrush(ground)
            painter.drawRoundedRect(spot, 3, 3)
            painter.setPen(ink)
            painter.drawText(spot, Qt.AlignmentFlag.AlignCenter, number)
        painter.restore()

    def _strokes_of(self, overlay: RegionOverlay) -> tuple[RegionStroke, ...]:
        known = self._strokes.get(overlay.name)
        if known is None or _content(known[0]) != _content(overlay):
            known = self._strokes[overlay.name] = overlay, region_strokes(overlay)
        return known[1]


def _bars(stroke: RegionStroke, target: QRectF, view: QRect, piece: int, opacity: float) -> list[Bar]:
    """The outline of one region: its colour with a thin dark line on either side, so that it is seen on any ground."""
    width = 1 + round((_WIDEST_PX - 1) * stroke.strength)
    alpha = opacity * (_FAINTEST + (1 - _FAINTEST) * stroke.strength)
    box = _placed(stroke, target).toRect().adjusted(-(width // 2), -(width // 2), width // 2, width // 2)
    dark, colour = QColor(0, 0, 0, round(_CASING_ALPHA * alpha)), QColor(*stroke.colour, round(255 * alpha))
    casing = box.adjusted(-_CASING_PX, -_CASING_PX, _CASING_PX, _CASING_PX)
    bars = frame_bars(box, width, view, piece)
    if stroke.negative:
        bars = [dash for bar in bars for dash in _dashes(bar, box)]
    return [
        *((bar, dark) for bar in frame_bars(casing, width + 2 * _CASING_PX, view, piece)),
        *((bar, colour) for bar in bars),
    ]


def _placed(stroke: RegionStroke, target: QRectF) -> QRectF:
    """The box of a region in the widget."""
    left, top, right, bottom = stroke.box
    return QRectF(
        target.left() + left * target.width(), target.top() + top * target.height(),
        (right - left) * target.width(), (bottom - top) * target.height(),
    )


def _dashes(bar: QRect, box: QRect) -> list[QRect]:
    """A bar of the frame ``box`` cut across its length; where the cuts are depends on the frame, not on the view."""
    step, across = _DASH_PX + _DASH_GAP_PX, bar.width() >= bar.height()
    begin, end = (bar.left(), bar.right() + 1) if across else (bar.top(), bar.bottom() + 1)
    origin = box.left() if across else box.top()
    dashes = []
    for at in range(begin - (begin - origin) % step, end, step):
        first, last = max(at, begin), min(at + _DASH_PX, end)
        if first < last and across:
            dashes.append(QRect(first, bar.top(), last - first, bar.height()))
        elif first < last:
            dashes.append(QRect(bar.left(), first, bar.width(), last - first))
    return dashes


def badges_of(
    strokes: tuple[RegionStroke, ...], target: QRectF, view: QRect, font: QFont, opacity: float
) -> list[Badge]:
    """The numbers of the regions that are in ``view``, the strongest last; low numbers choose their place first."""
    metrics, seen = QFontMetricsF(font), QRectF(view).intersected(target)
    boxes = {stroke.place: _placed(stroke, target) & seen for stroke in strokes}
    in_view = sorted((s for s in strokes if not boxes[s.place].isEmpty()), key=lambda stroke: stroke.place)
    height = metrics.height() + 1
    sizes = [
        (max(height, metrics.horizontalAdvance(str(stroke.number)) + 2 * _BADGE_PAD_PX), height) for stroke in in_view
    ]
    spots = place_badges([_corners(boxes[stroke.place]) for stroke in in_view], sizes, _corners(seen))
    found = {s.place: QRectF(*spot, *size) for s, spot, size in zip(in_view, spots, sizes, strict=True)}
    badges = []
    for stroke in strokes:
        if stroke.place in found:
            ground = QColor(*stroke.colour)
            ground.setAlphaF(opacity * (_BADGE_FAINTEST + (1 - _BADGE_FAINTEST) * stroke.strength))
            badges.append((found[stroke.place], ground, readable_on(ground), str(stroke.number)))
    return badges


def _corners(box: QRectF) -> tuple[float, float, float, float]:
    return box.left(), box.top(), box.right(), box.bottom()


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
