"""The window of training: the runs at the left; a new run, one run or several side by side at the right.

What it hosts, each made as ``Widget(controller, training, parent)``:

- ``form.NewRunForm``: ``started(Path)`` when a run was started; ``show_recipe(recipe, *, task, recipe_folder, device)``
  fills it with the settings of an earlier run.
- ``run_view.RunView``: ``show_run(path)``; one of its tabs is ``results_view.ResultsView``: ``show_run(path)``.
- ``run_comparison.RunComparison``: ``show_runs(paths)``.
"""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from PySide6.QtCore import QByteArray, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from explorer.gui.controller import Controller
from explorer.gui.engine_link import CLOSE_TIMEOUT_S
from explorer.gui.notice_bar import NoticeBar
from explorer.gui.notices import Notice, Topic
from explorer.gui.page_view import PageView
from explorer.gui.pages import Page, Step
from explorer.gui.panes import FineSplitter
from explorer.gui.training.asking import ask
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.curve_artist import CurveArtist
from explorer.gui.training.form import NewRunForm
from explorer.gui.training.run_comparison import RunComparison
from explorer.gui.training.run_list import RunList
from explorer.gui.training.run_view import RunView
from explorer.settings import TrainingSettings

EMPTY = Page(
    glyph="curves", title="No model has been trained here yet.", steps=(Step.NEW_RUN,),
    text="Training teaches a model from photos that have sentences: a data set, or this library. It runs beside your "
    "searching, can be stopped and gone on with, and ends with a model that you can search with.",
)  # fmt: skip
CHOOSE = Page(
    glyph="curves", title="Choose a run at the left.", text="Choose several to compare them.", steps=(Step.NEW_RUN,)
)


