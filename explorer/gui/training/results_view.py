"""What a run came to: its model's measures beside those of other models, its card, and the way to search with it."""

import os
import re
from pathlib import Path

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QTextBrowser, QVBoxLayout, QWidget

from explorer.gui import desktop
from explorer.gui.activity import ActivityView
from explorer.gui.controller import Controller
from explorer.gui.elided_label import ElidedLabel
from explorer.gui.phrases import quoted
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.form_fields import section_heading
from explorer.gui.training.form_page import Rule
from explorer.gui.training.measures import Measures
from explorer.gui.training.problem_line import SaidLine
from explorer.gui.training.run_sentences import model_name
from explorer.gui.worker import Job

_MOST_CARD = 200_000
_HEADING = re.compile(r"^(#{1,4} )", re.MULTILINE)


class ResultsView(QWidget):
    """Redrawn from the run, and from what the session knows of models, library and indexing.

    Signals:
        searched(str): a person wants to search with this model.
    """

    searched = Signal(str)

    def __init__(self, controller: Controller, training: TrainingControl, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._controller, self._training = controller, training
        self.path: Path | None = None
        self._package: Path | None = None
        self.name = ElidedLabel(self)
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.index = QPushButton("Index this library with it", self)
        self.search = QPushButton("Search with it", self)
        self.folder = QPushButton("Open its folder", self)
        self.indexing = ActivityView(self, work="indexing")
        self.said = SaidLine(self, glyph="notice")
        self.measures = Measures(controller, training, self)
        self.card = QTextBrowser(self)
        self.card.setOpenLinks(False)
        self.card.viewport().setBackgroundRole(QPalette.ColorRole.Window)
        self.card.setFrameShape(QFrame.Shape.NoFrame)
        self.card.setAccessibleName("The model's card")
        self.card.setTabChangesFocus(True)
        self.card.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._compose()
        controller.told.connect(self._show)
        self.index.clicked.connect(self.index_library)
        self.search.clicked.connect(self.search_with)
        self.folder.clicked.connect(self.open_folder)
        self.indexing.stop_asked.connect(controller.stop_indexing)
        self.card.document().documentLayout().documentSizeChanged.connect(self._fit_card)

    def _compose(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.name, 1)
        for button in (self.search, self.index, self.folder):
            row.addWidget(button)
        inside = QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(12)
        column.addLayout(row)
        for widget in (self.indexing, self.said, Rule(inside), section_heading("Validation", inside), self.measures,
                       Rule(inside), section_heading("Card", inside), self.card):
            column.addWidget(widget)
        column.addStretch()
        self.scrolled = QScrollArea(self)
        self.scrolled.setWidget(inside)
        self.scrolled.setWidgetResizable(True)
        self.scrolled.setFrameShape(QFrame.Shape.NoFrame)
        self.scrolled.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.scrolled.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.nothing = QLabel("This run has not written a model yet.", self)
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        outside = QVBoxLayout(self)
        outside.setContentsMargins(0, 0, 0, 0)
        outside.addWidget(self.nothing, 1)
        outside.addWidget(self.scrolled, 1)

    # --- drawing ------------------------------------------------------------------------------------------------------

    def show_run(self, path: Path) -> None:
        """Show what this run came to; called again whenever something is new of it."""
        finished = self._training.state(path).finished
        package = None if finished is None else Path(os.fsdecode(finished.path))
        if path == self.path and package == self._package:
            return
        self.path, self._package = path, package
        self.nothing.setVisible(finished is None)
        self.scrolled.setVisible(finished is not None)
        if finished is None or package is None:
            return
        self.name.set_line(model_name(self._training.state(path)))
        self.measures.show_run(path)
        self.said.say("")
        self.card.setPlainText("Reading…")
        job = Job(lambda: (package, read_card(package)))
        job.done.connect(self._show_card)
        job.start()
        self._show()

    @property
    def model(self) -> str:
        """The package that the run wrote; empty before."""
        return self._package.name if self._package is not None else ""

    @Slot(object)
    def _show_card(self, read: tuple[Path, str]) -> None:
        package, card = read
        if package == self._package:
            self.card.setMarkdown(_HEADING.sub(r"##\1", card))  # headings of a page would be larger than all around

    @Slot()
    def _fit_card(self) -> None:
        high = round(self.card.document().size().height()) + 2 * self.card.frameWidth() + 2
        self.card.setFixedHeight(max(48, high))

    @Slot()
    def _show(self) -> None:
        """What can be done with it now."""
        if not self.model:
            return
        session = self._controller.session
        library, indexing = session.library, session.indexing
        own = indexing if indexing is not None and indexing.model == self.model else None
        self.indexing.show_work(own)
        n_indexed = library.n_indexed.get(self.model, 0) if library is not None else 0
        in_use = session.model == self.model
        self.search.setVisible(n_indexed > 0 and not in_use)
        reason = self._why_not_indexed()
        waits = self.model in session.waiting_models
        self.index.setEnabled(not reason and own is None and not waits)
        self.index.setToolTip(reason or "The model in use stays so until all its vectors are made")
        self.index.setText("Index this library with it" if not n_indexed else "Index again with it")
        if own is not None:
            self.said.say("")
        elif waits:
            self.said.say("It comes after what is being indexed now.")
        elif reason:
            self.said.say(reason)
        elif in_use and n_indexed:
            self.said.say("It is the model that answers your searches now.")
        elif n_indexed:
            self.said.say(f"This library is indexed with it: {n_indexed:,} of {library.n_items if library else 0:,}.")
        else:
            self.said.say("")

    def _why_not_indexed(self) -> str:
        session = self._controller.session
        known = next((model for model in session.models if model.name == self.model), None)
        if known is None:
            return f"{quoted(self.model)} is not among the models any more; its folder may have been moved."
        if known.problem:
            return f"It cannot be used: {known.problem}"
        if session.library is None:
            return "No library is open."
        if session.library.read_only:
            return "This library cannot be written to, so it cannot be indexed."
        return "" if session.library.n_items else "This library has no photos yet. Add a folder in the main window."

    # --- doing --------------------------------------------------------------------------------------------------------

    @Slot()
    def index_library(self) -> None:
        """Make its vectors; it is used once they are complete."""
        self._controller.session.index_with(self.model)
        self._controller.tell()

    @Slot()
    def search_with(self) -> None:
        """Use it from now on."""
        self._controller.load_model(self.model)
        self.searched.emit(self.model)

    @Slot()
    def open_folder(self) -> None:
        """Show the package in the desktop's file manager."""
        assert self._package is not None
        if not desktop.is_here(os.fsencode(self._package)):
            self.said.say(f"{self._package} is not there any more.")
        elif not desktop.open_file(os.fsencode(self._package)):
            self.said.say(f"It is in {self._package}; no program was found that shows folders.")


def read_card(package: Path) -> str:
    """The card of a package, in Markdown; a sentence where it cannot be read."""
    try:
        return (package / "CARD.md").read_text(encoding="utf-8", errors="replace")[:_MOST_CARD]
    except OSError:
        return "The card cannot be read: the package may have been moved or deleted."
