"""The line at the bottom: model, device, photos, and how long the last search took."""

from PySide6.QtCore import QRectF, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from explorer.gui.icons import hairline
from explorer.gui.quiet_label import QuietLabel


class StatusLine(QWidget):
    """Draws one sentence, quietly."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.label = QuietLabel(self)
        self.label.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        self.label.setAccessibleName("Status")
        self.label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 5, 16, 4)
        row.addWidget(self.label, 1)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @Slot(str)
    def show_status(self, text: str) -> None:
        """Redraw."""
        self.label.setText(text)
        self.label.setToolTip(text)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        painter.fillRect(QRectF(0, 0, self.width(), 1), hairline(self.palette()))
        painter.end()
