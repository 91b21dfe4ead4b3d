"""The files that could not be read, and why; to read, to copy, to mend."""

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QDialogButtonBox,
    QHeaderView,
    QLabel,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from explorer.gui.phrases import count
from explorer.protocol import ErrorList, FileProblem

_HEADINGS = ("File", "Why")


class ProblemTable(QAbstractTableModel):
    """The rows; computed, so that ten thousand open at once."""

    def __init__(self, problems: tuple[FileProblem, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self._problems = problems

    def rowCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008, D102
        return 0 if parent.isValid() else len(self._problems)

    def columnCount(self, parent: QModelIndex | QPersistentModelIndex = QModelIndex()) -> int:  # noqa: B008, D102
        return 0 if parent.isValid() else len(_HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> object:  # noqa: D102
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _HEADINGS[section]
        return None

    def data(self, index: QModelIndex | QPersistentModelIndex, role: int = 0) -> object:  # noqa: D102
        problem = self._problems[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return " ".join((problem.display if index.column() == 0 else problem.error).split())
        if role == Qt.ItemDataRole.ToolTipRole:
            return problem.display if index.column() == 0 else problem.error
        return None

    def text(self, rows: list[int] | None = None) -> str:
        """Tab-separated lines of these rows, or of all."""
        chosen = self._problems if rows is None else [self._problems[row] for row in rows]
        return "\n".join(f"{problem.display}\t{problem.error}" for problem in chosen)


class ErrorsDialog(QDialog):
    """A table with a button that copies it."""

    def __init__(self, errors: ErrorList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Files that could not be read")
        self.resize(720, 400)
        shown = len(errors.problems)
        sentence = f"{count(errors.n_total, 'file')} could not be read. All others are in the library."
        if shown < errors.n_total:
            sentence += f" The first {shown:,} are listed."
        label = QLabel(sentence, self)
        label.setWordWrap(True)
        self._rows = ProblemTable(errors.problems, self)
        self.table = QTableView(self)
        self.table.setModel(self._rows)
        self.table.setAccessibleName("Files that could not be read")
        self.table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.table.setShowGrid(False)
        self.table.setTabKeyNavigation(False)
        self.table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.table.verticalHeader().hide()
        self.table.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.table.horizontalHeader().setHighlightSections(False)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        self.copy_button = buttons.addButton("Copy all", QDialogButtonBox.ButtonRole.ActionRole)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addWidget(label)
        column.addWidget(self.table, 1)
        column.addWidget(buttons)
        buttons.rejected.connect(self.reject)
        self.copy_button.clicked.connect(self.copy_all)
        QShortcut(QKeySequence.StandardKey.Copy, self.table, self.copy_selected)

    @Slot()
    def copy_all(self) -> None:
        """Put the whole table into the clipboard."""
        QGuiApplication.clipboard().setText(self._rows.text())

    @Slot()
    def copy_selected(self) -> None:
        """Put the selected rows into the clipboard."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        QGuiApplication.clipboard().setText(self._rows.text(rows))
