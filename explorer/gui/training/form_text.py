"""The recipe of a new run as text: to read, to copy, to keep in a file, to edit."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from explorer.gui.quiet_label import QuietLabel
from explorer.gui.training.problem_line import SaidLine
from explorer.gui.worker import Job


class RecipeText(QWidget):
    """What is edited here comes back into the fields.

    Signals:
        edited(str): the text is another one, by hand.
    """

    edited = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = "recipe"
        self._showing = False
        self.note = QuietLabel(
            self, "What differs from the defaults, as TOML. “retrieval-explorer train FILE.toml” trains the same."
        )
        self.note.setWordWrap(True)
        self.text = QPlainTextEdit(self)
        self.text.setAccessibleName("Recipe as text")
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setTabChangesFocus(True)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.said = SaidLine(self)
        self.copy_button = QPushButton("Copy", self)
        self.save_button = QPushButton("Save as…", self)
        self.copy_button.setAccessibleName("Copy the recipe")
        self.save_button.setAccessibleName("Save the recipe as a file")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.said, 1)
        row.addStretch()
        row.addWidget(self.copy_button, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.save_button, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 8)
        column.setSpacing(8)
        column.addWidget(self.note)
        column.addWidget(self.text, 1)
        column.addLayout(row)
        self.text.textChanged.connect(self._changed)
        self.copy_button.clicked.connect(self.copy)
        self.save_button.clicked.connect(self.choose_file)

    def show_text(self, text: str, name: str) -> None:
        """Redraw; the cursor stays where it is if only a line changed elsewhere. ``name``: of the model."""
        self._name = name or "recipe"
        if text != self.text.toPlainText():
            self._showing = True
            place = self.text.textCursor().position()
            self.text.setPlainText(text)
            cursor = self.text.textCursor()
            cursor.setPosition(min(place, len(text)))
            self.text.setTextCursor(cursor)
            self._showing = False

    @Slot()
    def _changed(self) -> None:
        if not self._showing:
            self.said.say("")
            self.edited.emit(self.text.toPlainText())

    @Slot()
    def copy(self) -> None:
        """Put it into the clipboard."""
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.said.say("Copied.", glyph="notice")

    @Slot()
    def choose_file(self) -> QFileDialog:
        """Ask where to; returns at once."""
        dialog = QFileDialog(self.window(), "Save the recipe as", f"{self._name}.toml", "Recipes (*.toml)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("toml")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save)
        dialog.open()
        return dialog

    @Slot(str)
    def save(self, path: str) -> None:
        """Write it, in a thread, because disks can be slow; the person was asked if a file is replaced."""
        content, target = self.text.toPlainText().encode("utf-8", errors="replace"), Path(path)

        def write() -> Path:
            target.write_bytes(content)
            return target

        job = Job(write)
        job.done.connect(self._saved)
        job.failed.connect(self._not_saved)
        job.start()

    @Slot(object)
    def _saved(self, path: Path) -> None:
        self.said.say(f"Saved as {path}.", glyph="notice")

    @Slot(BaseException)
    def _not_saved(self, error: BaseException) -> None:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        self.said.say(f"The recipe cannot be saved there: {reason}. Choose another place.", glyph="warning")
