"""Where the parts of a comparison stand: results, curves, settings that differ."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from explorer.gui.training.field_editors import CalmComboBox
from explorer.gui.training.form_fields import quiet_note, section_heading
from explorer.gui.training.form_foot import Waiting
from explorer.gui.training.form_page import Rule
from explorer.gui.training.plot_view import PlotView
from explorer.gui.training.problem_line import SaidLine
from explorer.gui.training.value_table import ValueTable

_PLOT_PX = 280
_CHOOSE = "Select two to five runs at the left, with Ctrl or Shift, to see them side by side."


class ComparisonPage(QWidget):
    """The parts; one sentence in their place while there is nothing to compare."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.nothing = Waiting(self)
        self.note = SaidLine(self, glyph="notice")
        self.results = ValueTable("What the runs came to", self)
        self.settings = ValueTable("Settings that differ", self)
        self.same = quiet_note(self, "No setting differs but the names.")
        self.curve = CalmComboBox(self)
        self.logarithmic = QCheckBox("Log scale", self)
        self.plot = PlotView("Curves of the runs", self)
        self.plot.say_empty("None of these runs has a curve yet.")
        self.copy = QPushButton("Copy", self)
        self.copy_csv = QPushButton("Copy as CSV", self)
        self.export = QPushButton("Export figure…", self)
        self.said = SaidLine(self, glyph="notice")
        self._compose()

    def _compose(self) -> None:
        self.curve.setAccessibleName("Which curve")
        self.curve.setMinimumWidth(220)
        self.logarithmic.setAccessibleName("Logarithmic scale")
        self.plot.setMinimumHeight(_PLOT_PX)
        self.copy.setAccessibleName("Copy results and settings")
        self.copy_csv.setAccessibleName("Copy results and settings as CSV")
        chosen = QHBoxLayout()
        chosen.setSpacing(16)
        chosen.addWidget(self.curve)
        chosen.addWidget(self.logarithmic)
        chosen.addStretch()
        chosen.addWidget(self.export)
        copies = QHBoxLayout()
        copies.setSpacing(8)
        copies.addStretch()
        copies.addWidget(self.copy)
        copies.addWidget(self.copy_csv)
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        parts: tuple[QWidget | QHBoxLayout, ...] = (
            self.note, section_heading("Results", inside), self.results, Rule(inside),
            section_heading("Curves", inside), chosen, self.plot, self.said, Rule(inside),
            section_heading("Settings that differ", inside), self.settings, self.same, copies,
        )  # fmt: skip
        for part in parts:
            column.addWidget(part) if isinstance(part, QWidget) else column.addLayout(part)
        column.addStretch()
        scrolled = QScrollArea(self)
        scrolled.setWidget(inside)
        scrolled.setWidgetResizable(True)
        scrolled.setFrameShape(QFrame.Shape.NoFrame)
        scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.stack = QStackedWidget(self)
        self.stack.addWidget(self.nothing)
        self.stack.addWidget(scrolled)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(self.stack)
        self.nothing.show_problem(_CHOOSE, again=False)
