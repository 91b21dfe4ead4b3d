"""The layers of a picture as controls, one under the other."""

from dataclasses import replace

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.gui.overlay_layer import LayerBox
from explorer.gui.painters import AnyOverlay
from explorer.overlays import ClassOverlay, RegionOverlay

OPACITY_STEP = 0.1


class OverlayPanel(QWidget):
    """All layers of a picture, one under the other; how they were set stays when the next picture comes."""

    overlays_changed = Signal(tuple)
    place_pointed = Signal(str, int)
    place_held = Signal(str, int)
    current_changed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._boxes: list[LayerBox] = []
        self._current = 0
        self._looks: dict[str, AnyOverlay] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self.setAccessibleName("Overlay layers")

    @property
    def boxes(self) -> list[LayerBox]:
        """The layers' controls, in the order of their keys."""
        return list(self._boxes)

    def controls(self) -> list[QWidget]:
        """What takes the focus, from top to bottom."""
        return [control for box in self._boxes for control in box.controls()]

    def overlays(self) -> tuple[AnyOverlay, ...]:
        """The layers as they are set now."""
        return tuple(box.overlay for box in self._boxes)

    def set_overlays(self, overlays: tuple[AnyOverlay, ...]) -> tuple[AnyOverlay, ...]:
        """Show these layers with the looks that layers of the same name had last; returns them as they are shown."""
        dressed = tuple(self.dressed(overlay) for overlay in overlays)
        kinds = [(box.overlay.name, box.overlay.kind) for box in self._boxes]
        if kinds != [(overlay.name, overlay.kind) for overlay in dressed]:
            self._rebuild(dressed)
        for box, overlay in zip(self._boxes, dressed, strict=True):
            box.set_overlay(overlay)
        return dressed

    def _rebuild(self, overlays: tuple[AnyOverlay, ...]) -> None:
        for box in self._boxes:
            self._column.removeWidget(box)
            box.hide()
            box.deleteLater()
        self._boxes = [LayerBox(overlay, place + 1) for place, overlay in enumerate(overlays)]
        for box in self._boxes:
            self._column.addWidget(box)
            box.changed.connect(self._on_changed)
            box.class_pointed.connect(self._on_class_pointed)
            box.place_pointed.connect(self.place_pointed)
            box.place_held.connect(self.place_held)
        self._make_current(next((place for place, overlay in enumerate(overlays) if overlay.visible), 0))

    def dressed(self, overlay: AnyOverlay) -> AnyOverlay:
        """The layer with the look that a layer of its name had last."""
        look = self._looks.get(overlay.name)
        if look is None or look.kind != overlay.kind:
            return overlay
        dressed = replace(overlay, visible=look.visible, opacity=look.opacity, threshold=look.threshold)
        if isinstance(dressed, ClassOverlay) and isinstance(look, ClassOverlay) and look.names == dressed.names:
            return replace(dressed, hidden=look.hidden)
        if not isinstance(dressed, ClassOverlay) and not isinstance(look, ClassOverlay):
            dressed = replace(dressed, style=look.style)
        if isinstance(dressed, RegionOverlay) and isinstance(look, RegionOverlay):
            return replace(dressed, numbered=look.numbered)
        return dressed

    def toggle(self, number: int) -> None:
        """Show or hide the layer with this number, from 1."""
        if 1 <= number <= len(self._boxes):
            self._boxes[number - 1].check.toggle()

    def step_opacity(self, steps: int) -> None:
        """Make the current layer more or less opaque."""
        if self._boxes:
            slider = self._boxes[self._current].opacity.slider
            slider.setValue(slider.value() + round(100 * OPACITY_STEP) * steps)

    def _make_current(self, place: int) -> None:
        self._current = place
        for other, box in enumerate(self._boxes):
            box.set_current(other == place and len(self._boxes) > 1)
        self.current_changed.emit(self._boxes[place].overlay.name if self._boxes else "")

    @Slot(int)
    def _on_class_pointed(self, class_id: int) -> None:
        """Show one class alone while the pointer is on its row; nothing is set by that."""
        overlays = self.overlays()
        if class_id >= 0:
            overlays = tuple(
                replace(overlay, hidden=frozenset(range(len(overlay.names))) - {class_id})
                if isinstance(overlay, ClassOverlay) else replace(overlay, visible=False)
                for overlay in overlays
            )
        self.overlays_changed.emit(overlays)

    @Slot(object)
    def _on_changed(self, overlay: AnyOverlay) -> None:
        self._make_current([box.overlay.name for box in self._boxes].index(overlay.name))
        known = self._looks.get(overlay.name)
        if isinstance(overlay, ClassOverlay) and isinstance(known, ClassOverlay) and known.names == overlay.names:
            # Classes that are not in this picture stay as they were set in another one.
            elsewhere = known.hidden - set(overlay.class_ids.ravel().tolist())
            self._looks[overlay.name] = replace(overlay, hidden=overlay.hidden | elsewhere)
        else:
            self._looks[overlay.name] = overlay
        self.overlays_changed.emit(self.overlays())
