"""What a setting is typed or chosen with, one class for each kind of control."""

import contextlib
import os
from typing import Any

from PySide6.QtCore import QMimeData, Qt, Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QFileDialog, QHBoxLayout, QLineEdit, QPushButton, QWidget

from explorer.gui.flow_layout import FlowLayout
from explorer.gui.training.field_words import default_text, default_value, read_typed, setting_title, shown_value
from explorer.gui.training.recipe_text import literal, read_literal
from explorer.protocol.training import RecipeField

NARROW_PX = 200


class Editor(QWidget):
    """Base of them all.

    Signals:
        changed(str | None): what a person chose, as TOML says it; None: nothing, the default is meant.
        wrong(str): what she typed cannot be that; why, in a sentence.
    """

    changed = Signal(object)
    wrong = Signal(str)

    def __init__(self, field: RecipeField, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)

    @property
    def control(self) -> QWidget:
        """What gets the focus."""
        raise NotImplementedError

    def show_value(self, value: Any, *, anew: bool = False) -> None:
        """Redraw: the recipe says this; None: nothing. ``anew``: what is half typed goes, too."""
        raise NotImplementedError


class LineEditor(Editor):
    """Numbers, words and lists of them; the default shows while nothing is typed."""

    def __init__(self, field: RecipeField, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.line = PathLine(self) if field.kind in ("file", "folder") else QLineEdit(self)
        self.line.setPlaceholderText(default_text(field) or _placeholder(field))
        self._row.addWidget(self.line)
        if field.kind in ("integer", "number"):
            self.line.setFixedWidth(NARROW_PX)
        self.line.textEdited.connect(self._typed)

    @property
    def control(self) -> QWidget:  # noqa: D102
        return self.line

    def show_value(self, value: Any, *, anew: bool = False) -> None:
        """What means the same stays as it was typed."""
        try:
            typed = read_typed(self.field, self.line.text())
            same = (None if typed is None else read_literal(typed)) == value
        except ValueError:
            same = not anew
        if not same:
            self.line.setText(shown_value(self.field, value))
            self.line.setCursorPosition(0)

    @Slot(str)
    def _typed(self, text: str) -> None:
        try:
            self.changed.emit(read_typed(self.field, text))
        except ValueError as error:
            self.wrong.emit(str(error))


class PathEditor(LineEditor):
    """A file or a folder: typed, dropped or chosen."""

    def __init__(self, field: RecipeField, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.choose_button = QPushButton("Choose…", self)
        self.choose_button.setAccessibleName(f"Choose: {setting_title(field.key)}")
        self._row.addWidget(self.choose_button)
        self.choose_button.clicked.connect(self.choose)
        assert isinstance(self.line, PathLine)
        self.line.dropped.connect(self.take)

    @Slot()
    def choose(self) -> None:
        """Ask for it; returns at once."""
        open_path_dialog(self, setting_title(self.field.key), self.take, folder=self.field.kind == "folder")

    @Slot(str)
    def take(self, path: str) -> None:
        """Take the one that was chosen or dropped."""
        self.line.setText(path)
        self._typed(path)


class ChoiceEditor(Editor):
    """One of several words."""

    def __init__(self, field: RecipeField, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.box = CalmComboBox(self)
        self.box.setFixedWidth(NARROW_PX)
        default = default_value(field)
        for choice in field.choices:
            self.box.addItem(f"{choice} (default)" if choice == default else choice, choice)
        self._row.addWidget(self.box)
        self.box.activated.connect(self._chosen)

    @property
    def control(self) -> QWidget:  # noqa: D102
        return self.box

    def show_value(self, value: Any, *, anew: bool = False) -> None:
        """A word that is none of the choices is shown in their place."""
        said = default_value(self.field) if value is None else value
        self.box.setPlaceholderText("Choose one" if said is None else str(said))
        self.box.setCurrentIndex(self.box.findData(said))

    @Slot(int)
    def _chosen(self, row: int) -> None:
        self.changed.emit(literal(self.box.itemData(row)))


class SwitchEditor(Editor):
    """On or off."""

    def __init__(self, field: RecipeField, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        self.box = QCheckBox("Off", self)
        self._row.addWidget(self.box)
        self._row.addStretch()
        self.box.clicked.connect(self._clicked)

    @property
    def control(self) -> QWidget:  # noqa: D102
        return self.box

    def show_value(self, value: Any, *, anew: bool = False) -> None:
        """Where the recipe says nothing, the default."""
        self.box.setChecked(bool(default_value(self.field) if value is None else value))
        self._say()

    @Slot(bool)
    def _clicked(self, on: bool) -> None:
        self._say()
        self.changed.emit(literal(on))

    def _say(self) -> None:
        self.box.setText("On" if self.box.isChecked() else "Off")


class ManyEditor(Editor):
    """Several of some words; their order is that of the choices."""

    def __init__(self, field: RecipeField, parent: QWidget | None = None) -> None:
        super().__init__(field, parent)
        inside = QWidget(self)
        flow = FlowLayout(inside, 12)
        self.boxes = [QCheckBox(choice, inside) for choice in field.choices]
        for box in self.boxes:
            box.setAccessibleName(f"{setting_title(field.key)}: {box.text()}")
            flow.addWidget(box)
            box.clicked.connect(self._clicked)
        self._row.addWidget(inside, 1)

    @property
    def control(self) -> QWidget:  # noqa: D102
        return self.boxes[0]

    def show_value(self, value: Any, *, anew: bool = False) -> None:
        """Where the recipe says nothing, the default."""
        said = default_value(self.field) if value is None else value
        for box in self.boxes:
            box.setChecked(isinstance(said, list) and box.text() in said)

    @Slot()
    def _clicked(self) -> None:
        self.changed.emit(literal_list([box.text() for box in self.boxes if box.isChecked()]))


def make_editor(field: RecipeField, parent: QWidget | None = None) -> Editor:
    """The editor for fields of this kind."""
    if field.kind == "choice" and field.choices:
        return ChoiceEditor(field, parent)
    if field.kind == "switch":
        return SwitchEditor(field, parent)
    if field.kind == "list" and field.choices:
        return ManyEditor(field, parent)
    return PathEditor(field, parent) if field.kind in ("file", "folder") else LineEditor(field, parent)


class CalmComboBox(QComboBox):
    """A box that does not change when somebody scrolls past it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(12)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The page scrolls."""
        event.ignore()


class PathLine(QLineEdit):
    """A line that takes a dropped file for its path.

    Signals:
        dropped(str): the path.
    """

    dropped = Signal(str)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: D102
        if dropped_path(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragEnterEvent(event)

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:  # noqa: D102
        if dropped_path(event.mimeData()):
            event.acceptProposedAction()
        else:
            super().dragMoveEvent(event)

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: D102
        path = dropped_path(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.dropped.emit(path)
        else:
            super().dropEvent(event)


def dropped_path(mime: QMimeData) -> str:
    """The one file or folder of this computer that was dropped; empty where it is anything else."""
    urls = mime.urls() if mime.hasUrls() else []
    return urls[0].toLocalFile() if len(urls) == 1 and urls[0].isLocalFile() else ""


def open_path_dialog(
    parent: QWidget, title: str, take: Any, *, folder: bool = False, kinds: str = "All files (*)", begin: str = ""
) -> QFileDialog:
    """Ask for a file or a folder; returns at once, ``take`` is called with its path."""
    dialog = QFileDialog(parent.window(), title, begin if os.path.exists(begin) else "", kinds)
    dialog.setFileMode(QFileDialog.FileMode.Directory if folder else QFileDialog.FileMode.ExistingFile)
    if folder:
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.fileSelected.connect(take)
    dialog.open()
    return dialog


def literal_list(words: list[str]) -> str:
    """A list as TOML says it, on one line."""
    return f"[{', '.join(literal(word) for word in words)}]"


def _placeholder(field: RecipeField) -> str:
    with contextlib.suppress(KeyError):
        return {"file": "A file", "folder": "A folder", "list": "One, another"}[field.kind]
    return "" if field.optional else "Must be given"
