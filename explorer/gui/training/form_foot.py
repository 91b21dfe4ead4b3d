"""Below a form: why it cannot go on, or the button that does; and what is seen in its place while there is no form."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.gui.busy_line import BusyLine
from explorer.gui.training.problem_line import SaidLine


class FormFoot(QWidget):
    """A sentence, a button that shows what it is about, and "Train"."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = BusyLine(self)
        self.line.setAccessibleName("Checking")
        self.said = SaidLine(self)
        self.show_button = QPushButton("Show it", self)
        self.show_button.setAccessibleName("Show the setting that this is about")
        self.train = QPushButton("Train", self)
        self.train.setAccessibleName("Train")
        self.train.setMinimumWidth(96)
        self.train.setDefault(True)
        self.train.setEnabled(False)
        row = QHBoxLayout()
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(8)
        row.addWidget(self.said, 1)
        row.addStretch()
        row.addWidget(self.show_button)
        row.addWidget(self.train)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.line)
        column.addLayout(row)
        self.say("")

    def say(self, sentence: str, *, can_be_shown: bool = False, busy: bool = False) -> None:
        """Say what is in the way; nothing, if nothing is or it is not known yet."""
        self.said.say(sentence)
        self.show_button.setVisible(can_be_shown)
        self.line.set_busy(busy)
        waiting = "It is being checked" if busy else "Start the run (Ctrl+Return); searching goes on"
        self.train.setToolTip(sentence or waiting)


class Waiting(QWidget):
    """One sentence in the middle, and a button where trying again may help.

    Signals:
        again_asked(): the button was pressed.
    """

    again_asked = Signal()

    def __init__(self, parent: QWidget | None = None, *, button: str = "Try again") -> None:
        super().__init__(parent)
        self.busy = False
        self.line = BusyLine(self)
        self.label = QLabel(self)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setWordWrap(True)
        self.label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.button = QPushButton(button, self)
        self.button.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 32)
        column.setSpacing(16)
        column.addWidget(self.line)
        column.addStretch()
        column.addWidget(self.label)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        self.button.clicked.connect(self.again_asked)

    def show_busy(self, sentence: str) -> None:
        """It will pass."""
        self._show(sentence, busy=True)

    def show_problem(self, sentence: str, *, again: bool = True) -> None:
        """It will not pass by itself; or, with no sentence, it has passed."""
        self._show(sentence, busy=False)
        self.button.setVisible(bool(sentence) and again)

    def _show(self, sentence: str, *, busy: bool) -> None:
        self.busy = busy
        self.label.setText(sentence)
        self.line.set_busy(busy)
        self.button.hide()
