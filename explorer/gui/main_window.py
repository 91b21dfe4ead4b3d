"""The window: puts the parts together and joins their signals; what they do is theirs."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtGui import QCloseEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.gui.busy_line import BusyLine
from explorer.gui.commands import Commands
from explorer.gui.controller import Controller
from explorer.gui.drops import DropTarget
from explorer.gui.header import Header
from explorer.gui.keys import Command, make_actions
from explorer.gui.library_panel import LibraryPanel
from explorer.gui.notices import Notice, Topic
from explorer.gui.pages import Step
from explorer.gui.panes import Panes
from explorer.gui.results_pane import ResultsPane
from explorer.gui.sample_control import SENTENCES, SampleControl
from explorer.gui.sentence_control import SentenceControl
from explorer.gui.status_line import StatusLine
from explorer.settings import Settings, WindowSettings

if TYPE_CHECKING:  # comes after the first paint
    from explorer.gui.training.part import TrainingPart

_GROWS_TO = 2000
"""While indexing, the grid of everything is renewed up to so many photos; nobody scrolls further meanwhile."""


class MainWindow(QWidget):
    """Query above; library, results and viewer side by side; status below.

    Grid and viewer need numpy, which takes as long to import as a bare window takes to appear. They come with
    :meth:`complete`, after the first paint; until then the window says that it starts, and can be typed into.

    Attributes:
        header, query, models, busy, panes, panel, pane, status: the parts that are seen.
        commands, sentences, sample, drops: what joins them.
        training: None before :meth:`complete`.
        viewer, viewing, best_sentences, figures: after :meth:`complete`.
    """

    def __init__(self, controller: Controller, settings: Settings, data_dir: Path) -> None:
        super().__init__()
        self.setWindowTitle("Retrieval Explorer")
        self._controller, self._settings, self._data_dir = controller, settings, data_dir
        self.training: TrainingPart | None = None
        self._leaving = False
        self.header = Header(settings.search.pause_ms, self)
        self.query, self.models = self.header.query, self.header.models
        self.busy = BusyLine(self)
        self.panel = LibraryPanel(self)
        self.pane = ResultsPane(settings.window.cell_px, self)
        self.panes = Panes(self.panel, self.pane, settings.window)
        self.status = StatusLine(self)
        self.sentences = SentenceControl(controller)
        self.sample = SampleControl(controller, self.sentences)
        self.commands = Commands(self, controller, self.query, self.panel, self.pane)
        self.commands.sample = self.sample
        self.drops = DropTarget(self, self.query)
        self._compose()
        self._restore(settings.window)
        slots = self.commands.slots(self.panes.fold_library, self.panes.fold_viewer)
        self.header.fill_menu(make_actions(self, {**slots, Command.TRAIN: self.open_training}))
        self._join_controller()
        self._join_parts()

    @Slot()
    def complete(self) -> None:
        """Put in grid and viewer."""
        from explorer.gui.bit_control import BitControl  # here for the start-up time
        from explorer.gui.figure_export import FigureExport
        from explorer.gui.results_grid import ResultsGrid
        from explorer.gui.results_grid_area import MAX_CELL_PX, MIN_CELL_PX
        from explorer.gui.sentences_panel import SentencesPanel
        from explorer.gui.shown_ranking import ShownRanking
        from explorer.gui.training.part import TrainingPart
        from explorer.gui.viewer import Viewer
        from explorer.gui.viewing import ItemViewing

        grid = ResultsGrid(self.pane)
        self.viewer = Viewer(self)
        grid.thumbnails_wanted.connect(self._controller.session.line.get_thumbnails)
        grid.descriptions_wanted.connect(self._controller.session.line.describe_items)
        self._controller.thumbnails_came.connect(grid.add_thumbnails)
        self._controller.descriptions_came.connect(grid.add_descriptions)
        self.pane.add_grid(grid, ShownRanking(), MIN_CELL_PX, MAX_CELL_PX)
        self.pane.suggestions.chosen.connect(self.query.set_sentence)
        self.best_sentences = SentencesPanel(unfolded=self._settings.window.sentences_shown, parent=self.pane)
        self.pane.add_sentences(self.best_sentences)
        self.viewing = ItemViewing(self._controller, self.pane, self.viewer)
        self.viewing.opened.connect(self.panes.show_viewer)
        self.viewing.search_asked.connect(self.commands.search_with_item)
        self.viewer.closed.connect(self.panes.close_viewer)
        self.panes.viewer_shown.connect(self.viewing.show_current)
        self.commands.viewing = self.viewing
        BitControl(self._controller, self.viewing)
        self.figures = FigureExport(self._controller, self.pane, self.viewing, self._settings.figure)
        self.commands.figures = self.figures
        self.pane.export_asked.connect(self.figures.export_grid)
        self.panes.add_viewer(self.viewer)
        self._join_sentences()
        activity, left = self.panel.run_activity, self._settings.training
        self.training = TrainingPart(self, self._controller, activity, self._data_dir, left)
        self.pane.notices.step_taken.connect(self.training.take_step)

    def _compose(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.busy)
        column.addWidget(self.panes, 1)
        column.addWidget(self.status)

    def _restore(self, left: WindowSettings) -> None:
        if not left.geometry or not self.restoreGeometry(QByteArray.fromBase64(left.geometry.encode("ascii"))):
            self.resize(1280, 800)
        self.pane.moments.setChecked(self._settings.search.every_moment)
        self.header.show_folds(left.library_shown, left.viewer_shown)
        self.query.edit.setFocus()

    def _join_controller(self) -> None:
        controller = self._controller
        controller.library_changed.connect(self.panel.show_library)
        controller.library_changed.connect(self.pane.show_library)
        controller.indexing_changed.connect(self.panel.show_indexing)
        controller.models_changed.connect(self.models.show_models)
        controller.ranking_changed.connect(self.pane.show_ranking)
        controller.ranking_outdated.connect(self._renew_ranking)
        controller.page_changed.connect(self.panes.show_page)
        controller.busy_changed.connect(self.busy.set_busy)
        controller.status_changed.connect(self.status.show_status)
        controller.noticed.connect(self.pane.notices.add)
        controller.notice_over.connect(self.pane.notices.withdraw)
        controller.errors_came.connect(self.commands.show_errors)

    def _join_parts(self) -> None:
        controller, commands = self._controller, self.commands
        self.query.searched.connect(controller.search)
        self.query.folders_given.connect(commands.add_folders)
        self.query.refused.connect(commands.refuse)
        self.query.left.connect(self.go_back)
        self.models.model_chosen.connect(controller.load_model)
        self.panel.folder_chosen.connect(commands.add_folder)
        self.panel.rescan_asked.connect(controller.rescan)
        self.panel.errors_asked.connect(controller.list_errors)
        self.panel.stop_asked.connect(controller.stop_indexing)
        self.panel.sentences_chosen.connect(self.sentences.add_file)
        self.panel.stop_sentences_asked.connect(self.sentences.stop_adding)
        self.sentences.bringing_changed.connect(self.panel.show_bringing)
        self.panel.sample_asked.connect(self.sample.start)
        self.panel.stop_sample_asked.connect(self.sample.stop)
        self.sample.rendering_changed.connect(self.panel.show_rendering)
        self.sample.ready.connect(self._suggest)
        self.panel.remove_confirmed.connect(controller.remove_source)
        self.panel.show_asked.connect(commands.show_source)
        self.pane.every_moment_asked.connect(commands.set_every_moment)
        self.pane.notices.step_taken.connect(commands.take_notice_step)
        self.pane.page.step_taken.connect(commands.take_page_step)
        self.drops.dropped.connect(commands.take_drop)
        self.panes.folded.connect(self.header.show_folds)
        self.header.library_button.clicked.connect(self.panes.fold_library)
        self.header.viewer_button.clicked.connect(self.panes.fold_viewer)

    def _join_sentences(self) -> None:
        control, panel = self.sentences, self.best_sentences
        control.want_ranking(panel.unfolded)
        control.ranked_changed.connect(panel.show_ranked)
        control.chosen_changed.connect(self.viewer.explain_again)
        control.added.connect(self.viewing.describe_again)
        self._controller.thumbnails_came.connect(panel.add_thumbnails)
        panel.thumbnails_wanted.connect(self._controller.session.line.get_thumbnails)
        panel.wanted.connect(control.want_ranking)
        panel.stop_asked.connect(control.stop_ranking)
        panel.again_asked.connect(control.rank_again)
        panel.list.chosen.connect(control.choose)
        panel.list.search_asked.connect(self.query.set_sentence)
        panel.list.copied.connect(self.commands.say_copied)
        self.viewer.words.search_asked.connect(self.commands.search_without_word)

    @Slot()
    def _renew_ranking(self) -> None:
        """There are other photos now: show them, unless that would move what a person is looking at."""
        session = self._controller.session
        if self.pane.at_rest or not self.pane.n_shown:
            growing = session.query is None and self.pane.n_shown < _GROWS_TO
            if session.indexing is None or growing:
                self._controller.refresh()
        elif session.indexing is None:
            text = "The library has changed since this was shown."
            self._controller.notify(Notice(topic=Topic.INDEXING, text=text, step=Step.SEARCH_AGAIN))

    @Slot()
    def _suggest(self) -> None:
        self.pane.suggestions.offer(SENTENCES)

    @Slot()
    def open_training(self) -> None:
        """The window of training."""
        if self.training is not None:
            self.training.open()

    @Slot()
    def go_back(self) -> None:
        """From wherever to the results; from the results to everything."""
        if self.pane.has_focus or not self.pane.shows_results:
            self.commands.show_everything()
        else:
            self.pane.focus_results()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Asked first while a model is trained."""
        if self.training is not None:
            if not self._leaving and self.training.ask_before_leaving(self.leave):
                event.ignore()
                return
            self.training.hide()
        super().closeEvent(event)

    def leave(self) -> None:
        """Close, whatever is under way."""
        self._leaving = True
        self.close()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keys that nobody below wanted: back, and the viewer's keys while the grid has the focus."""
        key, text = event.key(), event.text()
        if key == Qt.Key.Key_Escape:
            self.go_back()
        elif self.panes.viewer is None:
            super().keyPressEvent(event)
        elif text and text in "123456789":
            self.viewer.toggle_layer(int(text))
        elif text and text in "[]":
            self.viewer.step_opacity(1 if text == "]" else -1)
        elif key == Qt.Key.Key_Space:
            self.viewer.set_bare(True)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier or not self.viewer.video.take_key(text):
            super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """The overlays come back when Space is let go."""
        if event.key() == Qt.Key.Key_Space and not event.isAutoRepeat() and self.panes.viewer is not None:
            self.viewer.set_bare(False)
        super().keyReleaseEvent(event)

    def settings(self) -> Settings:
        """How the window is left."""
        window = WindowSettings(
            geometry=bytes(self.saveGeometry().toBase64().data()).decode("ascii"),
            pane_widths_px=self.panes.widths_px(),
            library_shown=self.panes.library_shown,
            viewer_shown=self.panes.viewer_wanted,
            sentences_shown=self._settings.window.sentences_shown,
            cell_px=self.pane.size_slider.value(),
        )
        session = self._controller.session
        search = replace(self._settings.search, model=session.model, every_moment=session.every_moment)
        left = replace(self._settings, window=window, search=search)
        if self.training is None:  # closed before the window was complete
            return left
        window = replace(window, sentences_shown=self.best_sentences.unfolded)
        return replace(left, window=window, figure=self.figures.settings, training=self.training.settings())
