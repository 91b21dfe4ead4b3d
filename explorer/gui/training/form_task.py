"""What is to be trained, and which recipe to begin with."""

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QRadioButton, QVBoxLayout, QWidget

from explorer.gui.training.draft import Beginning, own_data
from explorer.gui.training.field_editors import CalmComboBox, open_path_dialog
from explorer.gui.training.form_data import needs_data
from explorer.gui.training.form_fields import quiet_note, row_name
from explorer.protocol.training import RecipeForm

A_FILE = "A recipe file…"
_INDENT_PX = 24


class TaskPicker(QWidget):
    """One of the tasks, each with its sentence.

    Signals:
        chosen(str): a person chose this task.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, QRadioButton] = {}
        self._group = QButtonGroup(self)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._group.buttonClicked.connect(self._clicked)

    def set_forms(self, forms: Sequence[RecipeForm]) -> None:
        """Offer these tasks, in this order."""
        for button in self.buttons.values():
            self._group.removeButton(button)
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.buttons = {}
        for form in forms:
            button = self.buttons[form.task] = QRadioButton(form.title, self)
            button.setAccessibleDescription(form.says)
            button.setProperty("task", form.task)
            self._group.addButton(button)
            says = quiet_note(self, form.says)
            says.setContentsMargins(_INDENT_PX, 0, 0, 6)
            self._column.addWidget(button)
            self._column.addWidget(says)

    def show_task(self, task: str) -> None:
        """Redraw: which one is chosen."""
        if task in self.buttons:
            self.buttons[task].setChecked(True)

    @Slot()
    def _clicked(self) -> None:
        button = self._group.checkedButton()
        if button is not None:
            self.chosen.emit(str(button.property("task")))


class StartPicker(QWidget):
    """Recipes to begin with: those of the program, one's own data, earlier runs, a file.

    Signals:
        chosen(Beginning): a person chose this one.
        file_chosen(str): she chose a file.
    """

    chosen = Signal(object)
    file_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = CalmComboBox(self)
        self.box.setMinimumWidth(240)
        self.box.setAccessibleName("Begin with")
        self._beginnings: list[Beginning] = []
        self._row = 0
        name = row_name("Begin with", self)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(name)
        row.addWidget(self.box)
        row.addStretch()
        self.box.activated.connect(self._activated)

    def set_beginnings(self, groups: Sequence[Sequence[Beginning]], chosen: Beginning | None) -> None:
        """Offer these, a line between groups, and a file at the end."""
        self.box.clear()
        self._beginnings = []
        if chosen is None:
            return
        for group in groups:
            if self.box.count() and group:
                self.box.insertSeparator(self.box.count())
            for beginning in group:
                self.box.addItem(beginning.title, len(self._beginnings))
                self._beginnings.append(beginning)
        self.box.insertSeparator(self.box.count())
        self.box.addItem(A_FILE, -1)
        place = self._beginnings.index(chosen) if chosen in self._beginnings else -1
        self._row = self.box.findData(place) if place >= 0 else -1
        self.box.setPlaceholderText(chosen.title)
        self.box.setCurrentIndex(self._row)
        self.box.setToolTip(chosen.title)

    @Slot(int)
    def _activated(self, row: int) -> None:
        place = self.box.itemData(row)
        if place == -1:
            self.box.setCurrentIndex(self._row)
            self.choose_file()
        elif row != self._row:
            self._row = row
            self.chosen.emit(self._beginnings[place])

    @Slot()
    def choose_file(self) -> QFileDialog:
        """Ask for a recipe; returns at once."""
        return open_path_dialog(self, "A recipe", self.file_chosen.emit, kinds="Recipes (*.toml);;All files (*)")


def beginnings_of(form: RecipeForm) -> list[Beginning]:
    """What came with the program, the recipe for one's own data first."""
    starts = [
        Beginning(title=one.title, text=one.content.decode(errors="replace"), folder=Path(os.fsdecode(one.folder)))
        for one in form.starts
    ]
    has_own = any(not start.complete for start in form.starts)
    return starts if has_own or (starts and not needs_data(form)) else [own_data(form), *starts]
