"""A run that lives, in the main window: how far it is, and the way to its own window."""

from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QGridLayout, QPushButton, QWidget

from explorer.gui.activity import ProgressLine
from explorer.gui.elided_label import ElidedLabel
from explorer.gui.quiet_label import QuietLabel


class RunActivity(QWidget):
    """Hidden where no run lives.

    Signals:
        show_asked(Path): it was clicked.
    """

    show_asked = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self.name = ElidedLabel(self)
        self.share = QuietLabel(self)
        self.share.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.line = ProgressLine(self)
        self.text = QuietLabel(self)
        self.text.setWordWrap(True)
        self.button = QPushButton("Show the run", self)
        self.button.clicked.connect(self._ask)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 8, 16, 16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        grid.addWidget(self.name, 0, 0)
        grid.addWidget(self.share, 0, 1)
        grid.addWidget(self.line, 1, 0, 1, 2)
        grid.addWidget(self.text, 2, 0, 1, 2)
        grid.addWidget(self.button, 3, 0, 1, 2)
        self.hide()

    def show_run(self, path: Path | None, name: str = "", text: str = "", part: float | None = None) -> None:
        """Redraw: this run; none: nothing lives."""
        self.path = path
        self.setVisible(path is not None)
        if path is None:
            return
        self.name.set_line(f"Training {name}")
        self.text.setText(text)
        self.share.setText("" if part is None else f"{int(100 * part)} %")
        self.line.show_part(part or 0.0)
        self.button.setAccessibleName(f"Show the run {name}")

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: D102
        if event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.position().toPoint()):
            self._ask()
        super().mouseReleaseEvent(event)

    @Slot()
    def _ask(self) -> None:
        if self.path is not None:
            self.show_asked.emit(self.path)
