"""What a run will take, before it starts: measured on some real steps in a process of its own."""

import shutil
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.gui.busy_line import BusyLine
from explorer.gui.phrases import count, duration
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.training.form_device import memory
from explorer.gui.training.problem_line import SaidLine
from explorer.gui.worker import Job
from explorer.protocol.runs import Estimated, RunFailed

_SCARCE = 0.9


class EstimateView(QWidget):
    """A button, then sentences; what is shown grows old when the recipe changes, and says so.

    Signals:
        asked(), stop_asked(): the button was pressed.
    """

    asked = Signal()
    stop_asked = Signal()

    def __init__(self, place: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._place = place
        self._told: Estimated | None = None
        self._free_mb: float | None = None
        self._busy = False
        self.button = QPushButton("Estimate time and memory", self)
        self.note = QuietLabel(self, "Makes some real steps; nothing is kept.")
        self.note.setWordWrap(True)
        self.line = BusyLine(self)
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.problem = SaidLine(self)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self.button)
        row.addWidget(self.note, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(row)
        for widget in (self.line, self.label, self.problem):
            column.addWidget(widget)
        self.line.hide()
        self.label.hide()
        self.button.clicked.connect(self._press)

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._busy

    def allow(self, allowed: bool) -> None:
        """Whether there is a recipe to measure; stopping is always allowed."""
        self.button.setEnabled(allowed or self._busy)

    @Slot()
    def _press(self) -> None:
        if self._busy:
            self.show_idle()
            self.stop_asked.emit()
        else:
            self.asked.emit()

    def show_busy(self) -> None:
        """Steps are being measured."""
        self._busy = True
        self.button.setText("Stop estimating")
        self.note.setText("Measuring some real steps…")
        self.line.show()
        self.line.set_busy(True)
        self.label.hide()
        self.problem.say("")

    def show_idle(self, note: str = "Makes some real steps; nothing is kept.") -> None:
        """Nothing is under way."""
        self._busy = False
        self.button.setText("Estimate time and memory" if self._told is None else "Estimate again")
        self.note.setText(note)
        self.line.set_busy(False)
        self.line.hide()

    def show_changed(self) -> None:
        """The recipe is another now: what was measured no longer holds."""
        if self._told is not None and not self._busy:
            self.note.setText("The settings have changed since this was measured.")

    def forget(self) -> None:
        """What was measured is of another recipe altogether."""
        self._told = None
        self.label.hide()
        self.problem.say("")
        self.show_idle()

    def show_told(self, told: Estimated | RunFailed) -> None:
        """What came of it."""
        if isinstance(told, RunFailed):
            self._told = None
            self.show_idle()
            self.label.hide()
            self.problem.say(f"{told.message} {told.remedy}".strip())
            return
        self._told = told
        steps = f"Measured on {count(told.n_steps, 'step')}." if told.n_steps else ""
        self.show_idle(steps)
        self._say()
        place = self._place
        job = Job(lambda: free_mb(place))  # a disk can be slow
        job.done.connect(self._show_free)
        job.start()

    @Slot(object)
    def _show_free(self, free: float | None) -> None:
        self._free_mb = free
        self._say()

    def _say(self) -> None:
        if self._told is None:
            return
        self.label.setText(estimate_text(self._told, self._free_mb))
        self.label.show()
        too_much = self._free_mb is not None and self._told.disk_mb > _SCARCE * self._free_mb
        self.problem.say("The disk has hardly room for that. Make room or take fewer crops." if too_much else "")


def estimate_text(told: Estimated, free: float | None = None) -> str:
    """Two sentences or three: time by phase, memory, disk."""
    phases = [f"{name.replace('_', ' ')} {duration(s)}" for name, s in told.by_phase.items() if s >= 0.5]
    of = f": {', '.join(phases)}" if len(phases) > 1 else ""
    device = f" and {memory(told.device_memory_mb)} on the device" if told.device_memory_mb else ""
    disk = f"It writes {memory(told.disk_mb)}" + (f"; {memory(free)} are free." if free is not None else ".")
    return f"It takes {about(told.seconds)}{of}.\nIt needs {memory(told.memory_mb)} of memory{device}.\n{disk}"


def about(seconds: float) -> str:
    """``"about 12 min"``, ``"a few seconds"``."""
    told = duration(seconds)
    return told if told.startswith("a ") else f"about {told}"


def free_mb(place: Path) -> float | None:
    """Free space where runs are written; None where it cannot be told."""
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        return shutil.disk_usage(place).free / 1e6
    except OSError:
        return None
