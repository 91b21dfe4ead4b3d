"""The recipe of a run, as it was when the run was made."""

from PySide6.QtCore import Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from explorer.gui.quiet_label import QuietLabel


class SettingsView(QWidget):
    """Text to read and to copy; the same file trains on the command line."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Settings")
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.document().setDocumentMargin(16)
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setAccessibleName("Recipe of this run")
        self.text.setPlaceholderText("The recipe of this run cannot be read.")
        self.note = QuietLabel(self, "The same recipe trains on the command line: retrieval-explorer train FILE.toml")
        self.note.setWordWrap(True)
        self.note.setMinimumWidth(1)
        self.copy = QPushButton("Copy the recipe", self)
        self.copy.clicked.connect(self.copy_all)
        below = QHBoxLayout()
        below.setContentsMargins(16, 8, 16, 8)
        below.addWidget(self.note, 1)
        below.addWidget(self.copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.text, 1)
        column.addLayout(below)

    def show_recipe(self, recipe: bytes) -> None:
        """Redraw."""
        self.text.setPlainText(recipe.decode("utf-8", "replace"))
        self.copy.setEnabled(bool(recipe))

    @Slot()
    def copy_all(self) -> None:
        """Put the recipe into the clipboard."""
        QGuiApplication.clipboard().setText(self.text.toPlainText())
