"""Which data a run learns from: this library, or a data set on the disk; and where its labels come from."""

import os

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QComboBox,
    QFileDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from explorer.gui.phrases import count
from explorer.gui.training.draft import Draft
from explorer.gui.training.field_editors import CalmComboBox, PathLine, dropped_path, open_path_dialog
from explorer.gui.training.form_fields import quiet_note, row_name
from explorer.gui.training.problem_line import SaidLine
from explorer.protocol import LibraryState
from explorer.protocol.training import RecipeForm

LIBRARY, ANNOTATIONS = "dataset.library", "dataset.annotations"
LABEL_FILE, LABEL_SOURCE = "labels.file", "labels.source"
KEYS = (LIBRARY, ANNOTATIONS, LABEL_FILE, LABEL_SOURCE)
"""The settings that are chosen here and have no row of their own."""

_SOURCES = {
    "": "None", "file": "From a file", "sentences": "Made from the sentences", "data": "Those of the data set",
}
_INDENT_PX = 24


class DataForm(QWidget):
    """Two ways to say where the photos and sentences are, and where labels come from if the task takes any.

    Signals:
        edited(dict): these keys get these words; None takes a key out.
    """

    edited = Signal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._library: LibraryState | None = None
        self._before = ""  # the data set that was named when the library was chosen in its place
        self.from_library = QRadioButton(self)
        self.from_other = QRadioButton("Another library, which the recipe names", self)
        self.other_note = quiet_note(self)
        self.from_files = QRadioButton("A data set on the disk", self)
        self._group = QButtonGroup(self)
        self._group.addButton(self.from_library)
        self._group.addButton(self.from_other)
        self._group.addButton(self.from_files)
        self.library_note = quiet_note(self)
        self.path = PathLine(self)
        self.file_button = QPushButton("File…", self)
        self.folder_button = QPushButton("Folder…", self)
        self.files_note = quiet_note(
            self, "A json of sentences, as Karpathy's or COCO's, a .mat of hashing papers, or the folder of a data"
            " set: type it, drop it, or choose it.",
        )
        self.problem = SaidLine(self)
        self.labels = LabelForm(self)
        self.nothing = QLabel("This needs no data: it renders its own.", self)
        self._chosen = QWidget(self)
        self._compose()
        self._give_names()
        self._group.buttonClicked.connect(self._choose)
        self.path.textEdited.connect(self._typed)
        self.path.dropped.connect(self.take)
        self.file_button.clicked.connect(self.choose_file)
        self.folder_button.clicked.connect(self.choose_folder)
        self.labels.edited.connect(self.edited)
        self.setAcceptDrops(True)

    def _compose(self) -> None:
        grid = QGridLayout(self._chosen)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(4)
        grid.setHorizontalSpacing(8)
        grid.setColumnMinimumWidth(0, _INDENT_PX - 8)
        grid.setColumnStretch(1, 1)
        grid.addWidget(self.from_library, 0, 0, 1, 4)
        grid.addWidget(self.library_note, 1, 1, 1, 3)
        grid.addWidget(self.from_other, 2, 0, 1, 4)
        grid.addWidget(self.other_note, 3, 1, 1, 3)
        grid.setRowMinimumHeight(4, 4)
        grid.addWidget(self.from_files, 5, 0, 1, 4)
        grid.addWidget(self.path, 6, 1)
        grid.addWidget(self.file_button, 6, 2)
        grid.addWidget(self.folder_button, 6, 3)
        grid.addWidget(self.files_note, 7, 1, 1, 3)
        grid.addWidget(self.problem, 8, 1, 1, 3)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(12)
        column.addWidget(self.nothing)
        column.addWidget(self._chosen)
        column.addWidget(self.labels)

    def _give_names(self) -> None:
        self.path.setAccessibleName("Data set: a file or a folder")
        self.path.setPlaceholderText("A file or a folder")
        self.file_button.setAccessibleName("Choose the file of the data set")
        self.folder_button.setAccessibleName("Choose the folder of the data set")

    # --- drawing ------------------------------------------------------------------------------------------------------

    def show_draft(self, draft: Draft, library: LibraryState | None, *, anew: bool = False) -> None:
        """Redraw."""
        self._library = library
        keys = {field.key for field in draft.form.fields}
        self._chosen.setVisible(ANNOTATIONS in keys)
        self.nothing.setVisible(not needs_data(draft.form))
        if anew:
            self._before = ""
        self._show_library(LIBRARY in keys, library_problem(library))
        chosen = draft.value(LIBRARY)
        annotations = draft.value(ANNOTATIONS)
        other = chosen is not None and (library is None or chosen != library_keys(library)[LIBRARY])
        self.from_other.setVisible(other)
        self.other_note.setVisible(other)
        self.other_note.setText(str(chosen))
        (self.from_other if other else self.from_files if chosen is None else self.from_library).setChecked(True)
        for widget in (self.path, self.file_button, self.folder_button):
            widget.setEnabled(chosen is None)
        typed = str(annotations or "")
        if chosen is None and self.path.text().strip() != typed:
            self.path.setText(typed)
        self.path.setToolTip(self.path.text())
        self.labels.show_draft(draft, anew=anew)

    def _show_library(self, offered: bool, problem: str) -> None:
        n = self._library.n_sentences if self._library is not None else 0
        told = f" ({count(n, 'sentence')})" if n else ""
        self.from_library.setText(f"This library, with its captions{told}")
        self.from_library.setEnabled(not problem)
        self.library_note.setText(problem or (self._library.display if self._library is not None else ""))
        self.library_note.setToolTip(self.library_note.text())
        for widget in (self.from_library, self.library_note):
            widget.setVisible(offered)

    def show_problem(self, key: str, sentence: str) -> None:
        """What is wrong with the data as a whole or with its labels; empty: nothing."""
        of_labels = key.startswith("labels")
        self.problem.say("" if of_labels else sentence)
        self.labels.problem.say(sentence if of_labels else "")

    # --- choosing -----------------------------------------------------------------------------------------------------

    @Slot()
    def _choose(self) -> None:
        if self.from_library.isChecked() and self._library is not None:
            self._before = self.path.text()
            self.edited.emit(library_keys(self._library))
        elif self.from_files.isChecked():
            self._say(self._before)

    @Slot(str)
    def take(self, path: str) -> None:
        """Take the file or folder that was dropped or chosen."""
        self.path.setText(path)
        self._say(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A data set may fall anywhere here, also while the library is chosen."""
        if dropped_path(event.mimeData()) and not self._chosen.isHidden():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:  # noqa: D102
        event.acceptProposedAction()
        self.take(dropped_path(event.mimeData()))

    @Slot(str)
    def _typed(self, path: str) -> None:
        self._say(path.strip())

    def _say(self, path: str) -> None:
        try:
            path.encode("utf-8")
        except UnicodeEncodeError:
            said = "A recipe cannot hold this name, because it is not UTF-8. Rename the file or folder."
            self.show_problem(ANNOTATIONS, said)
            return
        self.edited.emit({LIBRARY: None, ANNOTATIONS: path or None})

    @Slot()
    def choose_file(self) -> QFileDialog:
        """Ask for the file; returns at once."""
        kinds = "Data sets (*.json *.mat);;All files (*)"
        return open_path_dialog(self, "The file of the data set", self.take, kinds=kinds, begin=self.path.text())

    @Slot()
    def choose_folder(self) -> QFileDialog:
        """Ask for the folder; returns at once."""
        return open_path_dialog(self, "The folder of the data set", self.take, folder=True, begin=self.path.text())


class LabelForm(QWidget):
    """Where labels come from; hidden where the task takes none. Signals as of :class:`DataForm`."""

    edited = Signal(dict)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.source: QComboBox = CalmComboBox(self)
        self.source.setMinimumWidth(200)
        self.path = PathLine(self)
        self.button = QPushButton("File…", self)
        self._file_wanted = False
        name = row_name("Labels", self)
        self._file = QWidget(self)
        file_row = QHBoxLayout(self._file)
        file_row.setContentsMargins(0, 0, 0, 0)
        file_row.setSpacing(8)
        file_row.addWidget(self.path, 1)
        file_row.addWidget(self.button)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(name)
        row.addWidget(self.source)
        row.addWidget(self._file, 1)
        row.addStretch()
        self.problem = SaidLine(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.problem)
        self.source.setAccessibleName("Where labels come from")
        self.path.setAccessibleName("File of labels")
        self.path.setPlaceholderText("As `retrieval-explorer labels` writes it")
        self.button.setAccessibleName("Choose the file of labels")
        self.source.activated.connect(self._chosen)
        self.path.textEdited.connect(self._typed)
        self.path.dropped.connect(self.take)
        self.button.clicked.connect(self.choose_file)

    def show_draft(self, draft: Draft, *, anew: bool = False) -> None:
        """Redraw."""
        self._file_wanted = self._file_wanted and not anew
        fields = {field.key: field for field in draft.form.fields}
        self.setVisible(LABEL_SOURCE in fields or LABEL_FILE in fields)
        if self.isHidden():
            return
        sources = self._sources(draft)
        if [self.source.itemData(row) for row in range(self.source.count())] != sources:
            self.source.clear()
            for source in sources:
                self.source.addItem(_SOURCES.get(source, source), source)
        file, source = draft.value(LABEL_FILE), draft.value(LABEL_SOURCE)
        self._file_wanted = not source and (self._file_wanted or file is not None or "" not in sources)
        said = "file" if self._file_wanted else str(source or "")
        self.source.setPlaceholderText(said)
        self.source.setCurrentIndex(self.source.findData(said))
        self._file.setVisible(self._file_wanted)
        if self.path.text().strip() != str(file or ""):
            self.path.setText(str(file or ""))
        self.path.setToolTip(self.path.text())

    def _sources(self, draft: Draft) -> list[str]:
        choices = next((field.choices for field in draft.form.fields if field.key == LABEL_SOURCE), ())
        without = () if "labels" in draft.form.needs else ("",)
        return [*without, "file", *(choice for choice in choices if choice)]

    @Slot()
    def _chosen(self) -> None:
        source = self.source.currentData()
        self._file_wanted = source == "file"
        if self._file_wanted:
            self.edited.emit({LABEL_SOURCE: None, LABEL_FILE: self.path.text().strip() or None})
            self.path.setFocus()
        else:
            self.edited.emit({LABEL_SOURCE: source or None, LABEL_FILE: None})

    @Slot(str)
    def take(self, path: str) -> None:
        """Take the file that was dropped or chosen."""
        self.path.setText(path)
        self._typed(path)

    @Slot(str)
    def _typed(self, path: str) -> None:
        self.edited.emit({LABEL_SOURCE: None, LABEL_FILE: path.strip() or None})

    @Slot()
    def choose_file(self) -> QFileDialog:
        """Ask for the file; returns at once."""
        return open_path_dialog(self, "The file of labels", self.take, kinds="Labels (*.json);;All files (*)")


def needs_data(form: RecipeForm) -> bool:
    """Whether it learns from anything that must be named."""
    return bool(set(form.needs) - {"nothing"})


def library_problem(library: LibraryState | None) -> str:
    """Why this library cannot be learnt from; empty if it can."""
    if library is None:
        return "No library is open."
    if not library.n_sentences:
        return "Its photos have no sentences yet. Add some in the library's menu, at the left of the main window."
    try:
        os.fsdecode(library.path).encode("utf-8")
    except UnicodeEncodeError:
        return "A recipe cannot hold the name of its folder, because it is not UTF-8. Rename the folder."
    return ""


def library_keys(library: LibraryState) -> dict[str, str | None]:
    """What a recipe says that learns from this library."""
    return {LIBRARY: os.fsdecode(library.path), ANNOTATIONS: None, "dataset.images": None}
