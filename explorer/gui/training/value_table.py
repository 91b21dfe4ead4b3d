"""A small table of values with the best ones marked; to read, to copy, to keep."""

import io
from collections.abc import Sequence
from csv import writer
from dataclasses import dataclass

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QPalette, QResizeEvent, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QFrame, QHeaderView, QTableWidget, QTableWidgetItem, QWidget

_MOST_COLUMN_PX = 260
_LEAST_COLUMN_PX = 88
_NAME_PX = 240
_ROOM_PX = 16


@dataclass(frozen=True, slots=True)
class Cell:
    """``best``: of its row or column; ``tip``: all of it, where ``text`` is short for something."""

    text: str
    best: bool = False
    tip: str = ""


class ValueTable(QTableWidget):
    """Rows under columns; it is as high as what it shows, so that the page scrolls and not the table."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._corner = ""
        self.setAccessibleName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setShowGrid(False)
        self.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.setTabKeyNavigation(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ContiguousSelection)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setWordWrap(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.verticalHeader().hide()
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideNone)  # it cannot shorten two lines
        self.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        QShortcut(QKeySequence.StandardKey.Copy, self, self.copy, context=Qt.ShortcutContext.WidgetShortcut)

    def show_values(self, corner: str, columns: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]) -> None:
        """Redraw. ``corner``: what the names of the rows are; each row has a cell for each column."""
        self._corner = corner
        self.clear()
        self.setColumnCount(len(columns) + 1)
        self.setRowCount(len(rows))
        for column, title in enumerate((corner, *columns)):
            head = QTableWidgetItem("\n".join(self._shortened(line) for line in title.split("\n")))
            whole = " ".join(title.split())
            head.setData(Qt.ItemDataRole.UserRole, whole)
            head.setToolTip(whole)
            if not column:
                head.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(column, head)
        for place, (name, cells) in enumerate(rows):
            self.setItem(place, 0, _item(Cell(name), Qt.AlignmentFlag.AlignLeft))
            for column, cell in enumerate(cells, start=1):
                self.setItem(place, column, _item(cell, Qt.AlignmentFlag.AlignRight))
        self._fit()

    def _shortened(self, line: str) -> str:
        metrics = self.horizontalHeader().fontMetrics()
        return metrics.elidedText(line, Qt.TextElideMode.ElideMiddle, _MOST_COLUMN_PX - _ROOM_PX)

    def _fit(self) -> None:
        self.resizeColumnsToContents()
        header = self.horizontalHeader()
        for column in range(self.columnCount()):
            most = _NAME_PX if not column else _MOST_COLUMN_PX
            header.resizeSection(column, max(_LEAST_COLUMN_PX, min(header.sectionSize(column) + _ROOM_PX, most)))
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        self.resizeRowsToContents()
        self._fit_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A wider table may need no scroll bar."""
        super().resizeEvent(event)
        self._fit_height()

    def _fit_height(self) -> None:
        header = self.horizontalHeader()
        high = header.sizeHint().height() + sum(self.rowHeight(row) for row in range(self.rowCount())) + 4
        wide = sum(header.sectionSize(column) for column in range(self.columnCount()))
        if wide > max(self.viewport().width(), 1):
            high += self.horizontalScrollBar().sizeHint().height()
        self.setFixedHeight(high)

    def rows(self) -> list[list[str]]:
        """Everything as text, heads first."""
        titles = [self.horizontalHeaderItem(column) for column in range(self.columnCount())]
        heads = [str(title.data(Qt.ItemDataRole.UserRole)) for title in titles if title is not None]
        cells = [[self._text(row, column) for column in range(self.columnCount())] for row in range(self.rowCount())]
        return [heads, *cells]

    def _text(self, row: int, column: int) -> str:
        item = self.item(row, column)
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else ""

    def best(self) -> set[tuple[str, str]]:
        """Which cells are marked: names of their row and column."""
        heads, *rows = self.rows()
        return {
            (row[0], heads[column]) for place, row in enumerate(rows) for column in range(1, len(heads))
            if (item := self.item(place, column)) is not None and item.font().bold()
        }  # fmt: skip

    def text(self, *, csv: bool = False) -> str:
        """All of it, a line for each row, parted by tabs or by commas."""
        text = io.StringIO()
        writer(text, delimiter="," if csv else "\t", lineterminator="\n").writerows(self.rows())
        return text.getvalue()

    @Slot()
    def copy(self) -> None:
        """Put all of it into the clipboard, tab-separated."""
        QGuiApplication.clipboard().setText(self.text())

    @Slot()
    def copy_csv(self) -> None:
        """Put all of it into the clipboard, with commas."""
        QGuiApplication.clipboard().setText(self.text(csv=True))


def _item(cell: Cell, side: Qt.AlignmentFlag) -> QTableWidgetItem:
    item = QTableWidgetItem(cell.text)
    whole = cell.tip or cell.text
    item.setData(Qt.ItemDataRole.UserRole, whole)
    item.setToolTip(whole)
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    if cell.best:
        font = item.font()
        font.setBold(True)
        item.setFont(font)
        item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{cell.text}, the best")
    return item


def best_of(values: Sequence[float | None], metric: str) -> set[int]:
    """Which of them are best; none where there is nothing to compare. Ranks and losses are better when they are low."""
    some = [value for value in values if value is not None]
    if len(set(some)) < 2:
        return set()
    low = any(word in metric for word in ("rank", "loss"))
    best = min(some) if low else max(some)
    return {place for place, value in enumerate(values) if value == best}
