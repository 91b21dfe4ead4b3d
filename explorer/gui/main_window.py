"""The window: puts the panes together and joins their signals; what they do is theirs."""

from dataclasses import replace

from PySide6.QtCore import QByteArray, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSplitter, QVBoxLayout, QWidget

from explorer.gui.busy_line import BusyLine
from explorer.gui.commands import Commands
from explorer.gui.controller import Controller, Notice, Topic
from explorer.gui.drops import DropTarget
from explorer.gui.icons import GlyphButton
from explorer.gui.keys import Command, make_actions
from explorer.gui.library_panel import LibraryPanel
from explorer.gui.model_picker import ModelPicker
from explorer.gui.pages import Page, Step
from explorer.gui.query_bar import QueryBar
from explorer.gui.results_pane import ResultsPane
from explorer.gui.status_line import StatusLine
from explorer.gui.viewer import Viewer
from explorer.gui.viewing import ItemViewing
from explorer.settings import Settings, WindowSettings

_MENU = (
    Command.ADD_FOLDER, Command.RESCAN, Command.OPEN_LIBRARY, None, Command.SEARCH_WITH_PHOTO, Command.SHOW_EVERYTHING,
    None, Command.FOLD_LIBRARY, Command.FOLD_VIEWER, None, Command.KEYS, Command.QUIT,
)


