"""A scroll area of computed cells: layout, scrolling, zoom; what the cells hold is its subclass's business."""

from PySide6.QtCore import QPoint, QRect, Qt, Signal, Slot
from PySide6.QtGui import QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from explorer.gui.results_grid_layout import CellLayout

MIN_CELL_PX, MAX_CELL_PX, DEFAULT_CELL_PX = 72, 400, 168
_ZOOM_STEP = 1.12


class CellArea(QAbstractScrollArea):
    """Places cells and keeps in sight what was in sight when the width or the size of the cells changes."""

    cell_px_changed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layout = CellLayout(0, 1, DEFAULT_CELL_PX)
        self._current = -1
        self._wheel_rest = 0
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)

    def cell_px(self) -> int:
        """The wanted width of a cell."""
        return self._layout.wanted_px

    @Slot(int)
    def set_cell_px(self, cell_px: int) -> None:
        """Make cells larger or smaller; the cell in the focus of attention stays where it is."""
        self._zoom_to(cell_px, self._anchor())

    def visible_rows(self, *, margin_rows: int = 0) -> range:
        """Indices of the cells in sight, and of so many rows of cells around."""
        return self._layout.visible(self._offset(), self.viewport().height(), margin_rows=margin_rows)

    def cell_rect(self, index: int) -> QRect:
        """Where a cell is in the viewport; only meaningful for cells near the view (32-bit pixels)."""
        left, top = self._layout.cell_origin(index)
        return QRect(left, top - self._offset(), self._layout.cell_width_px, self._layout.cell_height_px)

    def row_at(self, place: QPoint) -> int | None:
        """Which cell is at this place of the viewport."""
        return self._layout.index_at(place.x(), place.y() + self._offset()) if self._layout.n_items else None

    def reveal(self, index: int) -> None:
        """Scroll as little as needed to see the whole cell."""
        top = self._layout.cell_origin(index)[1]
        gap = self._layout.gap_px
        bottom = top + self._layout.cell_height_px + gap - self.viewport().height()
        offset = self._offset()
        if offset > top - gap:
            self._scroll_to(top - gap)
        elif offset < bottom:
            self._scroll_to(bottom, up=True)

    def _offset(self) -> int:
        """Pixels of the contents above the viewport."""
        return int(self.verticalScrollBar().value()) * self._layout.scroll_unit_px

    def _scroll_to(self, offset_px: int, *, up: bool = False) -> None:
        unit = self._layout.scroll_unit_px
        self.verticalScrollBar().setValue(-(-offset_px // unit) if up else offset_px // unit)

    def _set_n_items(self, n_items: int) -> None:
        self._layout = CellLayout(n_items, max(1, self.viewport().width()), self._layout.wanted_px)
        self._update_scroll_bar()

    def _update_scroll_bar(self) -> None:
        unit, bar = self._layout.scroll_unit_px, self.verticalScrollBar()
        view = self.viewport().height()
        bar.setRange(0, max(0, -(-(self._layout.height_px - view) // unit)))
        bar.setPageStep(max(1, view // unit))
        bar.setSingleStep(max(1, self._layout.pitch_px // (3 * unit)))

    def _anchor(self, place: QPoint | None = None) -> tuple[int, int] | None:
        """A cell and its distance from the top of the view: under the pointer, or selected, or the first in sight."""
        if not self._layout.n_items or (place is None and self._offset() == 0 and not self._current_in_sight()):
            return None
        index = self.row_at(place) if place is not None else None
        if index is None and self._current_in_sight():
            index = self._current
        if index is None:
            in_sight = self.visible_rows()
            index = in_sight[0] if in_sight else 0
        return index, self.cell_rect(index).top()

    def _current_in_sight(self) -> bool:
        return self._current in self.visible_rows()

    def _zoom_to(self, cell_px: int, anchor: tuple[int, int] | None) -> None:
        cell_px = max(MIN_CELL_PX, min(MAX_CELL_PX, cell_px))
        if cell_px != self._layout.wanted_px:
            self._relayout(cell_px, anchor)
            self.cell_px_changed.emit(cell_px)

    def _relayout(self, cell_px: int, anchor: tuple[int, int] | None) -> None:
        keep_current = self._current_in_sight()
        self._layout = CellLayout(self._layout.n_items, max(1, self.viewport().width()), cell_px)
        self._update_scroll_bar()
        if anchor is not None:
            self._scroll_to(self._layout.cell_origin(anchor[0])[1] - anchor[1])
        if keep_current:
            self.reveal(self._current)
        self.viewport().update()
        self._view_changed()

    @Slot()
    def _on_scrolled(self) -> None:
        self.viewport().update()
        self._view_changed()

    def _view_changed(self) -> None:
        """Called whenever other cells may have come into sight."""

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fill the new width; the selection stays in sight."""
        super().resizeEvent(event)
        # The bar has not moved yet, so what was in sight is still known from the old layout and the old height.
        in_sight = self._layout.visible(self._offset(), max(1, event.oldSize().height()))
        anchor = self._anchor()
        if self._current in in_sight:
            anchor = (self._current, self.cell_rect(self._current).top())
        self._relayout(self._layout.wanted_px, anchor)
        if self._current in in_sight:
            self.reveal(self._current)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Ctrl and the wheel make cells larger or smaller around the pointer."""
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
            return
        self._wheel_rest += event.angleDelta().y()
        steps = int(self._wheel_rest / 120)
        self._wheel_rest -= steps * 120
        if steps:
            self._zoom_by(steps, event.position().toPoint())
        event.accept()

    def _zoom_by(self, steps: int, place: QPoint | None = None) -> None:
        self._zoom_to(round(self._layout.wanted_px * _ZOOM_STEP**steps), self._anchor(place))
