"""A run's model measured on its validation split, beside any other model on the same data."""

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from explorer.engine.requests import Kind
from explorer.gui.activity import ProgressLine
from explorer.gui.controller import Controller
from explorer.gui.flow_layout import FlowLayout
from explorer.gui.notices import sentence_of
from explorer.gui.phrases import duration
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.form_fields import quiet_note
from explorer.gui.training.problem_line import SaidLine
from explorer.gui.training.run_sentences import metric_title, model_name
from explorer.gui.training.value_table import Cell, ValueTable, best_of
from explorer.protocol import Cancelled, Failed, ModelScore, ModelsEvaluated, Progress
from explorer.session import Received

_LONG = 12
"""Letters of a name that is put into two lines."""


class Measures(QWidget):
    """A table, check boxes of other models, and a button that measures them."""

    def __init__(self, controller: Controller, training: TrainingControl, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller, self._training = controller, training
        self._path: Path | None = None
        self._asked: Path | None = None
        self._told: dict[Path, ModelsEvaluated] = {}
        self._own: ModelScore | None = None
        self.table = ValueTable("Measures on the validation split", self)
        self.measured_on = quiet_note(self)
        self.problem = SaidLine(self)
        self.others = QWidget(self)
        self._flow = FlowLayout(self.others, 12)
        self.boxes: dict[str, QCheckBox] = {}
        self.beside = QuietLabel(self, "Beside")
        self.measure = QPushButton("Measure", self)
        self.stop = QPushButton("Stop measuring", self)
        self.copy = QPushButton("Copy", self)
        self.copy_csv = QPushButton("Copy as CSV", self)
        self.line = ProgressLine(self)
        self.numbers = QuietLabel(self)
        self._compose()
        controller.received.connect(self._receive)
        controller.models_changed.connect(self._show_models)
        self.measure.clicked.connect(self.measure_now)
        self.stop.clicked.connect(self.stop_now)
        self.copy.clicked.connect(self.table.copy)
        self.copy_csv.clicked.connect(self.table.copy_csv)

    def _compose(self) -> None:
        self.measure.setToolTip("Measure this model and those that are checked on the validation split of this run")
        self.copy.setAccessibleName("Copy the measures")
        self.copy_csv.setAccessibleName("Copy the measures as CSV")
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(self.beside, 0, Qt.AlignmentFlag.AlignTop)
        top.addWidget(self.others, 1)
        below = QHBoxLayout()
        below.setSpacing(8)
        for button in (self.measure, self.stop):
            below.addWidget(button)
        below.addWidget(self.numbers, 1)
        below.addWidget(self.copy)
        below.addWidget(self.copy_csv)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.table)
        column.addWidget(self.measured_on)
        column.addLayout(top)
        column.addWidget(self.line)
        column.addLayout(below)
        column.addWidget(self.problem)

    # --- drawing ------------------------------------------------------------------------------------------------------

    def show_run(self, path: Path) -> None:
        """Show what is known of this run's model."""
        self._path = path
        finished = self._training.state(path).finished
        metrics = dict(finished.metrics) if finished is not None else {}
        self._own = ModelScore(model=model_name(self._training.state(path)), metrics=metrics)
        self.problem.say("")
        self._show_models()
        self._show_scores()
        self._show_work()

    @Slot()
    def _show_models(self) -> None:
        if self._own is None:
            return
        wanted = [m for m in self._controller.session.models if not m.problem and m.name != self._own.model]
        if list(self.boxes) == [model.name for model in wanted]:
            return
        checked = {name for name, box in self.boxes.items() if box.isChecked()}
        while (item := self._flow.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self.boxes = {}
        for model in wanted:
            box = self.boxes[model.name] = QCheckBox(model.title or model.name, self.others)
            box.setToolTip(model.name)
            box.setAccessibleName(f"Measure {model.title or model.name}, too")
            box.setChecked(model.name in checked)
            self._flow.addWidget(box)
        self.others.updateGeometry()
        self.beside.setVisible(bool(wanted))
        self.others.setVisible(bool(wanted))

    def _show_scores(self) -> None:
        assert self._own is not None
        told = self._told.get(self._path) if self._path is not None else None
        scores = list(told.scores) if told is not None else []
        if all(score.model != self._own.model for score in scores) and self._own.metrics:
            scores.insert(0, self._own)
        self.measured_on.setText(told.measured_on if told is not None else "As measured at the end of the training.")
        self.table.setVisible(bool(scores))
        self.measured_on.setVisible(bool(scores))
        for button in (self.copy, self.copy_csv):
            button.setEnabled(bool(scores))
        self.table.show_values(*score_table(scores, self._titles()))
        problems = [f"{self._titles().get(s.model, s.model)}: {s.problem}" for s in scores if s.problem]
        self.problem.say("\n".join(problems))

    def _titles(self) -> dict[str, str]:
        return {model.name: model.title or model.name for model in self._controller.session.models}

    def _show_work(self) -> None:
        training = self._controller.session.training
        work = training.evaluating if self._asked is not None and self._asked == self._path else None
        self.line.setVisible(work is not None)
        self.stop.setVisible(work is not None)
        self.measure.setVisible(work is None)
        self.numbers.setText(work_text(work) if work is not None else "")
        self.stop.setEnabled(not training.stopping)
        self.stop.setText("Stopping…" if training.stopping else "Stop measuring")
        if work is not None:
            self.line.show_part(work.n_done / work.n_total if work.n_total else 0.0)

    # --- measuring ----------------------------------------------------------------------------------------------------

    @Slot()
    def measure_now(self) -> None:
        """Measure the run's model, and those that are checked, on the same data."""
        if self._own is None or self._path is None:
            return
        described, recipe = self._training.description(self._path), self._training.recipe(self._path)
        if not recipe or described is None:
            self.problem.say("The recipe of this run cannot be read, so its data is not known.")
            return
        self.problem.say("")
        self._asked = self._path
        models = (self._own.model, *(name for name, box in self.boxes.items() if box.isChecked()))
        # The run's folder keeps the photos and sentences that it was trained and measured on.
        self._controller.session.training.evaluate(models, recipe, os.fsencode(self._path))
        self._show_work()
        self.stop.setFocus()

    @Slot()
    def stop_now(self) -> None:
        """Stop measuring; what was measured before stays."""
        self._controller.session.training.stop_evaluating()
        self._show_work()

    @Slot(object)
    def _receive(self, received: Received) -> None:
        if received.kind is not Kind.EVALUATION:
            return
        match received.answer:
            case ModelsEvaluated() as told if self._asked is not None:
                self._told[self._asked] = told
                if self._asked == self._path:
                    self._show_scores()
            case Failed() as failed if self._asked == self._path:
                self.problem.say(sentence_of(failed))
            case Cancelled() if self._asked == self._path:
                self.problem.say("Measuring was stopped.", glyph="notice")
        if not isinstance(received.answer, Progress):
            self._asked = None
        self._show_work()


def score_table(
    scores: Sequence[ModelScore], titles: dict[str, str]
) -> tuple[str, list[str], list[tuple[str, list[Cell]]]]:
    """Models as rows, metrics as columns, the best of each column marked."""
    metrics = list(dict.fromkeys(name for score in scores for name in score.metrics))
    best = {name: best_of([score.metrics.get(name) for score in scores], name) for name in metrics}
    rows = []
    for place, score in enumerate(scores):
        cells = [
            Cell(f"{score.metrics[name]:.1f}", place in best[name], tip=f"{score.metrics[name]:.4f}")
            if name in score.metrics else Cell("–")
            for name in metrics
        ]  # fmt: skip
        rows.append((titles.get(score.model, score.model), cells))
    return "Model", [_in_two_lines(metric_title(name)) for name in metrics], rows


def _in_two_lines(title: str) -> str:
    """Long names of measures would make columns wider than their numbers."""
    words, _, last = title.rpartition(" ")
    return f"{words}\n{last}" if len(title) > _LONG else title


def work_text(progress: Progress) -> str:
    """``"Measuring TVDB, 30 of 100, 2 min left"``."""
    parts = [f"{progress.stage[:1].upper()}{progress.stage[1:]} {progress.current}".strip()]
    if progress.n_total:
        parts.append(f"{progress.n_done:,} of {progress.n_total:,}")
    if progress.remaining_s is not None:
        parts.append(f"{duration(progress.remaining_s)} left")
    return " · ".join(part for part in parts if part)