class TrainingWindow(QWidget):
    """A window of its own, so that searching goes on in the main one.

    Signals:
        index_asked(Path): index the library with what this run made.

    Attributes:
        list, new, compare, notices, stack, page, form, view, comparison: the parts that are seen.
    """

    index_asked = Signal(object)

    def __init__(self, controller: Controller, training: TrainingControl, settings: TrainingSettings) -> None:
        super().__init__()
        self.setWindowTitle("Training")
        self._training, self._settings = training, settings
        self._artist = CurveArtist()
        self.list = RunList(training, self)
        self.new = QPushButton("New run", self)
        self.new.setMinimumHeight(32)
        self.compare = QPushButton("Compare", self)
        self.notices = NoticeBar(self)
        self.page = PageView(self)
        self.form = NewRunForm(controller, training, self)
        self.view = RunView(controller, training, self._artist, settings, self)
        self.comparison = RunComparison(controller, training, self._artist, self)
        self.stack = QStackedWidget(self)
        for widget in (self.page, self.form, self.view, self.comparison):
            self.stack.addWidget(widget)
        self._compose()
        self._join()
        if not settings.geometry or not self.restoreGeometry(QByteArray.fromBase64(settings.geometry.encode("ascii"))):
            self.resize(1080, 760)
        self._artist.start()
        self._show_runs()

    def _compose(self) -> None:
        title = QLabel("Training runs", self)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 8, 8)
        head.addWidget(title, 1)
        head.addWidget(self.new)
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 8, 16, 8)
        foot.addWidget(self.compare)
        side = QWidget(self)
        side.setMinimumWidth(200)
        left = QVBoxLayout(side)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(0)
        left.addLayout(head)
        left.addWidget(self.list, 1)
        left.addLayout(foot)
        main = QWidget(self)
        right = QVBoxLayout(main)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.notices)
        right.addWidget(self.stack, 1)
        self.splitter = FineSplitter(self)
        self.splitter.addWidget(side)
        self.splitter.addWidget(main)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.setSizes([self._settings.list_px, 1080 - self._settings.list_px])
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.splitter)

    def _join(self) -> None:
        training, header = self._training, self.view.header
        training.runs_changed.connect(self._show_runs)
        training.run_changed.connect(self._show_run)
        training.refused.connect(self.refuse)
        self.list.chosen.connect(self._choose)
        self.list.go_on_asked.connect(training.go_on)
        self.list.stop_asked.connect(training.stop)
        self.list.again_asked.connect(self.change_settings)
        self.list.delete_asked.connect(self.ask_to_delete)
        self.list.compare_asked.connect(self.show_comparison)
        self.new.clicked.connect(self.show_form)
        self.compare.clicked.connect(self.show_comparison)
        self.page.step_taken.connect(self._take_step)
        self.form.started.connect(self.show_run)
        header.discard_asked.connect(self.ask_to_delete)
        header.delete_asked.connect(self.ask_to_delete)
        header.change_asked.connect(self.change_settings)
        header.index_asked.connect(self.index_asked)
        self.view.said.connect(self.say)
        for first, second in pairwise((self.new, self.list, self.compare)):
            self.setTabOrder(first, second)
        for keys, slot in (("Ctrl+W", self.close), ("Ctrl+N", self.show_form)):
            QShortcut(QKeySequence(keys), self).activated.connect(slot)

    # --- what is shown ------------------------------------------------------------------------------------------------

    @Slot()
    def _show_runs(self) -> None:
        self.list.show_runs()
        if not self.list.selected() and self.stack.currentWidget() is not self.form:
            self._choose(())
        self._allow()

    @Slot(object)
    def _show_run(self, path: Path) -> None:
        self.list.show_run(path)
        if path == self.view.path and self.stack.currentWidget() is self.view:
            self.view.show_run(path)

    @Slot(tuple)
    def _choose(self, paths: tuple[Path, ...]) -> None:
        self._allow()
        if len(paths) > 1:
            self.show_comparison()
        elif paths:
            self.view.show_run(paths[0])
            self.stack.setCurrentWidget(self.view)
        elif self.stack.currentWidget() is not self.form:
            self.page.show_page(CHOOSE if self._training.paths() else EMPTY)
            self.stack.setCurrentWidget(self.page)

    def _allow(self) -> None:
        several = len(self.list.selected()) > 1
        self.compare.setEnabled(several)
        self.compare.setToolTip("" if several else "Select several runs, with Ctrl or Shift, to compare them")
        self.compare.setVisible(self.list.count() > 1)

    @Slot(object)
    def show_run(self, path: Path) -> None:
        """Show this run."""
        self.stack.setCurrentWidget(self.view)
        if self.list.selected() == (path,):
            self._choose((path,))
        else:
            self.list.select(path)

    @Slot()
    def show_latest(self) -> None:
        """Show the run that lives, or else the newest; the form where there is none."""
        paths = self._training.living() or self._training.paths()
        if paths:
            self.show_run(paths[-1] if self._training.living() else paths[0])
        else:
            self._choose(())

    @Slot()
    def show_form(self) -> None:
        """Let a new run be chosen."""
        self.stack.setCurrentWidget(self.form)
        self.list.select(None)
        self.form.setFocus()

    @Slot()
    def show_comparison(self) -> None:
        """Show the selected runs side by side."""
        self.comparison.show_runs(self.list.selected())
        self.stack.setCurrentWidget(self.comparison)

    @Slot(object)
    def change_settings(self, path: Path) -> None:
        """A new run that begins with the settings of this one."""
        described = self._training.description(path)
        if described is not None:
            self.show_form()
            self.form.show_recipe(
                self._training.recipe(path), task=described.task, recipe_folder=described.recipe_folder,
                device=described.device,
            )  # fmt: skip

    @Slot(Step)
    def _take_step(self, step: Step) -> None:
        if step is Step.NEW_RUN:
            self.show_form()

    # --- what is said -------------------------------------------------------------------------------------------------

    @Slot(str)
    def refuse(self, sentence: str) -> None:
        """Say why something could not be done; the form says it itself."""
        if self.stack.currentWidget() is not self.form:
            self.notices.add(Notice(topic=Topic.TRAINING, text=sentence, serious=True))

    @Slot(str)
    def say(self, sentence: str) -> None:
        """Say that something was done."""
        self.notices.add(Notice(topic=Topic.FILE, text=sentence, passing=True))

    @Slot(object)
    def ask_to_delete(self, path: Path) -> None:
        """Delete a run, and stop it first, if the person says so."""
        described = self._training.description(path)
        name = path.name if described is None else described.name
        if self._training.lives(path):
            ask(
                self, f"Discard the run of {name}?",
                "It is stopped, and everything that it has made so far is deleted.",
                (("Discard", lambda: self._training.discard(path)),),
            )  # fmt: skip
        else:
            kept = "The model that it made stays." if self._training.state(path).finished else "It can then not go on."
            ask(
                self, f"Delete the run of {name}?", f"Its curves, log and checkpoints are deleted. {kept}",
                (("Delete", lambda: self._training.delete(path)),),
            )  # fmt: skip

    # --- leaving ------------------------------------------------------------------------------------------------------

    def settings(self) -> TrainingSettings:
        """How the window is left."""
        controls = self.view.curves.controls
        return replace(
            self._settings, geometry=bytes(self.saveGeometry().toBase64().data()).decode("ascii"),
            list_px=self.splitter.sizes()[0] or self._settings.list_px, logarithmic=controls.logarithmic,
            smoothing=controls.smoothing.value(),
        )  # fmt: skip

    def leave(self) -> None:
        """The program ends."""
        self.close()
        self._artist.stop()
        self._artist.join(CLOSE_TIMEOUT_S)
