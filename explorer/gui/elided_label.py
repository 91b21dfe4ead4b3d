"""A label of one line that may get narrow."""

import html

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget


class ElidedLabel(QLabel):
    """One line that loses its middle when it is too long, so that both ends of a file name are read."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        """As narrow as one likes."""
        return QSize(24, super().minimumSizeHint().height())

    def elided(self) -> str:
        """The text as it is painted."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, self.contentsRect().width())

    def paintEvent(self, event: QPaintEvent) -> None:
        """The text, or what fits of it."""
        painter = QPainter(self)
        painter.drawText(self.contentsRect(), int(self.alignment()), self.elided())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The whole text is a tool tip when it does not fit."""
        super().resizeEvent(event)
        self.set_line(self.text())

    def set_line(self, text: str) -> None:
        """Show this text."""
        self.setText(text)
        # Plain text may look like mark-up to a tool tip.
        self.setToolTip(html.escape(text) if self.elided() != text else "")
