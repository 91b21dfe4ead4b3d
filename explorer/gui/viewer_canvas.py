"""The picture with its overlays, and the places of them that can be pointed at."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter
from PySide6.QtWidgets import QWidget

from explorer.gui.painters import AnyOverlay, OverlayPainter
from explorer.gui.viewer_marks import draw_key, draw_note, draw_place, draw_tag, place_rect
from explorer.gui.viewer_pointing import Pointing
from explorer.gui.viewer_view import ARROWS, PictureView
from explorer.overlays import NOWHERE, place_box

_HOLD = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class PictureCanvas(PictureView):
    """A picture with overlays, which lie over it and are never part of it.

    Signals:
        place_pointed(str, int): a cell or region of the layer of this name is pointed at, by pointer, click or keys;
            -1: none of it any more. Layers with the same places go by one name, see :meth:`set_place_names`.
    """

    place_pointed = Signal(str, int)

    def __init__(self, parent: QWidget | None = None, *, is_led: bool = False) -> None:
        """``is_led``: somebody else says what is pointed at; pointer and keys change nothing here."""
        super().__init__(parent)
        self._is_led = is_led
        self.pointing = Pointing()
        self._told: tuple[str, int] = ("", NOWHERE)
        self._painter = OverlayPainter()
        self._note = ""
        if not is_led:
            self.pointed.connect(self._on_pointed)
            self.clicked.connect(self._on_clicked)

    def expect(self, size: QSize) -> None:
        """Another picture will come, with other overlays: until then a quiet ground in its shape."""
        super().expect(size)
        self.forget_overlays()

    def forget_overlays(self) -> None:
        """Other overlays will come; what was pointed at is not any more."""
        self._painter.forget()
        self.pointing.forget()
        self._tell_place()

    # --- layers ----------------------------------------------------------------------------------------------------

    def set_overlays(self, overlays: tuple[AnyOverlay, ...]) -> None:
        """Replace the layers, the lowest first."""
        self.pointing.set_overlays(overlays)
        self._tell_place()

    def set_moving(self, moving: bool) -> None:
        """Whether what is shown is a video, whose layers are others in every frame."""
        self._painter.moving = moving

    def set_note(self, text: str) -> None:
        """Say something about the picture where no colour key is."""
        self._note = text
        self.update()

    def set_current_layer(self, layer_name: str) -> None:
        """Point at places of this layer where several are seen."""
        self.pointing.current = layer_name

    def show_values(self, layer_name: str, values: np.ndarray | None, title: str = "What the word adds") -> None:
        """Let a heat or region layer show other values of its places, one each in their order, until ``None``.

        They may be negative: below zero is light blue, above is light orange, clear at zero; a key in the corner says
        the numbers under ``title``. Other heat maps are held back meanwhile. A layer that is not there shows nothing.

        Raises:
            ValueError: there is not one value for each place.
        """
        self.pointing.set_values(layer_name, values, title)
        self.update()

    # --- places ----------------------------------------------------------------------------------------------------

    def set_place_names(self, names: tuple[str, ...]) -> None:
        """Tell places by these layers' names; one of another layer with the same places goes by the first of them."""
        self.pointing.names = names

    def point_at(self, layer_name: str, place: int) -> None:
        """Point at a place as if the pointer were there; -1: at none. What is held stays."""
        self.pointing.point_at(layer_name, place)
        self._tell_place()

    def hold(self, layer_name: str, place: int) -> None:
        """Hold a place as a click on it does; if it is held already, let it go."""
        self.pointing.hold(layer_name, place)
        self._tell_place()

    @Slot(object)
    def _on_pointed(self, at: QPointF | None) -> None:
        if self.pointing.leave() if at is None else self.pointing.move_to(at.x(), at.y()):
            self._tell_place()

    @Slot(QPointF)
    def _on_clicked(self, at: QPointF) -> None:
        self.pointing.toggle_pin(at.x(), at.y())
        self._tell_place()

    def _tell_place(self) -> None:
        """Say what is pointed at if that is news, and draw it."""
        self.update()
        self.setAccessibleDescription(self.pointing.text())
        told = self.pointing.told()
        if told == self._told:
            return
        before, self._told = self._told, told
        if before[0] and before[0] != told[0]:
            self.place_pointed.emit(before[0], NOWHERE)
        if told[0]:
            self.place_pointed.emit(*told)

    # --- painting, pointer, keys -----------------------------------------------------------------------------------

    def paint_over(self, painter: QPainter, rect: QRectF) -> None:
        """The layers that are visible, and over them what is pointed at."""
        for overlay in self.pointing.shown:
            self._painter.paint(painter, rect, overlay)
        pointing, view = self.pointing, self.rect().toRectF()
        if pointing.layer is not None and pointing.place != NOWHERE:
            place = place_rect(rect, place_box(pointing.layer, pointing.place))
            draw_place(painter, place, pinned=pointing.pinned)
            if pointing.says_more:
                draw_tag(painter, view, place, pointing.text())
        if pointing.key is not None:
            draw_key(painter, view, pointing.key, pointing.key_title)
        elif self._note:
            draw_note(painter, view, self._note)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """See the whole picture again; what the first click held is let go."""
        if event.button() == Qt.MouseButton.LeftButton:
            self.pointing.let_go()
            self._tell_place()
        super().mouseDoubleClickEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter holds a place, then arrows go to others, Enter or Escape lets it go; the rest is for the view."""
        key, held = Qt.Key(event.key()), self.pointing.pinned
        if held and key in ARROWS and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.pointing.step(*ARROWS[key])
        elif held and key in (*_HOLD, Qt.Key.Key_Escape):
            self.pointing.let_go()
        elif held or self._is_led or key not in _HOLD or not self.pointing.step(0, 0):
            super().keyPressEvent(event)
            return
        self._tell_place()
