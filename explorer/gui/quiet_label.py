"""A label of the second rank."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QWidget

from explorer.gui.icons import quiet_text


class QuietLabel(QLabel):
    """Plain text in the palette's quiet colour; follows when the system turns dark or light."""

    def __init__(self, parent: QWidget, text: str = "") -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self._take_colour()

    def changeEvent(self, event: QEvent) -> None:
        """A palette of the parent shines through in all roles but the one set here."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.ParentChange):
            self._take_colour()

    def _take_colour(self) -> None:
        parent = self.parentWidget()
        if parent is None:
            return
        wanted = quiet_text(parent.palette())
        palette = self.palette()
        if palette.color(QPalette.ColorRole.WindowText) != wanted:
            palette.setColor(QPalette.ColorRole.WindowText, wanted)
            self.setPalette(palette)
