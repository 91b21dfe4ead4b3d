"""Choosing one of many cells with keys and pointer."""

import numpy as np
from PySide6.QtCore import QEvent, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QKeyEvent, QMouseEvent, QPalette
from PySide6.QtWidgets import QWidget

from explorer.gui.item_ids import ITEM_ID
from explorer.gui.results_grid_area import CellArea

_STEPS = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}


class SelectionArea(CellArea):
    """Cells that stand for items, one of which may be selected.

    Signals:
        current_changed(id, row), activated(id, row): another one was selected, or one was opened.
        menu_requested(id, place on the screen).
    """

    current_changed = Signal(ITEM_ID, int)
    activated = Signal(ITEM_ID, int)
    menu_requested = Signal(ITEM_ID, QPoint)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._item_ids = np.empty(0, np.int64)
        self._hovered = -1
        self._pressed: QPoint | None = None
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.viewport().setMouseTracking(True)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Base)

    def current_item(self) -> tuple[int, int] | None:
        """Id and row of the selected item."""
        return None if self._current < 0 else (int(self._item_ids[self._current]), self._current)

    def row_of(self, item_id: int) -> int:
        """Where an item is; -1 if it is not among these."""
        found = np.flatnonzero(self._item_ids == item_id)
        return int(found[0]) if found.size else -1

    def select_row(self, row: int) -> None:
        """Select the item of this row and bring it into sight; a row that does not exist changes nothing."""
        if not 0 <= row < len(self._item_ids):
            return
        changed = row != self._current
        self._current = row
        self.reveal(row)
        self.viewport().update()
        if changed:
            self._tell_current()
            self.current_changed.emit(int(self._item_ids[row]), row)

    @Slot()
    def select_next(self) -> None:
        """Select the next item; the first if none is selected."""
        self.select_row(self._current + 1)

    @Slot()
    def select_previous(self) -> None:
        """Select the item before."""
        self.select_row(self._current - 1)

    def _tell_current(self) -> None:
        """Called when another item is selected."""

    def _drag(self, row: int) -> None:
        """Called when this cell is dragged."""

    # --- keys ------------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home, End and pages move the selection; Enter opens; Ctrl with + and - zooms."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self._zoom_key(event.key()):
            return
        if event.modifiers() & Qt.KeyboardModifier.AltModifier:
            event.ignore()
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._activate()
            return
        target = self._target(Qt.Key(event.key()))
        if target is None:
            # Not handed to the scroll area, which would eat keys that belong to the window.
            event.ignore()
            return
        if len(self._item_ids):
            self.select_row(max(0, min(len(self._item_ids) - 1, target)))

    def _target(self, key: Qt.Key) -> int | None:
        """The row that a key leads to, perhaps outside of the ranking; ``None`` for other keys."""
        columns = self._layout.n_columns
        page = columns * max(1, self.viewport().height() // self._layout.pitch_px)
        row, last = self._current, len(self._item_ids) - 1
        if key in _STEPS:
            across, down = _STEPS[key]
            if row < 0:
                return self.visible_rows().start
            if down and not 0 <= row + down * columns <= last:
                # Below the last full row there may be cells to the left: go to the last one, not nowhere.
                return last if down > 0 and row // columns < last // columns else row
            return row + across + down * columns
        return {
            Qt.Key.Key_Home: 0, Qt.Key.Key_End: last, Qt.Key.Key_PageUp: max(row - page, row % columns),
            Qt.Key.Key_PageDown: row + page if row >= 0 else page,
        }.get(key)

    def _zoom_key(self, key: int) -> bool:
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom_by(1)
        elif key == Qt.Key.Key_Minus:
            self._zoom_by(-1)
        else:
            return False
        return True

    def _activate(self) -> None:
        current = self.current_item()
        if current is not None:
            self.activated.emit(*current)

    # --- pointer ---------------------------------------------------------------------------------------------------

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select what was clicked; a click between cells changes nothing."""
        row = self.row_at(event.position().toPoint())
        if row is not None and event.button() in (Qt.MouseButton.LeftButton, Qt.MouseButton.RightButton):
            self.select_row(row)
        dragging = row is not None and event.button() == Qt.MouseButton.LeftButton
        self._pressed = event.position().toPoint() if dragging else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The press has done it all; the release is not for anybody behind."""
        self._pressed = None
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Open what was double-clicked."""
        row = self.row_at(event.position().toPoint())
        if row is not None and event.button() == Qt.MouseButton.LeftButton:
            self.select_row(row)
            self._activate()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """A quiet ring follows the pointer; with the button held down, the cell is dragged."""
        place = event.position().toPoint()
        if self._pressed is not None and event.buttons() & Qt.MouseButton.LeftButton:
            if (place - self._pressed).manhattanLength() >= QGuiApplication.styleHints().startDragDistance():
                self._pressed = None
                self._drag(self._current)
            return
        self._hover(self.row_at(place))

    def leaveEvent(self, event: QEvent) -> None:
        """No ring once the pointer is gone."""
        super().leaveEvent(event)
        self._hover(None)

    def _hover(self, row: int | None) -> None:
        before, self._hovered = self._hovered, -1 if row is None else row
        for changed in {before, self._hovered} if before != self._hovered else ():
            if changed in self.visible_rows():
                self.viewport().update(self.cell_rect(changed).adjusted(-5, -5, 5, 5))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Ask for a menu: at the pointer, or at the selected cell when the key was pressed."""
        if event.reason() == QContextMenuEvent.Reason.Mouse:
            row, place = self.row_at(event.pos()), event.globalPos()
        else:
            row = self._current if self._current >= 0 else None
            place = self.viewport().mapToGlobal(self.cell_rect(row).center()) if row is not None else QPoint()
        if row is not None:
            self.menu_requested.emit(int(self._item_ids[row]), place)
