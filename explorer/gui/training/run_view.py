"""One run: what is so and what can be done above; curves, queries, bits, results, log and settings below."""

from pathlib import Path

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtWidgets import QTabBar, QTabWidget, QVBoxLayout, QWidget

from explorer.gui.controller import Controller
from explorer.gui.training.bits_view import BitsView
from explorer.gui.training.control import TrainingControl
from explorer.gui.training.curve_artist import CurveArtist
from explorer.gui.training.curves_view import CurvesView
from explorer.gui.training.log_view import LogView
from explorer.gui.training.queries_view import QueriesView
from explorer.gui.training.results_view import ResultsView
from explorer.gui.training.run_header import RunHeader
from explorer.gui.training.settings_view import SettingsView
from explorer.runs.layout import RunFolder
from explorer.runs.state import RunState, RunStatus
from explorer.settings import TrainingSettings

_TAB_ROOM_PX = 8


class RoomyTabs(QTabBar):
    """Tabs that leave room below the line of their text, which some styles cut off."""

    def tabSizeHint(self, index: int) -> QSize:  # noqa: D102
        return super().tabSizeHint(index) + QSize(0, _TAB_ROOM_PX)


class RunView(QWidget):
    """Redrawn from :class:`TrainingControl`.

    Signals:
        said(str): something was done, or why not.

    Attributes:
        header, tabs, curves, queries, bits, results, log, settings: the parts that are seen.
    """

    said = Signal(str)

    def __init__(
        self, controller: Controller, training: TrainingControl, artist: CurveArtist, settings: TrainingSettings,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        super().__init__(parent)
        self._training = training
        self.path: Path | None = None
        self.header = RunHeader(training, self)
        self.tabs = QTabWidget(self)
        self.tabs.setTabBar(RoomyTabs(self.tabs))
        self.tabs.setDocumentMode(True)
        for named in (self.tabs, self.tabs.tabBar()):
            named.setAccessibleName("Parts of this run")
        self.curves = CurvesView(artist, settings, self)
        self.queries = QueriesView(self)
        self.bits = BitsView(self)
        self.results = ResultsView(controller, training, self)
        self.log = LogView(self)
        self.settings = SettingsView(self)
        for view, title in (
            (self.curves, "Curves"), (self.queries, "Queries"), (self.bits, "Bits"), (self.results, "Results"),
            (self.log, "Log"), (self.settings, "Settings"),
        ):
            self.tabs.addTab(view, title)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.tabs, 1)
        self.tabs.currentChanged.connect(self._show_tab)
        self.curves.said.connect(self.said)

    def show_run(self, path: Path) -> None:
        """Show this run; called again whenever something is new of it."""
        grown = path == self.path
        self.path = path
        self.header.show_run(path)
        state = self._training.state(path)
        self._offer_tabs(state)
        self.curves.show_state(state, grown=grown)
        if not grown:
            self.settings.show_recipe(self._training.recipe(path))
        self._show_tab()

    def _offer_tabs(self, state: RunState) -> None:
        for view, offered in (
            (self.bits, bool(state.bit_shares)), (self.results, state.status is RunStatus.FINISHED),
        ):  # fmt: skip
            place = self.tabs.indexOf(view)
            if not offered and self.tabs.currentWidget() is view:
                self.tabs.setCurrentWidget(self.curves)
            if self.tabs.isTabVisible(place) != offered:
                self.tabs.setTabVisible(place, offered)

    @Slot()
    def _show_tab(self) -> None:
        """Redraw what is seen; the others when they are."""
        if self.path is None:
            return
        state, shown = self._training.state(self.path), self.tabs.currentWidget()
        self.header.offer_index(shown is not self.results)
        if shown is self.queries:
            before = next((one for one in reversed(state.answered[:-1]) if one.phase == state.answered[-1].phase), None)
            self.queries.show_queries(state.queries, before, RunFolder(self.path).pictures_path)
        elif shown is self.bits:
            self.bits.show_shares(state.bit_shares)
        elif shown is self.log:
            self.log.show_log(state.log, state.failed.details if state.failed is not None else "")
        elif shown is self.results:
            self.results.show_run(self.path)
