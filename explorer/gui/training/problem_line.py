"""One sentence about something that is wrong, at its place."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QWidget

from explorer.gui.icons import paint_glyph


class Glyph(QWidget):
    """A small sign in the colour of the text."""

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.setFixedSize(16, 18)

    def sizeHint(self) -> QSize:  # noqa: D102
        return QSize(16, 18)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        colour = self.palette().color(QPalette.ColorRole.WindowText)
        paint_glyph(painter, self.name, QRectF(1, 2, 14, 14), colour)
        painter.end()


class SaidLine(QWidget):
    """A glyph and a sentence of any length; hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None, *, glyph: str = "warning") -> None:
        super().__init__(parent)
        self.glyph = Glyph(glyph, self)
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setMinimumWidth(1)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(self.glyph, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.label, 1)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self.label.text()

    def say(self, sentence: str, *, glyph: str = "") -> None:
        """Say this, or nothing."""
        if glyph:
            self.glyph.name = glyph
            self.glyph.update()
        self.label.setText(sentence)
        self.label.setAccessibleName(sentence)
        self.setVisible(bool(sentence))
