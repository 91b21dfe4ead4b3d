"""The strongest regions of a picture as rows: to read them, to find them in the picture, to hold one by keys."""

from PySide6.QtCore import QEvent, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QVBoxLayout, QWidget

from explorer.gui.overlay_controls import paint_row, value_text
from explorer.overlays import NOWHERE, RegionOverlay, RegionStroke, heat_range, place_name, place_value, region_strokes

MOST_ROWS = 6


class RegionRow(QAbstractButton):
    """One region: its number on the colour of its weight, its label, its weight."""

    pointed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.place = NOWHERE
        self._colour, self._figure, self._number = QColor(), "", ""
        self._dashed = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_region(self, overlay: RegionOverlay, stroke: RegionStroke) -> None:
        """Speak of this region."""
        low, high = heat_range(overlay)
        self.place = stroke.place
        self._colour = QColor(*stroke.colour)
        self._figure = value_text(place_value(overlay, stroke.place), high - low)
        name = place_name(overlay, stroke.place)
        self.setText(name[:1].upper() + name[1:])
        self._number, self._dashed = str(stroke.number) if overlay.numbered else "", stroke.negative
        numbered = "" if name.endswith(f" {stroke.number}") else f"{stroke.number}, "
        self.setAccessibleName(f"{numbered}{name}, weight {self._figure}")
        sure = f"the proposer is {float(overlay.scores[stroke.place]):.0%} sure of it"
        lowers = " It lowers the similarity." if stroke.negative else ""
        self.setToolTip(f"{name}, number {stroke.number}: {sure}.{lowers} Click to hold it in the picture")
        self.update()

    def enterEvent(self, event: QEnterEvent) -> None:
        """Show where it is."""
        super().enterEvent(event)
        self.pointed.emit(self.place)

    def leaveEvent(self, event: QEvent) -> None:
        """No more."""
        super().leaveEvent(event)
        self.pointed.emit(NOWHERE)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keys point as well."""
        super().focusInEvent(event)
        self.pointed.emit(self.place)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """No more."""
        super().focusOutEvent(event)
        self.pointed.emit(NOWHERE)

    def sizeHint(self) -> QSize:
        """One line of text."""
        return QSize(120, max(22, self.fontMetrics().height() + 6))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Swatch, label, weight."""
        paint_row(self, self._colour, self._figure, filled=True, number=self._number, dashed=self._dashed)


class RegionRows(QWidget):
    """The strongest regions that are seen, the strongest first."""

    pointed = Signal(int)
    held = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self._rows = [RegionRow(self) for _ in range(MOST_ROWS)]
        for row in self._rows:
            column.addWidget(row)
            row.pointed.connect(self.pointed)
            row.clicked.connect(self._on_clicked)

    @property
    def rows(self) -> list[RegionRow]:
        """All of them; those that speak of no region are hidden."""
        return list(self._rows)

    def set_overlay(self, overlay: RegionOverlay) -> None:
        """Speak of the regions of this layer."""
        strongest = region_strokes(overlay)[::-1][:MOST_ROWS]
        for row, stroke in zip(self._rows, strongest, strict=False):
            row.set_region(overlay, stroke)
            row.show()
        for row in self._rows[len(strongest):]:
            row.place = NOWHERE
            row.hide()

    @Slot()
    def _on_clicked(self) -> None:
        row = self.sender()
        assert isinstance(row, RegionRow)
        self.held.emit(row.place)
