"""All keys, for reading; opened by F1."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from explorer.gui.keys import KEYS, Key
from explorer.gui.quiet_label import QuietLabel


class KeysDialog(QDialog):
    """The table, for reading."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        content = QWidget(self)
        grid = QGridLayout(content)
        grid.setContentsMargins(24, 8, 24, 16)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        section = ""
        for key in KEYS:
            if key.section != section:
                section = key.section
                heading = QLabel(section, content)
                font = heading.font()
                font.setBold(True)
                heading.setFont(font)
                heading.setContentsMargins(0, 12, 0, 2)
                grid.addWidget(heading, grid.rowCount(), 0, 1, 2)
            row = grid.rowCount()
            names = QuietLabel(content, _key_names(key))
            names.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
            text = QLabel(key.text or (key.command.value.rstrip("…") if key.command else ""), content)
            grid.addWidget(names, row, 0)
            grid.addWidget(text, row, 1)
        grid.setColumnStretch(1, 1)
        area = QScrollArea(self)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setAccessibleName("List of keys")
        area.setWidget(content)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.setContentsMargins(16, 8, 16, 16)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area, 1)
        column.addWidget(buttons)
        self.resize(content.sizeHint().width() + 32, min(760, content.sizeHint().height() + 72))


def _key_names(key: Key) -> str:
    if key.command is None:
        return "  ".join(key.keys)
    native = QKeySequence.SequenceFormat.NativeText
    return "  ".join(QKeySequence(sequence).toString(native) for sequence in key.keys)
