"""Controls below the picture in a narrow pane, beside it in a wide one."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget

_WIDE_PX = 720
_CONTROLS_PX = 320
_PICTURE_ASPECT = 1.15


class PaneSplitter(QSplitter):
    """Divides its first two children by its own shape until a person moves the handle."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Vertical, parent)
        self._is_split_by_hand = False
        self.setChildrenCollapsible(False)
        self.splitterMoved.connect(self._on_moved)

    @Slot()
    def _on_moved(self) -> None:
        self._is_split_by_hand = True

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Turn when the shape asks for it; in either direction the picture's place depends on the pane alone."""
        wide = self.width() >= _WIDE_PX and self.width() > self.height() * 0.9
        orientation = Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical
        if self.orientation() != orientation:
            self.setOrientation(orientation)
            self._is_split_by_hand = False
        super().resizeEvent(event)
        if not self._is_split_by_hand:
            length = self.width() if wide else self.height()
            controls = min(_CONTROLS_PX, length // 3) if wide else max(
                length * 2 // 5, length - round(self.width() * _PICTURE_ASPECT))
            self.setSizes([length - controls - self.handleWidth(), controls])
