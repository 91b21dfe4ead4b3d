"""Where a picture lies in the widget that shows it: fitted, or zoomed around a place."""

from PySide6.QtCore import QPointF, QRectF, QSizeF

MARGIN_PX = 8
MAX_ZOOM = 32.0
MAX_ENLARGEMENT = 3.0
"""A fitted picture is not made larger than this: an icon stays an icon."""


class PicturePlacement:
    """Maps picture coordinates in [0, 1] to a widget and back.

    Attributes:
        picture: size of the picture in its own pixels.
        view: size of the widget.
        zoom: 1 when the whole picture is seen.
        centre: which place of the picture is in the middle of the widget.
    """

    def __init__(self) -> None:
        self.picture = QSizeF()
        self.view = QSizeF()
        self.zoom = 1.0
        self.centre = QPointF(0.5, 0.5)

    def fit(self) -> None:
        """See the whole picture."""
        self.zoom, self.centre = 1.0, QPointF(0.5, 0.5)

    def drawn_size(self) -> QSizeF:
        """The whole picture at the present zoom, in widget pixels."""
        if self.picture.isEmpty():
            return QSizeF()
        room_x = max(1.0, self.view.width() - 2 * MARGIN_PX)
        room_y = max(1.0, self.view.height() - 2 * MARGIN_PX)
        scale = min(room_x / self.picture.width(), room_y / self.picture.height(), MAX_ENLARGEMENT)
        return self.picture * (scale * self.zoom)

    def rect(self) -> QRectF:
        """Where the whole picture is, in widget coordinates; it may reach beyond the widget."""
        size = self.drawn_size()
        left = _placed(self.centre.x(), size.width(), self.view.width())
        top = _placed(self.centre.y(), size.height(), self.view.height())
        rect = QRectF(QPointF(left, top), size)
        # Whole pixels: overlays and picture meet in the same place however they are drawn.
        return QRectF(rect.toAlignedRect())

    def place_at(self, at: QPointF) -> QPointF | None:
        """Picture coordinates in [0, 1] of a place of the widget; ``None`` outside of the picture."""
        rect = self.rect()
        if rect.isEmpty() or not rect.contains(at):
            return None
        return QPointF((at.x() - rect.left()) / rect.width(), (at.y() - rect.top()) / rect.height())

    def zoom_by(self, factor: float, at: QPointF) -> bool:
        """Zoom with the place under ``at`` staying where it is; whether anything changed."""
        rect = self.rect()
        zoom = max(1.0, min(MAX_ZOOM, self.zoom * factor))
        if rect.isEmpty() or zoom == self.zoom:
            return False
        u, v = (at.x() - rect.left()) / rect.width(), (at.y() - rect.top()) / rect.height()
        self.zoom = zoom
        size = self.drawn_size()
        self.centre = QPointF(
            u - (at.x() - self.view.width() / 2) / size.width(), v - (at.y() - self.view.height() / 2) / size.height()
        )
        self._keep_inside()
        return True

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the picture by widget pixels, as far as there is more of it to see."""
        size = self.drawn_size()
        if not size.isEmpty():
            self.centre -= QPointF(dx / size.width(), dy / size.height())
            self._keep_inside()

    def _keep_inside(self) -> None:
        size = self.drawn_size()
        self.centre = QPointF(
            _inside(self.centre.x(), size.width(), self.view.width()),
            _inside(self.centre.y(), size.height(), self.view.height()),
        )


def _inside(centre: float, length: float, view: float) -> float:
    """The nearest centre at which no empty room shows that need not."""
    half = min(0.5, view / (2 * length))
    return min(1 - half, max(half, centre))


def _placed(centre: float, length: float, view: float) -> float:
    """Where the picture begins: centred if it fits, else with ``centre`` in the middle."""
    return (view - length) / 2 if length <= view else view / 2 - centre * length
