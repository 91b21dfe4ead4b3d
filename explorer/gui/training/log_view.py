"""What happened in a run, a line each; can be copied."""

import time
from collections.abc import Sequence

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from explorer.gui.training.copied_text import CopiedText

_MOST_LINES = 5000


class LogView(CopiedText):
    """Lines with their time; what is new comes below, and stays in sight if the end was."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Log", "log", parent)
        self._shown: list[tuple[float, str]] = []
        self.text.setMaximumBlockCount(_MOST_LINES)
        self.text.setPlaceholderText("Nothing has happened yet.")

    def show_log(self, log: Sequence[tuple[float, str]], printed: str = "") -> None:
        """Redraw; only what came since the last time is added. ``printed``: what the process itself printed last."""
        lines = list(log)
        if printed:
            at_s = lines[-1][0] if lines else 0.0
            lines += [(at_s, f"    {line}") for line in printed.splitlines()]
        n_same = len(self._shown)
        if lines[:n_same] != self._shown:
            self.text.clear()
            self.note.clear()
            n_same = 0
        bar = self.text.verticalScrollBar()
        follow = bar.value() >= bar.maximum() - 4
        if len(lines) > n_same:
            self.text.appendPlainText("\n".join(map(line_text, lines[n_same:])))
        if follow:
            bar.setValue(bar.maximum())
        self._shown = lines
        self.copy.setEnabled(bool(lines))

    @Slot()
    def copy_all(self) -> None:
        """Put the whole log into the clipboard, also the lines that are too many to be shown."""
        super().copy_all()
        QGuiApplication.clipboard().setText("\n".join(map(line_text, self._shown)))


def line_text(line: tuple[float, str]) -> str:
    """``"14:02:11  Epoch 3 of 30: recall 41.2"``; with the day where it was not today."""
    at_s, sentence = line
    if not at_s:
        return sentence
    at = time.localtime(at_s)
    today = time.localtime()
    day = "" if at[:3] == today[:3] else time.strftime("%Y-%m-%d ", at)
    return f"{day}{time.strftime('%H:%M:%S', at)}  {sentence}"
