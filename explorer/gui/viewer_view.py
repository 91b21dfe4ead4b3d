"""A picture in a widget: fitted or zoomed at the pointer, panned, taken hold of by keys as well."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from explorer.gui.results_grid_tiles import mixed
from explorer.gui.viewer_levels import FramePicture, PictureLevels
from explorer.gui.viewer_placement import PicturePlacement

_WHEEL_STEP = 1.25
_PAN_STEP_PX = 48

ARROWS = {
    Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1),
}
"""Which way each of them points."""


class PictureView(QWidget):
    """Draws a picture fitted to the widget, or zoomed; :meth:`paint_over` is for those who draw more over it.

    Signals:
        pointed(QPointF | None): where the pointer is in picture coordinates in [0, 1]; None outside of the picture.
        clicked(QPointF): the same of a click that was no drag. moved(): zoomed, panned or fitted.
        picture_changed(): there is another one, or none any more.
    """

    pointed = Signal(object)
    clicked = Signal(QPointF)
    zoom_changed = Signal(float)
    moved = Signal()
    bare_changed = Signal(bool)
    picture_changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.placement = PicturePlacement()
        self._picture: PictureLevels | FramePicture | None = None
        self._bare = False
        self._dragged_from: QPointF | None = None
        self._pressed_at: QPointF | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 96)
        self.setAccessibleName("Picture")

    # --- what is shown ---------------------------------------------------------------------------------------------

    def expect(self, size: QSize) -> None:
        """Another picture will come: until then a quiet ground in its shape (nothing if the size is empty)."""
        self._picture = None
        self.placement.picture = QSizeF(size)
        self.fit()
        self.picture_changed.emit()

    def mirror(self, other: "PictureView") -> None:
        """Show the same part of the same picture as another view, which has decoded it."""
        self._picture, self.placement.picture = other._picture, QSizeF(other.placement.picture)
        self.follow(other.placement)

    def set_picture(self, encoded: bytes, full_size: QSize) -> bool:
        """Show an encoded picture; a sharper one of the same ``full_size`` keeps the zoom.

        Returns whether it can be decoded; if not, nothing changes. An empty ``full_size`` means its own.
        """
        picture = PictureLevels(encoded)
        if picture.at_least(self.width() * self.devicePixelRatioF()).isNull():
            return False
        self._take(picture, full_size)
        return True

    def set_frame(self, frame: QImage, full_size: QSize) -> None:
        """Show a frame of a video; another one of the same ``full_size`` keeps the zoom. Empty means its own size."""
        self._take(FramePicture(frame), full_size)

    def _take(self, picture: PictureLevels | FramePicture, full_size: QSize) -> None:
        size = QSizeF(picture.size if full_size.isEmpty() else full_size)
        if size != self.placement.picture:
            self.placement.picture = size
            self.fit()
        self._picture = picture
        self.update()
        self.picture_changed.emit()

    def picture(self) -> QImage:
        """What is shown, without its overlays, as large as it is there; null without a picture."""
        return QImage() if self._picture is None else self._picture.at_least(self._picture.size.width())

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
        self._tell_moved()

    def zoom_by(self, factor: float, at: QPointF | None = None) -> None:
        """Zoom with the place under ``at`` (or the middle) staying where it is."""
        if self.placement.zoom_by(factor, at if at is not None else self.rect().toRectF().center()):
            self._tell_moved()

    def pan_by(self, dx: float, dy: float) -> None:
        """Move the picture by pixels of the widget, as far as there is more of it to see."""
        self.placement.pan_by(dx, dy)
        self._tell_moved()

    def follow(self, other: PicturePlacement) -> None:
        """See the same part of the picture as another view; says nothing to anybody."""
        self.placement.zoom, self.placement.centre = other.zoom, QPointF(other.centre)
        self.placement.pan_by(0, 0)
        self.update()

    def _tell_moved(self) -> None:
        self.update()
        self.zoom_changed.emit(self.placement.zoom)
        self.moved.emit()

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

    def _paint_picture(self, painter: QPainter, rect: QRectF, picture: PictureLevels | FramePicture) -> None:
        width = rect.width() * self.devicePixelRatioF()
        # Single pixels are shown as such once each is as large as four of the screen.
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, width < 4 * picture.size.width())
        painter.drawImage(rect, picture.at_least(width))
        if not self._bare:
            self.paint_over(painter, rect)

    def paint_over(self, painter: QPainter, rect: QRectF) -> None:
        """Draw over the picture, which fills ``rect``; not while the bare picture is looked at."""

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
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._pressed_at = event.position()
        if self.placement.zoom > 1:
            self._dragged_from = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or tell what is under the pointer."""
        if self._dragged_from is None:
            self.pointed.emit(self.placement.place_at(event.position()))
            return
        moved = event.position() - self._dragged_from
        self._dragged_from = event.position()
        self.pan_by(moved.x(), moved.y())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let go; it may have been a click."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self._dragged_from = None
        self.unsetCursor()
        pressed_at, self._pressed_at = self._pressed_at, None
        place = self.placement.place_at(event.position())
        if pressed_at is not None and place is not None and (
            (event.position() - pressed_at).manhattanLength() < QApplication.startDragDistance()
        ):
            self.clicked.emit(place)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See the whole picture again."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.fit()

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the pointer any more."""
        super().leaveEvent(event)
        self.pointed.emit(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Space shows the bare picture while it is held; + - 0 zoom; Shift and the arrows move a zoomed picture."""
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Space:
            self.set_bare(True)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom_by(_WHEEL_STEP)
        elif key == Qt.Key.Key_Minus:
            self.zoom_by(1 / _WHEEL_STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key in ARROWS and event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pan_by(*(-step * _PAN_STEP_PX for step in ARROWS[key]))
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