class MainWindow(QWidget):
    """Query above; library, results and viewer side by side; status below.

    Attributes:
        query, models, panel, pane, viewer, status: the parts.
    """

    def __init__(self, controller: Controller, settings: Settings) -> None:
        super().__init__()
        self.setWindowTitle("Retrieval Explorer")
        self._controller, self._settings = controller, settings
        self._viewer_wanted = settings.window.viewer_shown
        self.query = QueryBar(settings.search.pause_ms, self)
        self.models = ModelPicker(self)
        self.panel = LibraryPanel(self)
        self.pane = ResultsPane(settings.window.cell_px, self)
        self.viewer = Viewer(self)
        self.viewer.setMinimumWidth(272)
        self.status = StatusLine(self)
        self.busy = BusyLine(self)
        self.viewing = ItemViewing(controller, self.pane, self.viewer)
        self.commands = Commands(self, controller, self.query, self.panel, self.pane, self.viewing)
        self.drops = DropTarget(self)
        self._compose()
        self._restore(settings.window)
        self.actions_by_command = make_actions(self, self.commands.slots(self.fold_library, self.fold_viewer))
        self._fill_menu()
        self._join_controller()
        self._join_parts()

    # --- putting together ---------------------------------------------------------------------------------------------

    def _compose(self) -> None:
        self.library_button = GlyphButton("left pane", "Library", "Show or hide the library (Ctrl+B)", self)
        self.viewer_button = GlyphButton("right pane", "Viewer", "Show or hide the viewer (Ctrl+I)", self)
        for button in (self.library_button, self.viewer_button):
            button.setCheckable(True)
        self.menu_button = GlyphButton("menu", "Menu", parent=self)
        head = QHBoxLayout()
        head.setContentsMargins(8, 8, 8, 8)
        head.setSpacing(8)
        for part in (self.library_button, self.query, self.models, self.viewer_button, self.menu_button):
            head.addWidget(part, 1 if part is self.query else 0)
        self.models.setFixedHeight(32)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setHandleWidth(1)
        for number, part in enumerate((self.panel, self.pane, self.viewer)):
            self.splitter.addWidget(part)
            self.splitter.setCollapsible(number, False)
            self.splitter.setStretchFactor(number, 1 if part is self.pane else 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.busy)
        column.addWidget(self.splitter, 1)
        column.addWidget(self.status)

    def _fill_menu(self) -> None:
        self.menu = QMenu(self)
        for command in _MENU:
            if command is None:
                self.menu.addSeparator()
            else:
                self.menu.addAction(self.actions_by_command[command])
        self.menu_button.clicked.connect(self.open_menu)

    def _join_controller(self) -> None:
        controller = self._controller
        controller.library_changed.connect(self.panel.show_library)
        controller.indexing_changed.connect(self.panel.show_indexing)
        controller.models_changed.connect(self.models.show_models)
        controller.ranking_changed.connect(self.pane.show_ranking)
        controller.ranking_outdated.connect(self._renew_ranking)
        controller.page_changed.connect(self.show_page)
        controller.busy_changed.connect(self.busy.set_busy)
        controller.status_changed.connect(self.status.show_status)
        controller.noticed.connect(self.pane.notices.add)
        controller.notice_over.connect(self.pane.notices.withdraw)
        controller.thumbnails_came.connect(self.pane.grid.add_thumbnails)
        controller.descriptions_came.connect(self.pane.grid.add_descriptions)
        controller.errors_came.connect(self.commands.show_errors)
        self.pane.grid.thumbnails_wanted.connect(controller.session.get_thumbnails)
        self.pane.grid.descriptions_wanted.connect(controller.session.describe_items)

    def _join_parts(self) -> None:
        controller, commands = self._controller, self.commands
        self.query.searched.connect(controller.search)
        self.query.folders_given.connect(controller.add_folders)
        self.query.refused.connect(commands.refuse)
        self.query.left.connect(self.go_back)
        self.models.model_chosen.connect(controller.load_model)
        self.panel.folder_chosen.connect(commands.add_folder)
        self.panel.rescan_asked.connect(controller.rescan)
        self.panel.errors_asked.connect(controller.list_errors)
        self.panel.stop_asked.connect(controller.stop_indexing)
        self.panel.remove_confirmed.connect(controller.remove_source)
        self.panel.show_asked.connect(commands.show_source)
        self.pane.notices.step_taken.connect(commands.take_notice_step)
        self.pane.page.step_taken.connect(commands.take_page_step)
        self.drops.dropped.connect(commands.take_drop)
        self.viewing.opened.connect(self.show_viewer)
        self.viewing.search_asked.connect(self.query.set_item)
        self.viewer.closed.connect(self.go_back)
        self.library_button.clicked.connect(self.fold_library)
        self.viewer_button.clicked.connect(self.fold_viewer)

    # --- panes --------------------------------------------------------------------------------------------------------

    def _restore(self, left: WindowSettings) -> None:
        if not left.geometry or not self.restoreGeometry(QByteArray.fromBase64(left.geometry.encode("ascii"))):
            self.resize(1280, 800)
        self.splitter.setSizes(list(left.pane_widths_px))
        self.panel.setVisible(left.library_shown)
        self.viewer.hide()  # until there is something to view
        self._show_folds()

    @Slot()
    def fold_library(self) -> None:
        """Fold or unfold the left pane."""
        self.panel.setVisible(self.panel.isHidden())
        self._show_folds()

    @Slot()
    def fold_viewer(self) -> None:
        """Fold or unfold the right pane."""
        self._viewer_wanted = self.viewer.isHidden()
        self._place_viewer()

    @Slot()
    def show_viewer(self) -> None:
        """Unfold the right pane."""
        self._viewer_wanted = True
        self._place_viewer()

    def _place_viewer(self) -> None:
        shown = self._viewer_wanted and self.pane.stack.currentWidget() is self.pane.grid
        if shown is self.viewer.isHidden():
            self.viewer.setVisible(shown)
            self.viewing.show_current()
        self._show_folds()

    def _show_folds(self) -> None:
        self.library_button.setChecked(not self.panel.isHidden())
        self.viewer_button.setChecked(self._viewer_wanted)

    @Slot(object)
    def show_page(self, page: Page | None) -> None:
        """Results, or why there are none; then there is nothing to view either."""
        self.pane.show_page(page)
        self._place_viewer()

    @Slot()
    def _renew_ranking(self) -> None:
        """There are other photos now: show them, unless that would move what a person is looking at."""
        session = self._controller.session
        if self.pane.at_rest or not self.pane.n_shown:
            if session.indexing is None or session.query is None:
                self._controller.refresh()
        elif session.indexing is None:
            text = "The library has changed since this was shown."
            self._controller.notify(Notice(topic=Topic.INDEXING, text=text, step=Step.SEARCH_AGAIN))

    @Slot()
    def open_menu(self) -> None:
        """Open the menu under its button."""
        button = self.menu_button
        at = button.mapToGlobal(button.rect().bottomRight())
        at.setX(at.x() - self.menu.sizeHint().width())
        self.menu.popup(at)

    # --- keys and the end ---------------------------------------------------------------------------------------------

    @Slot()
    def go_back(self) -> None:
        """From wherever to the results; from the results to everything."""
        if self.pane.grid.hasFocus() or self.pane.stack.currentWidget() is not self.pane.grid:
            self.commands.show_everything()
        else:
            self.pane.grid.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Keys that nobody below wanted."""
        if event.key() == Qt.Key.Key_Escape:
            self.go_back()
        else:
            super().keyPressEvent(event)

    def settings(self) -> Settings:
        """How the window is left."""
        widths = self.splitter.sizes()
        before = self._settings.window.pane_widths_px
        window = WindowSettings(
            geometry=bytes(self.saveGeometry().toBase64().data()).decode("ascii"),
            pane_widths_px=tuple(now or then for now, then in zip(widths, before, strict=True)),
            library_shown=not self.panel.isHidden(),
            viewer_shown=self._viewer_wanted,
            cell_px=self.pane.size_slider.value(),
        )
        return replace(
            self._settings, window=window, search=replace(self._settings.search, model=self._controller.session.model)
        )
