"""Doing something once a widget has been painted for the first time, and not sooner."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget


class FirstPaint(QObject):
    """Waits for the first paint of a widget, whose child it is, then makes a call and goes.

    A timer of zero is not enough: under X11 and Wayland the paint waits for the display server and the timer does not.
    """

    def __init__(self, widget: QWidget, call: Callable[[], None]) -> None:
        super().__init__(widget)
        self._widget, self._call = widget, call
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The call is made when the loop comes round again, with the paint done."""
        if event.type() == QEvent.Type.Paint and watched is self._widget:
            self._widget.removeEventFilter(self)
            QTimer.singleShot(0, self._call)
            self.deleteLater()
        return False
