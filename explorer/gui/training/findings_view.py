"""What the check of a recipe found in its data, before anything starts."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from explorer.gui.phrases import count
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.training.form_fields import quiet_note
from explorer.gui.training.problem_line import SaidLine
from explorer.protocol.training import RecipeChecked, SplitFound

_ROLES = {"train": "learns from it", "val": "is measured on it", "other": "not used"}


class FindingsView(QWidget):
    """Splits as a table, what is missing, notes, and some sentences as they will be read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = QuietLabel(self)
        self.state.setWordWrap(True)
        self.table = QWidget(self)
        self._grid = QGridLayout(self.table)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(4)
        self.missing = SaidLine(self)
        self.notes: list[SaidLine] = []
        self.examples = quiet_note(self)
        self.examples.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(8)
        for widget in (self.state, self.table, self.missing, self.examples):
            self._column.addWidget(widget)
        self.setAccessibleName("What the check found")
        self.show_nothing()

    def show_nothing(self, sentence: str = "") -> None:
        """There is nothing to show; why."""
        self._show((), sentence)

    def show_busy(self) -> None:
        """A newer check is under way; what the last one found stays."""
        self.state.setText("Checking…")
        self.state.show()

    def show_checked(self, checked: RecipeChecked) -> None:
        """Redraw."""
        self._show(checked.splits, "")
        n_missing = sum(split.n_missing for split in checked.splits)
        of = sum(split.n_images for split in checked.splits)
        verb = "is" if n_missing == 1 else "are"
        self.missing.say(f"{count(n_missing, 'photo')} of {of:,} {verb} not where the data says." if n_missing else "")
        for note in checked.notes:
            line = SaidLine(self, glyph="notice")
            line.say(note)
            self.notes.append(line)
            self._column.insertWidget(self._column.indexOf(self.examples), line)
        if checked.n_classes is not None and checked.splits:
            self._add_cells(self._grid.rowCount(), [f"{count(checked.n_classes, 'class', 'classes')} of labels."])
        shown = [f"“{' '.join(example.split())}”" for example in checked.examples[:3]]
        self.examples.setText("For example: " + "  ".join(shown) if shown else "")
        self.examples.setVisible(bool(shown))

    def text(self) -> str:
        """All of it, for tests and for whoever listens."""
        cells = [self._grid.itemAt(place).widget() for place in range(self._grid.count())]  # type: ignore[union-attr]
        told = [cell.text() for cell in cells if isinstance(cell, QLabel)]
        return "\n".join([*told, self.missing.text, *(note.text for note in self.notes), self.examples.text()])

    def _show(self, splits: Sequence[SplitFound], sentence: str) -> None:
        self.state.setText(sentence)
        self.state.setVisible(bool(sentence))
        self.missing.say("")
        self.examples.hide()
        for note in self.notes:
            self._column.removeWidget(note)
            note.hide()
            note.deleteLater()
        self.notes = []
        while (item := self._grid.takeAt(0)) is not None:
            cell = item.widget()
            if cell is not None:
                cell.hide()
                cell.deleteLater()
        self.table.setVisible(bool(splits))
        labelled = any(split.n_labelled for split in splits)
        if splits:
            heads = ["Split", "Photos", "Sentences", *(["Labelled"] if labelled else []), ""]
            self._add_cells(0, heads, quiet=True)
        for row, split in enumerate(splits, start=1):
            numbers = [split.n_images, split.n_sentences, *([split.n_labelled] if labelled else [])]
            self._add_cells(row, [split.name, *(f"{n:,}" for n in numbers), _ROLES[split.role]])

    def _add_cells(self, row: int, texts: Sequence[str], *, quiet: bool = False) -> None:
        alone = len(texts) == 1
        for column, text in enumerate(texts):
            last = column == len(texts) - 1
            cell = QuietLabel(self.table, text) if quiet or last else QLabel(text, self.table)
            cell.setTextFormat(Qt.TextFormat.PlainText)
            side = Qt.AlignmentFlag.AlignLeft if column == 0 or last else Qt.AlignmentFlag.AlignRight
            cell.setAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            if alone:
                self._grid.addWidget(cell, row, 0, 1, 5)
            else:
                self._grid.addWidget(cell, row, column)
        if not alone:
            self._grid.setColumnStretch(len(texts) - 1, 1)
