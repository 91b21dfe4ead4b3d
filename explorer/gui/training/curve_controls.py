"""How curves are drawn: which of them, on which scale, how smooth."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QComboBox, QMenu, QPushButton, QSlider, QWidget

from explorer.gui.flow_layout import FlowLayout
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.training.run_sentences import metric_title
from explorer.runs.state import PhaseState, RunState
from explorer.settings import TrainingSettings

_SLIDER_PX = 112
_MOST_METRICS = 4
_DECADE = 50
"""Of the slider: so many steps make the span of the average ten times as long."""


class CurveControls(QWidget):
    """One row, or more where the window is narrow.

    Signals:
        changed(): the curves shall look otherwise.
        export_asked(str): a figure of ``"losses"`` or of ``"metrics"``.
    """

    changed = Signal()
    export_asked = Signal(str)

    def __init__(self, settings: TrainingSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._hidden: set[str] = set()
        self._known: set[str] = set()
        self._terms: tuple[str, ...] = ()
        self._phases: tuple[str, ...] = ()
        self.phases = QComboBox(self)
        self.phases.setAccessibleName("Phase")
        self.phases.setToolTip("The phase of the run whose curves are drawn")
        self.terms = QPushButton("Which curves", self)
        self.terms.setAccessibleName("Which curves are drawn")
        self.terms_menu = QMenu(self)
        self.terms.setMenu(self.terms_menu)
        self.log = QCheckBox("Log scale", self)
        self.log.setToolTip("Draw losses on a logarithmic scale")
        self.log.setChecked(settings.logarithmic)
        self._smoothing_label = QuietLabel(self, "Smoothing")
        self.smoothing = QSlider(Qt.Orientation.Horizontal, self)
        self.smoothing.setRange(0, 2 * _DECADE)
        self.smoothing.setPageStep(_DECADE // 5)
        self.smoothing.setFixedWidth(_SLIDER_PX)
        self.smoothing.setValue(settings.smoothing)
        self.smoothing.setAccessibleName("Smoothing of losses")
        self.export = QPushButton("Export figure", self)
        export_menu = QMenu(self)
        for name, text in (("losses", "Losses…"), ("metrics", "Validation…")):
            export_menu.addAction(text).triggered.connect(lambda _=False, name=name: self.export_asked.emit(name))
        self.export.setMenu(export_menu)
        row = FlowLayout(self, 8)
        for widget in (self.phases, self.terms, self.log, self._smoothing_label, self.smoothing, self.export):
            widget.setFixedHeight(self.export.sizeHint().height())
            row.addWidget(widget)
        self.phases.hide()
        self.log.toggled.connect(self.changed)
        self.smoothing.valueChanged.connect(self._say_smoothing)
        self.smoothing.valueChanged.connect(self.changed)
        self.phases.activated.connect(self.changed)
        self._say_smoothing()

    @property
    def hidden(self) -> frozenset[str]:
        """The curves that shall not be drawn."""
        return frozenset(self._hidden)

    @property
    def learning_rate(self) -> bool:
        """Whether the learning rate shall be drawn."""
        action = next((each for each in self.terms_menu.actions() if each.data() == "learning rate"), None)
        return action is not None and action.isChecked()

    @property
    def logarithmic(self) -> bool:
        """Whether losses are drawn on a logarithmic scale."""
        return self.log.isChecked()

    @property
    def span(self) -> float:
        """Of the moving average, in points; 1: none."""
        return float(10.0 ** (self.smoothing.value() / _DECADE))

    @property
    def phase(self) -> str:
        """The chosen phase; empty where there is no choice."""
        return self.phases.currentText() if self.phases.count() > 1 else ""

    def show_state(self, state: RunState) -> None:
        """Offer the phases and the curves that there are."""
        phases = tuple(phase.name for phase in state.phases.values() if phase.has_curves)
        if phases != self._phases:
            latest_was_shown = not self._phases or self.phases.currentText() == self._phases[-1]
            chosen = self.phases.currentText()
            self._phases = phases
            self.phases.clear()
            self.phases.addItems(phases)
            keep = chosen in phases and not latest_was_shown
            self.phases.setCurrentIndex(phases.index(chosen) if keep else len(phases) - 1)
            self.phases.setVisible(len(phases) > 1)
        shown = state.phases.get(self.phase) or state.drawn
        terms = (*shown.losses, *shown.metrics)
        if terms != self._terms:
            self._terms = terms
            self._hide_most(shown)
            self._fill_terms(tuple(shown.losses), tuple(shown.metrics))

    def _hide_most(self, phase: PhaseState) -> None:
        """Of what is seen for the first time, leave out what would hide the rest; it can be chosen."""
        new = {name for name in (*phase.losses, *phase.metrics) if name not in self._known}
        self._known |= new
        terms = phase.losses.keys() - {"loss"}
        if len(terms) == 1:  # it is the loss
            self._hidden |= new & terms
        if len(phase.metrics) > _MOST_METRICS and phase.watched in phase.metrics:
            self._hidden |= new & (phase.metrics.keys() - {phase.watched})

    def _fill_terms(self, losses: tuple[str, ...], metrics: tuple[str, ...]) -> None:
        drawn = self.learning_rate
        self.terms_menu.clear()
        for title, names in (("Losses", losses), ("Validation", metrics)):
            if names:
                self.terms_menu.addSection(title)
            for name in names:
                self._add_term(name, checked=name not in self._hidden)
        if losses:
            self.terms_menu.addSeparator()
            self._add_term("learning rate", checked=drawn)
        self.terms.setEnabled(bool(losses or metrics))
        self.export.setEnabled(bool(losses or metrics))

    def _add_term(self, name: str, *, checked: bool) -> None:
        action = self.terms_menu.addAction(metric_title(name))
        action.setData(name)
        action.setCheckable(True)
        action.setChecked(checked)
        action.toggled.connect(self._choose)

    @Slot()
    def _choose(self) -> None:
        actions = [action for action in self.terms_menu.actions() if action.data()]
        self._hidden -= {action.data() for action in actions}
        self._hidden |= {action.data() for action in actions if not action.isChecked()}
        self.changed.emit()

    @Slot()
    def _say_smoothing(self) -> None:
        span = self.span
        self.smoothing.setToolTip("Losses as they were measured" if span < 2 else f"Averaged over {span:.0f} points")
