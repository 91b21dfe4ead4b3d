"""The controls of one layer: seen or not, how strongly, from which value on, and what its colours mean."""

from dataclasses import replace

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSlider, QVBoxLayout, QWidget

from explorer.gui.overlay_controls import CalmSlider, ColourBarSlider, ElidedCheckBox, KeyCap, LegendButton
from explorer.gui.overlay_regions import RegionRows
from explorer.gui.painters import AnyOverlay
from explorer.gui.phrases import count
from explorer.overlays import (
    ClassOverlay,
    PlacedOverlay,
    PointedOverlay,
    RegionOverlay,
    Style,
    heat_range,
    legend_rows,
    region_strokes,
    seen_regions,
)

_COVER_OPACITY = 1.0


class LabelledSlider(QWidget):
    """A slider of hundredths with its meaning before it and its value after it."""

    def __init__(self, label: str, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.slider = CalmSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, 100)
        self.slider.setPageStep(10)
        self.slider.setAccessibleName(accessible_name)
        self._value = QLabel()
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self._value.setMinimumWidth(self.fontMetrics().horizontalAdvance("100 %"))
        words = QLabel(label)
        words.setMinimumWidth(self.fontMetrics().horizontalAdvance("Sure from "))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for widget in (words, self.slider, self._value):
            row.addWidget(widget)
        self.slider.valueChanged.connect(self._show_value)
        self._show_value(0)

    @Slot(int)
    def _show_value(self, value: int) -> None:
        self._value.setText(f"{value} %")


