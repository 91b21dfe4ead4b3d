"""Text to read, with a note and a button that copies it."""

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from explorer.gui.quiet_label import QuietLabel


class CopiedText(QWidget):
    """What it shows is its owner's.

    Attributes:
        text, note, copy: the text, and what stands below it.
    """

    def __init__(self, name: str, what: str, parent: QWidget | None = None) -> None:
        """name: of the whole; what: the text is called, ``"log"``."""
        super().__init__(parent)
        self.setAccessibleName(name)
        self._what = what
        self.text = QPlainTextEdit(self)
        self.text.setReadOnly(True)
        self.text.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self.text.setTabChangesFocus(True)
        self.text.document().setDocumentMargin(16)
        self.text.setAccessibleName(f"{what.capitalize()} of this run")
        self.note = QuietLabel(self)
        self.note.setWordWrap(True)
        self.note.setMinimumWidth(1)
        self.copy = QPushButton(f"Copy the {what}", self)
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

    @Slot()
    def copy_all(self) -> None:
        """Put the whole text into the clipboard."""
        QGuiApplication.clipboard().setText(self.text.toPlainText())
        self.note.setText(f"The {self._what} was copied.")
