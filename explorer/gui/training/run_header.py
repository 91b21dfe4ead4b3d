"""The top of a run: what it is, how it is with it in one sentence, and what can be done about it."""

from pathlib import Path

from PySide6.QtCore import QRectF, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from explorer.gui.activity import ProgressLine
from explorer.gui.elided_label import ElidedLabel
from explorer.gui.flow_layout import FlowLayout
from explorer.gui.icons import blend, paint_glyph
from explorer.gui.notice_bar import WARNING
from explorer.gui.quiet_label import QuietLabel
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.followed_run import ENDING, Doing
from explorer.gui.training.run_sentences import (
    best_sentence,
    family_text,
    headline,
    part_done,
    progress_text,
    when_text,
)
from explorer.runs.state import RunState, RunStatus

_GONE_WRONG = frozenset({RunStatus.FAILED, RunStatus.DIED})


class RunHeader(QWidget):
    """Redrawn from :class:`TrainingControl`, and tells it what was pressed.

    Attributes:
        offers_index: whether the library can be indexed with a finished model from here, and not from below.

    Signals:
        discard_asked(Path), delete_asked(Path): to be confirmed first.
        change_asked(Path): the form, with the settings of this run.
        index_asked(Path): index the library with what it made.
    """

    discard_asked = Signal(object)
    delete_asked = Signal(object)
    change_asked = Signal(object)
    index_asked = Signal(object)

    def __init__(self, training: TrainingControl, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._training = training
        self.path: Path | None = None
        self.offers_index = True
        self.name = ElidedLabel(self)
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.facts = QuietLabel(self)
        self.warning = WarningGlyph(self)
        self.sentence = QLabel(self)
        self.remedy = QuietLabel(self)
        for label in (self.sentence, self.remedy):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setMinimumWidth(1)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.line = ProgressLine(self)
        self.numbers = QuietLabel(self)
        self.numbers.setWordWrap(True)
        self.numbers.setMinimumWidth(1)
        self.pause = self._button("Pause", self._pause_or_resume)
        self.stop = self._button("Stop", self._stop, "End now and keep a checkpoint, from which it can go on")
        self.keep = self._button("Stop and keep best", self._keep)
        self.go_on = self._button("Go on", self._go_on, "Go on from the last checkpoint")
        self.index = self._button("Index this library with it", self._index)
        self.change = self._button("Change the settings…", self._change, "A new run that begins with these settings")
        self.details = self._button("Copy details", self._copy_details, "What the training process printed")
        self.discard = self._button("Discard…", self._discard, "Stop it and delete what it has made so far")
        self.delete = self._button("Delete…", self._delete, "Delete this run; the model that it made stays")
        self._compose()

    def _button(self, text: str, slot: object, tip: str = "") -> QPushButton:
        button = QPushButton(text, self)
        button.setToolTip(tip)
        button.clicked.connect(slot)
        return button

    def buttons(self) -> tuple[QPushButton, ...]:
        """All of them, the likely ones first."""
        return (
            self.pause, self.stop, self.keep, self.go_on, self.index, self.change, self.details, self.discard,
            self.delete,
        )  # fmt: skip

    def _compose(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(16)
        top.addWidget(self.name, 1)
        top.addWidget(self.facts)
        row = QWidget(self)
        flow = FlowLayout(row, 8)
        for button in self.buttons():
            button.setParent(row)
            flow.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 8)
        column.setSpacing(8)
        column.addLayout(top)
        said = QHBoxLayout()
        said.setSpacing(8)
        said.addWidget(self.warning, 0, Qt.AlignmentFlag.AlignTop)
        said.addWidget(self.sentence, 1)
        column.addLayout(said)
        for widget in (self.remedy, self.line, self.numbers, row):
            column.addWidget(widget)

    # --- what is so ---------------------------------------------------------------------------------------------------

    def show_run(self, path: Path) -> None:
        """Redraw."""
        self.path = path
        training = self._training
        state, description, doing = training.state(path), training.description(path), training.doing(path)
        problem = training.problem(path)
        self.name.set_line(" ".join((description.name if description is not None else path.name).split()))
        self.name.setAccessibleName(f"Run: {self.name.text()}")
        made_at = description.made_at if description is not None else 0.0
        facts = (family_text(description), state.device, when_text(made_at))
        self.facts.setText(" · ".join(fact for fact in facts if fact))
        said = headline(state, doing.value if doing else "", problem)
        self.sentence.setText(said.text)
        self.sentence.setAccessibleName(said.text)
        self.warning.setVisible(said.serious)
        self.remedy.setText(said.remedy)
        self.remedy.setVisible(bool(said.remedy))
        lives = training.lives(path)
        part = part_done(state)
        self.line.setVisible(lives)
        self.line.show_part(part or 0.0)
        self.numbers.setText(_numbers(state, lives=lives))
        self.numbers.setVisible(bool(self.numbers.text()))
        self._show_buttons(state, doing, lives=lives, readable=not problem)

    def _show_buttons(self, state: RunState, doing: Doing | None, *, lives: bool, readable: bool) -> None:
        ending = doing in ENDING
        paused = state.status is RunStatus.PAUSED
        self.pause.setText("Resume" if paused else "Pause")
        self.pause.setToolTip("Go on where it waits" if paused else "Wait at the next step; the memory stays taken")
        self.pause.setEnabled(not ending and doing is not Doing.STARTING and state.status is not RunStatus.WAITING)
        self.stop.setText(doing.value if doing is Doing.STOPPING else "Stop")
        self.stop.setEnabled(not ending)
        self.keep.setEnabled(not ending and state.can_keep)
        self.keep.setToolTip(keep_tip(state))
        self.discard.setEnabled(doing is not Doing.DISCARDING)
        finished = state.status is RunStatus.FINISHED
        wrong = state.status in _GONE_WRONG
        shown = {
            self.pause: lives, self.stop: lives, self.keep: lives, self.discard: lives,
            self.go_on: not lives and state.can_go_on, self.index: not lives and finished and self.offers_index,
            self.change: not lives and readable,
            self.details: not lives and wrong and state.failed is not None and bool(state.failed.details),
            self.delete: not lives,
        }  # fmt: skip
        for button, is_shown in shown.items():
            button.setVisible(is_shown)

    def offer_index(self, offers: bool) -> None:
        """Offer to index the library from here, or not because it is offered below."""
        if offers != self.offers_index:
            self.offers_index = offers
            if self.path is not None:
                self.show_run(self.path)

    # --- what is pressed ----------------------------------------------------------------------------------------------

    @Slot()
    def _pause_or_resume(self) -> None:
        if self.path is None:
            return
        if self._training.state(self.path).status is RunStatus.PAUSED:
            self._training.resume(self.path)
        else:
            self._training.pause(self.path)

    @Slot()
    def _stop(self) -> None:
        if self.path is not None:
            self._training.stop(self.path)

    @Slot()
    def _keep(self) -> None:
        if self.path is not None:
            self._training.keep_best(self.path)

    @Slot()
    def _go_on(self) -> None:
        if self.path is not None:
            self._training.go_on(self.path)

    @Slot()
    def _index(self) -> None:
        self.index_asked.emit(self.path)

    @Slot()
    def _change(self) -> None:
        self.change_asked.emit(self.path)

    @Slot()
    def _copy_details(self) -> None:
        failed = None if self.path is None else self._training.state(self.path).failed
        if failed is not None:
            QGuiApplication.clipboard().setText(failed.details)

    @Slot()
    def _discard(self) -> None:
        self.discard_asked.emit(self.path)

    @Slot()
    def _delete(self) -> None:
        self.delete_asked.emit(self.path)


class WarningGlyph(QWidget):
    """Beside a sentence that says what went wrong; decoration, so screen readers skip it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedSize(16, 16)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: D102
        painter = QPainter(self)
        colour = blend(WARNING, self.palette().color(QPalette.ColorRole.WindowText), 0.75)
        paint_glyph(painter, "warning", QRectF(self.rect()), colour)
        painter.end()


def keep_tip(state: RunState) -> str:
    """What the button does, or why it cannot."""
    best = state.best
    if state.can_keep and best is not None:
        return f"End now, with a model of epoch {best.epoch}; {best_sentence(state)}"
    phase = state.phases.get(state.phase)
    if phase is not None and not phase.watched and not phase.best_epochs:
        return "This phase does not compare its epochs: there is no best one to keep"
    if phase is not None and phase.best_epochs:
        return "This phase is not the one that makes the model"
    return "No epoch has been measured yet: there is nothing to keep"


def _numbers(state: RunState, *, lives: bool) -> str:
    words = [progress_text(state) if lives else "", best_sentence(state)]
    return " · ".join(word.replace(" ", "\u00a0") if word is words[1] else word for word in words if word)
