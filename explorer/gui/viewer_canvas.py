"""The picture with its overlays: zoom at the pointer, pan, and a look at the bare picture."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from explorer.gui.painters import AnyOverlay, OverlayPainter
from explorer.gui.results_grid_tiles import mixed
from explorer.gui.viewer_levels import PictureLevels
from explorer.gui.viewer_marks import draw_key, draw_place, draw_tag, place_rect
from explorer.gui.viewer_placement import PicturePlacement
from explorer.gui.viewer_pointing import Pointing
from explorer.overlays import NOWHERE, place_box

_WHEEL_STEP = 1.25
_PAN_STEP_PX = 48


class PictureCanvas(QWidget):
    """Draws a picture fitted to the widget, or zoomed; overlays lie over it and are never part of it.

    Signals:
        pointed(QPointF | None): where the pointer is in picture coordinates in [0, 1]; None outside of the picture.
        place_pointed(str, int): a cell or region of the layer of this name is pointed at, by pointer, click or keys;
            -1: none of it any more. Layers with the same places go by one name, see :meth:`set_place_names`.
    """

    pointed = Signal(object)
    place_pointed = Signal(str, int)
    zoom_changed = Signal(float)
    bare_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.placement = PicturePlacement()
        self._picture: PictureLevels | None = None
        self.pointing = Pointing()
        self._told: tuple[str, int] = ("", NOWHERE)
        self._painter = OverlayPainter()
        self._bare = False
        self._dragged_from: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 96)
        self.setAccessibleName("Picture")

    # --- what is shown ---------------------------------------------------------------------------------------------

    def expect(self, size: QSize) -> None:
        """Another picture will come: until then a quiet ground in its shape (nothing if the size is empty)."""
        self._picture = None
        self._painter.forget()
        self.pointing.forget()
        self._tell_place()
        self.placement.picture = QSizeF(size)
        self.fit()

    def set_picture(self, encoded: bytes, full_size: QSize) -> bool:
        """Show an encoded picture; a sharper one of the same ``full_size`` keeps the zoom.

        Returns whether it can be decoded; if not, nothing changes. An empty ``full_size`` means its own.
        """
        picture = PictureLevels(encoded)
        if picture.at_least(self.width() * self.devicePixelRatioF()).isNull():
            return False
        size = QSizeF(picture.size if full_size.isEmpty() else full_size)
        if size != self.placement.picture:
            self.placement.picture = size
            self.fit()
        self._picture = picture
        self.update()
        return True

    def set_overlays(self, overlays: tuple[AnyOverlay, ...]) -> None:
        """Replace the layers, the lowest first."""
        self.pointing.set_overlays(overlays)
        self._tell_place()

    def set_place_names(self, names: tuple[str, ...]) -> None:
        """Tell places by these layers' names; one of another layer with the same places goes by the first of them."""
        self.pointing.names = names

    def show_values(self, layer_name: str, values: np.ndarray | None) -> None:
        """Let a heat or region layer show other values of its places, one each in their order, until ``None``.

        They may be negative: below zero is light blue, above is light orange, clear at zero; a key in the corner says
        the numbers. Other heat maps are held back meanwhile. A layer that is not there shows nothing.

        Raises:
            ValueError: there is not one value for each place.
        """
        self.pointing.set_values(layer_name, values)
        self.update()

    def point_at(self, layer_name: str, place: int) -> None:
        """Point at a place as if the pointer were there; -1: at none."""
        self.pointing.point_at(layer_name, place)
        self._tell_place()

    def _tell_place(self) -> None:
        """Say what is pointed at if that is news, and draw it."""
        self.update()
        told = self.pointing.told()
        if told == self._told:
            return
        before, self._told = self._told, told
        if before[0] and before[0] != told[0]:
            self.place_pointed.emit(before[0], NOWHERE)
        if told[0]:
            self.place_pointed.emit(*told)

    @property
    def has_picture(self) -> bool:
        """Whether there is a picture to see."""
        return self._picture is not None

    @property
    def bare(self) -> bool:
        """Whether overlays are held back."""
        return self._bare

    def set_bare(self, bare: bool) -> None:
        """Show the picture without its overlays while this is set."""
        if bare != self._bare:
            self._bare = bare
            self.update()
            self.bare_changed.emit(bare)

    def fit(self) -> None:
        """See the whole picture."""
        self.placement.fit()
        self.update()
        self.zoom_changed.emit(self.placement.zoom)

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom with the place under ``at`` (or the middle) staying where it is."""
        if self.placement.zoom_by(factor, at if at is not None else self.rect().toRectF().center()):
            self.update()
            self.zoom_changed.emit(self.placement.zoom)

    # --- painting --------------------------------------------------------------------------------------------------

    def paintEvent(self, event: QPaintEvent) -> None:
        """The ground, the picture, and over it what is visible of the layers."""
        painter = QPainter(self)
        palette = self.palette()
        window, text = palette.color(QPalette.ColorRole.Window), palette.color(QPalette.ColorRole.WindowText)
        painter.fillRect(event.rect(), mixed(window, text, 0.06))
        rect = self.placement.rect()
        if self._picture is None:
            painter.fillRect(rect, mixed(window, text, 0.12))
        else:
            self._paint_picture(painter, rect, self._picture)
        if self.hasFocus():
            painter.setPen(palette.color(QPalette.ColorRole.Highlight))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_picture(self, painter: QPainter, rect: QRectF, picture: PictureLevels) -> None:
        width = rect.width() * self.devicePixelRatioF()
        # Single pixels are shown as such once each is as large as four of the screen.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, width < 4 * picture.size.width())
        painter.drawImage(rect, picture.at_least(width))
        if not self._bare:
            for overlay in self.pointing.shown:
                self._painter.paint(painter, rect, overlay)
            self._paint_marks(painter, rect)

    def _paint_marks(self, painter: QPainter, rect: QRectF) -> None:
        pointing, view = self.pointing, self.rect().toRectF()
        if pointing.layer is not None and pointing.place != NOWHERE:
            place = place_rect(rect, place_box(pointing.layer, pointing.place))
            draw_place(painter, place, pinned=pointing.pinned)
            draw_tag(painter, view, place, pointing.text())
        if pointing.key is not None:
            draw_key(painter, view, pointing.key, pointing.key.title)

    # --- pointer and keys ------------------------------------------------------------------------------------------

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit anew; a zoom stays around the same place."""
        super().resizeEvent(event)
        self.placement.view = QSizeF(self.size())
        self.placement.pan_by(0, 0)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        self.zoom_by(_WHEEL_STEP ** (event.angleDelta().y() / 120), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the picture."""
        if event.button() == Qt.MouseButton.LeftButton and self.placement.zoom > 1:
            self._dragged_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or tell what is under the pointer."""
        if self._dragged_from is None:
            place = self.placement.place_at(event.position())
            if self.pointing.leave() if place is None else self.pointing.move_to(place.x(), place.y()):
                self._tell_place()
            self.pointed.emit(place)
            return
        moved = event.position() - self._dragged_from
        self._dragged_from = event.position()
        self.placement.pan_by(moved.x(), moved.y())
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self._dragged_from = None
            self.unsetCursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See the whole picture again."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer any more."""
        super().leaveEvent(event)
        self.pointing.leave()
        self._tell_place()
        self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space shows the bare picture while it is held; + - 0 zoom; Shift and the arrows move a zoomed picture."""
        steps = {
            Qt.Key.Key_Left: (1, 0), Qt.Key.Key_Right: (-1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)
        }
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            self.set_bare(True)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(_WHEEL_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / _WHEEL_STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key in steps and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.placement.pan_by(*(step * _PAN_STEP_PX for step in steps[key]))
            self.update()
        else:
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The overlays come back when Space is let go."""
        if event.key() != Qt.Key.Key_Space:
            event.ignore()
        elif not event.isAutoRepeat():
            self.set_bare(False)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """The release of Space would go elsewhere."""
        super().focusOutEvent(event)
        self.set_bare(False)
        self.update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """A thin frame says that keys go here."""
        super().focusInEvent(event)
        self.update()
