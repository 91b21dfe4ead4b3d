"""A thin line that moves while work is under way."""

import time

from PySide6.QtCore import QRectF, Qt, QTimer, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QWidget

from explorer.gui.icons import hairline

_SHOWN_AFTER_MS = 150
_FRAME_MS = 33
_SWEEP_S = 1.4
_PART = 0.28


class BusyLine(QWidget):
    """Two pixels high. It appears only for work that a person would notice, so quick searches do not flicker."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(2)
        self.setAccessibleName("Work under way")
        self._moving = False
        self._since_s = 0.0
        self._patience = QTimer(self, singleShot=True, interval=_SHOWN_AFTER_MS)
        self._patience.timeout.connect(self._begin)
        self._frames = QTimer(self, interval=_FRAME_MS)
        self._frames.timeout.connect(self.update)

    @property
    def moving(self) -> bool:
        """Whether the line is seen moving."""
        return self._moving

    @Slot(bool)
    def set_busy(self, busy: bool) -> None:
        """Begin, after a moment, or end."""
        if busy:
            if not self._moving and not self._patience.isActive():
                self._patience.start()
            return
        self._patience.stop()
        self._frames.stop()
        self._moving = False
        self.update()

    @Slot()
    def _begin(self) -> None:
        self._moving = True
        self._since_s = time.monotonic()
        self._frames.start()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        line = QRectF(0, self.height() - 1, self.width(), 1)
        painter.fillRect(line, hairline(self.palette()))
        if self._moving:
            at = ((time.monotonic() - self._since_s) / _SWEEP_S) % 1.0
            eased = at * at * (3 - 2 * at)
            left = (eased * (1 + _PART) - _PART) * self.width()
            painter.setPen(Qt.PenStyle.NoPen)
            accent = self.palette().color(QPalette.ColorRole.Highlight)
            painter.fillRect(QRectF(left, 0, _PART * self.width(), self.height()), accent)
        painter.end()
