"""Region boxes as outlines, drawn as lines whenever the picture is painted: sharp at any zoom."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from explorer.overlays import RegionOverlay, RegionStroke, region_strokes

_WIDEST_PX = 4
_CASING_PX = 2
_CASING = QColor(0, 0, 0, 150)
_FAINTEST = 0.35


class RegionPainter:
    """Outlines in the colour of their weight, the strongest on top and widest; remembers them until weights change."""

    def __init__(self) -> None:
        self._strokes: dict[str, tuple[RegionOverlay, tuple[RegionStroke, ...]]] = {}

    def paint(self, painter: QPainter, target: QRectF, overlay: RegionOverlay) -> None:
        """Draw them over ``target``, where the whole picture is."""
        painter.save()
        # Straight lines on whole pixels need no smoothing, and are drawn several times quicker without.
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for stroke in self._strokes_of(overlay):
            width = 1 + round((_WIDEST_PX - 1) * stroke.strength)
            painter.setOpacity(overlay.opacity * (_FAINTEST + (1 - _FAINTEST) * stroke.strength))
            left, top, right, bottom = stroke.box
            box = QRectF(
                target.left() + left * target.width(), target.top() + top * target.height(),
                (right - left) * target.width(), (bottom - top) * target.height(),
            ).toRect()
            for colour, px in ((_CASING, width + _CASING_PX), (QColor(*stroke.colour), width)):
                painter.setPen(QPen(colour, px, j=Qt.PenJoinStyle.MiterJoin))
                painter.drawRect(box)
        painter.restore()

    def _strokes_of(self, overlay: RegionOverlay) -> tuple[RegionStroke, ...]:
        known = self._strokes.get(overlay.name)
        if known is None or _content(known[0]) != _content(overlay):
            known = self._strokes[overlay.name] = overlay, region_strokes(overlay)
        return known[1]


def _content(overlay: RegionOverlay) -> tuple[object, ...]:
    return id(overlay.boxes), id(overlay.values), overlay.threshold, overlay.colour_map