class LayerBox(QWidget):
    """One layer: a check box that names it and, while it is seen, its controls.

    Signals:
        changed(overlay): a person set it otherwise. class_pointed(int): the pointer asks about this class, -1: none.
        place_pointed(str, int), place_held(str, int): the same of a region of this layer; it was clicked.
    """

    changed = Signal(object)
    class_pointed = Signal(int)
    place_pointed = Signal(str, int)
    place_held = Signal(str, int)

    def __init__(self, overlay: AnyOverlay, number: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._overlay = overlay
        self._is_current = False
        self._legend: list[LegendButton] = []
        self._opacities: dict[Style, float] = {Style.COVER: _COVER_OPACITY}
        self.cover: QCheckBox | None = None
        self.regions: RegionRows | None = None
        self.numbers: QCheckBox | None = None
        self.check = ElidedCheckBox()
        hint = KeyCap(str(number))
        hint.setToolTip(f"Press {number} to show or hide this layer")
        head = QHBoxLayout()
        head.addWidget(self.check, 1)
        head.addWidget(hint)
        self._body = QWidget()
        self._column = QVBoxLayout(self._body)
        self._column.setContentsMargins(0, 0, 0, 4)
        self._column.setSpacing(4)
        self._make_controls(overlay)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._body)
        self.set_overlay(overlay)
        self.check.toggled.connect(self._on_checked)
        self.opacity.slider.valueChanged.connect(self._on_opacity)
        self.threshold.valueChanged.connect(self._on_threshold)

    def _make_controls(self, overlay: AnyOverlay) -> None:
        self.opacity = LabelledSlider("Opacity", f"Opacity of {overlay.title}")
        self.note = QLabel()
        self.note.setWordWrap(True)
        self._legend_column = QVBoxLayout()
        self._legend_column.setSpacing(0)
        self._column.addWidget(self.note)
        if not isinstance(overlay, ClassOverlay):
            self.threshold: QSlider = ColourBarSlider()
            self.threshold.setToolTip("Drag to show only what is at least this salient")
            self.threshold.setAccessibleName(f"Lowest value shown of {overlay.title}")
            self._column.addWidget(self.threshold)
            if isinstance(overlay, RegionOverlay):
                self._make_regions()
            self._make_cover(overlay)
        else:
            sure = LabelledSlider("Sure from", f"Lowest confidence shown of {overlay.title}")
            sure.setToolTip("Show only where the model is at least this sure")
            self.threshold = sure.slider
            self._column.addLayout(self._legend_column)
            self._column.addWidget(sure)
        self._column.addWidget(self.opacity)

    def _make_regions(self) -> None:
        self.regions = RegionRows()
        self.numbers = QCheckBox("Number the boxes")
        self.numbers.setToolTip("1 is the most dominant region, of which the proposer is surest")
        self._column.addWidget(self.regions)
        self._column.addWidget(self.numbers)
        self.regions.pointed.connect(self._on_region_pointed)
        self.regions.held.connect(self._on_region_held)
        self.numbers.toggled.connect(self._on_numbers)

    def _make_cover(self, overlay: PlacedOverlay) -> None:
        self.cover = QCheckBox("Cover the rest")
        self.cover.setToolTip("Darken the picture instead: the more salient a place, the more of it is seen")
        self.cover.setAccessibleName(f"Cover what is less salient in {overlay.title}")
        self._column.addWidget(self.cover)
        self.cover.toggled.connect(self._on_cover)

    @property
    def overlay(self) -> AnyOverlay:
        """The layer as it is set now."""
        return self._overlay

    def set_overlay(self, overlay: AnyOverlay) -> None:
        """Show this layer; says nothing to anybody."""
        self._overlay = overlay
        self.check.set_label(overlay.title)
        self.check.setAccessibleName(f"Show {overlay.title}")
        for control, value in ((self.opacity.slider, overlay.opacity), (self.threshold, overlay.threshold)):
            control.blockSignals(True)
            control.setValue(round(value * 100))
            control.blockSignals(False)
        if self.cover is not None and not isinstance(overlay, ClassOverlay):
            self.cover.blockSignals(True)
            self.cover.setChecked(overlay.style is Style.COVER)
            self.cover.blockSignals(False)
        if self.numbers is not None and isinstance(overlay, RegionOverlay):
            self.numbers.blockSignals(True)
            self.numbers.setChecked(overlay.numbered)
            self.numbers.blockSignals(False)
            self.numbers.setVisible(overlay.style is Style.HEAT)
        self.opacity._show_value(self.opacity.slider.value())
        self.check.blockSignals(True)
        self.check.setChecked(overlay.visible)
        self.check.blockSignals(False)
        self._body.setVisible(overlay.visible)
        self._show_meaning(overlay)

    def _show_meaning(self, overlay: AnyOverlay) -> None:
        note = ""
        if not isinstance(overlay, ClassOverlay):
            assert isinstance(self.threshold, ColourBarSlider)
            self.threshold.set_scale(overlay)
            note = _note_of(overlay)
            if self.regions is not None and isinstance(overlay, RegionOverlay):
                self.regions.set_overlay(overlay)
        else:
            rows = legend_rows(overlay)
            note = "" if rows else "None of the classes it knows is in this picture."
            self._show_legend(overlay)
        self.note.setText(note)
        self.note.setVisible(bool(note))

    def _show_legend(self, overlay: ClassOverlay) -> None:
        rows = legend_rows(overlay)
        if [button.row for button in self._legend] == list(rows):
            return
        for button in self._legend:
            self._legend_column.removeWidget(button)
            button.hide()
            button.deleteLater()
        self._legend = [LegendButton(row) for row in rows]
        for button in self._legend:
            self._legend_column.addWidget(button)
            button.clicked.connect(self._on_legend)
            button.pointed.connect(self.class_pointed)

    @property
    def legend(self) -> list[LegendButton]:
        """The rows of the legend, the largest class first."""
        return list(self._legend)

    def controls(self) -> list[QWidget]:
        """What takes the focus, from top to bottom."""
        if isinstance(self._overlay, ClassOverlay):
            return [self.check, *self._legend, self.threshold, self.opacity.slider]
        assert self.cover is not None
        regions = self.regions.rows if self.regions is not None else []
        numbers = [self.numbers] if self.numbers is not None else []
        return [self.check, self.threshold, *regions, *numbers, self.cover, self.opacity.slider]

    def set_current(self, current: bool) -> None:
        """Mark the layer that the keys for opacity change."""
        if current != self._is_current:
            self._is_current = current
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A bar in the accent colour beside the current layer."""
        if self._is_current:
            painter = QPainter(self)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.palette().color(QPalette.ColorRole.Highlight))
            painter.drawRoundedRect(2, 6, 3, self.height() - 12, 1.5, 1.5)

    def _change(self, overlay: AnyOverlay) -> None:
        self._overlay = overlay
        self.changed.emit(overlay)

    @Slot(bool)
    def _on_checked(self, checked: bool) -> None:
        self._body.setVisible(checked)
        self._change(replace(self._overlay, visible=checked))

    @Slot(int)
    def _on_opacity(self, value: int) -> None:
        self._change(replace(self._overlay, opacity=value / 100))

    @Slot(int)
    def _on_threshold(self, value: int) -> None:
        self._change(replace(self._overlay, threshold=value / 100))
        if not isinstance(self._overlay, ClassOverlay):
            self._show_meaning(self._overlay)

    @Slot(bool)
    def _on_cover(self, checked: bool) -> None:
        assert not isinstance(self._overlay, ClassOverlay)
        style = Style.COVER if checked else Style.HEAT
        self._opacities[self._overlay.style] = self._overlay.opacity
        opacity = self._opacities.get(style, self._overlay.opacity)
        self.set_overlay(replace(self._overlay, style=style, opacity=opacity))
        self._change(self._overlay)

    @Slot(bool)
    def _on_numbers(self, checked: bool) -> None:
        assert isinstance(self._overlay, RegionOverlay)
        self.set_overlay(replace(self._overlay, numbered=checked))
        self._change(self._overlay)

    @Slot(int)
    def _on_region_pointed(self, place: int) -> None:
        self.place_pointed.emit(self._overlay.name, place)

    @Slot(int)
    def _on_region_held(self, place: int) -> None:
        self.place_held.emit(self._overlay.name, place)

    @Slot()
    def _on_legend(self) -> None:
        assert isinstance(self._overlay, ClassOverlay)
        hidden = frozenset(button.class_id for button in self._legend if not button.isChecked())
        self._change(replace(self._overlay, hidden=hidden))


def _note_of(overlay: PlacedOverlay) -> str:
    """What the colours alone do not say."""
    low, high = heat_range(overlay)
    if isinstance(overlay, RegionOverlay):
        n, seen = len(overlay.labels), len(seen_regions(overlay))
        told = count(n, "region") if seen == n else f"{seen} of {count(n, 'region')}"
        if low == high and n > 1:
            return f"{told}, all of the same weight."
        lowers = any(stroke.negative for stroke in region_strokes(overlay))
        return f"{told}, the strongest on top.{' Dashed ones lower the score.' if lowers else ''}"
    if low == high:
        return "The same everywhere in this picture."
    if isinstance(overlay, PointedOverlay):
        return "On average. Point at a place to see its own, click to hold it."
    return ""
