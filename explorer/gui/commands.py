"""What buttons, menus, keys and offered steps do; each is one call on the controller or on a part of the window."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog, QWidget

from explorer.engine.requests import Kind
from explorer.gui import desktop
from explorer.gui.controller import Controller
from explorer.gui.image_query import Folders, Intake, Result
from explorer.gui.item_ids import ITEM_ID
from explorer.gui.keys import Command
from explorer.gui.library_panel import LibraryPanel
from explorer.gui.notices import Notice, Topic
from explorer.gui.pages import Step
from explorer.gui.query_bar import QueryBar
from explorer.gui.results_pane import ResultsPane
from explorer.protocol import ErrorList, Picture, Source
from explorer.session import Received

if TYPE_CHECKING:  # comes after the first paint, and numpy with it
    from explorer.gui.figure_export import FigureExport
    from explorer.gui.sample_control import SampleControl
    from explorer.gui.viewing import ItemViewing

_SIZE_STEP_PX = 24


class Commands(QObject):
    """Carries out commands and steps for one window."""

    def __init__(
        self, window: QWidget, controller: Controller, query: QueryBar, panel: LibraryPanel, pane: ResultsPane
    ) -> None:
        super().__init__(window)
        self._window, self._controller = window, controller
        self._query, self._panel, self._pane = query, panel, pane
        self.viewing: ItemViewing | None = None
        self.sample: SampleControl | None = None
        self.figures: FigureExport | None = None
        self._poster_path = b""
        query.poster_wanted.connect(self._ask_for_poster)
        controller.received.connect(self._show_poster)

    def slots(
        self, fold_library: Callable[[], None], fold_viewer: Callable[[], None]
    ) -> dict[Command, Callable[[], object]]:
        """What each command calls."""
        return {
            Command.FIND: self._query.focus,
            Command.SEARCH_WITH_PHOTO: self._query.choose_image,
            Command.PASTE: self._query.paste,
            Command.SHOW_EVERYTHING: self.show_everything,
            Command.ADD_FOLDER: self._panel.choose_folder,
            Command.RESCAN: self._controller.rescan,
            Command.ADD_SENTENCES: self._panel.choose_sentences,
            Command.OPEN_LIBRARY: self.choose_library,
            Command.FOLD_LIBRARY: fold_library,
            Command.FOLD_VIEWER: fold_viewer,
            Command.EVERY_MOMENT: self._pane.turn_moments,
            Command.LARGER: self.larger,
            Command.SMALLER: self.smaller,
            Command.COPY_PICTURE: self._with_current("copy_picture"),
            Command.COPY_PATH: self._with_current("copy_path"),
            Command.SEARCH_WITH_RESULT: self._with_current("search_with"),
            Command.OPEN_FILE: self._with_current("open_file"),
            Command.SHOW_IN_FOLDER: self._with_current("show_in_folder"),
            Command.EXPORT_FIGURE: self.export_figure,
            Command.KEYS: self.show_keys,
            Command.QUIT: self._window.close,
        }

    # --- steps --------------------------------------------------------------------------------------------------------

    @Slot(Notice)
    def take_notice_step(self, notice: Notice) -> None:
        """The button of a notice."""
        if notice.step is None:
            return
        if notice.step is not Step.COPY_DETAILS:
            self._pane.notices.withdraw(notice.topic)
        if notice.step is Step.SHOW_FIGURE:
            self._show_file(notice.details)
        else:
            self.take_step(notice.step, notice.details)

    @Slot(Step)
    def take_page_step(self, step: Step) -> None:
        """A button of the page."""
        page = self._pane.page.page
        self.take_step(step, page.details if page is not None else "")

    def take_step(self, step: Step, details: str = "") -> None:
        """Do what the button says."""
        controller, session = self._controller, self._controller.session
        acts: dict[Step, Callable[[], object]] = {
            Step.ADD_FOLDER: self._panel.choose_folder,
            Step.TRY_SAMPLE: self.try_sample,
            Step.OPEN_LIBRARY: self.choose_library,
            Step.TRY_LIBRARY_AGAIN: lambda: controller.open_library(session.library_path),
            Step.START_ENGINE: controller.start_again,
            Step.COPY_DETAILS: lambda: self._copy(details),
            Step.INDEX_NOW: controller.rescan,
            Step.RESCAN: controller.rescan,
            Step.STOP_INDEXING: self._stop,
            Step.SHOW_EVERYTHING: self.show_everything,
            Step.SEARCH_AGAIN: controller.refresh,
            Step.SHOW_ERRORS: controller.list_errors,
            Step.RELOAD_MODEL: lambda: controller.load_model(session.model),
        }
        acts.get(step, lambda: None)()  # steps of training are taken by its own part

    def _copy(self, details: str) -> None:
        QGuiApplication.clipboard().setText(details)
        self._controller.notify(Notice(topic=Topic.FILE, text="The details were copied.", passing=True))

    @Slot()
    def try_sample(self) -> None:
        """Render the sample collection and take it in."""
        if self.sample is not None:
            self.sample.start()

    def _stop(self) -> None:
        """Stop what the page says is under way."""
        if self.sample is not None and self._controller.session.sample.rendering is not None:
            self.sample.stop()
        else:
            self._controller.stop_indexing()

    # --- the rest -----------------------------------------------------------------------------------------------------

    @Slot(object)
    def take_drop(self, intake: Intake) -> None:
        """Folders go to the library, everything else to the query."""
        if isinstance(intake, Folders):
            self.add_folders(intake.paths)
        elif isinstance(intake, Result):
            self._search_with(intake)
        else:
            self._query.take(intake)

    @Slot(str)
    def add_folder(self, path: str) -> None:
        """A folder was chosen."""
        self.add_folders((os.fsencode(path),))

    @Slot(tuple)
    def add_folders(self, paths: tuple[bytes, ...]) -> None:
        """Index folders of the person's own."""
        if self.sample is not None:
            self.sample.make_way()
        self._controller.add_folders(paths)

    @Slot(str)
    def refuse(self, sentence: str) -> None:
        """Say why something cannot be searched with."""
        self._controller.notify(Notice(topic=Topic.QUERY, text=sentence, serious=True))

    @Slot(bool)
    def set_every_moment(self, every_moment: bool) -> None:
        """Rank all shots of videos, or the best of each."""
        self._controller.session.set_every_moment(every_moment)
        self._controller.tell()

    @Slot(ITEM_ID, str)
    def search_with_item(self, item_id: int, name: str) -> None:
        """Search with a photo or a shot of the library."""
        item = None if self.viewing is None else self.viewing.known(item_id)
        self._search_with(Result(item_id=item_id, name=name, moves=item is not None and item.kind == "video"))

    def _search_with(self, result: Result) -> None:
        self._query.set_item(result.item_id, result.name, moves=result.moves)
        thumbnail = self._pane.grid.thumbnail(result.item_id)
        if thumbnail is not None:
            self._query.show_item_thumbnail(result.item_id, QImage.fromData(thumbnail))

    @Slot(object)
    def _ask_for_poster(self, path: bytes) -> None:
        self._poster_path = path
        self._controller.session.line.get_poster(path)

    @Slot(object)
    def _show_poster(self, received: Received) -> None:
        if received.kind is Kind.POSTER and isinstance(received.answer, Picture):
            self._query.show_poster(self._poster_path, QImage.fromData(received.answer.jpeg))

    @Slot(str)
    def search_without_word(self, rest: str) -> None:
        """Search with the rest of the sentence whose words are shown."""
        if self._controller.session.sentences.chosen:  # its words are shown, not the query's
            self._query.set_sentence(rest)
        else:
            self._query.replace_words(rest)

    @Slot()
    def say_copied(self) -> None:
        """A sentence is in the clipboard."""
        self._controller.notify(Notice(topic=Topic.FILE, text="The sentence was copied.", passing=True))

    @Slot()
    def show_everything(self) -> None:
        """Clear the query and show all photos."""
        self._query.reset()
        self._controller.search(self._query.query())
        self._pane.focus_results()

    @Slot()
    def choose_library(self) -> None:
        """Ask for the folder of another library; returns at once."""
        dialog = QFileDialog(self._window, "Open a library, or choose an empty folder for a new one")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._open_library)
        dialog.open()

    @Slot(str)
    def _open_library(self, path: str) -> None:
        self._query.reset()
        if self.viewing is not None:
            self._pane.grid.forget_items()
            self.viewing.forget_items()
        self._controller.open_library(os.fsencode(path))

    @Slot()
    def export_figure(self) -> None:
        """A figure of what is shown."""
        if self.figures is not None:
            self.figures.export_anything()

    @Slot()
    def show_keys(self) -> None:
        """List all keys."""
        from explorer.gui.keys_dialog import KeysDialog  # here for the start-up time

        self._show(KeysDialog(self._window))

    @Slot(ErrorList)
    def show_errors(self, errors: ErrorList) -> None:
        """List the files that could not be read."""
        from explorer.gui.errors_dialog import ErrorsDialog  # here for the start-up time

        self._show(ErrorsDialog(errors, self._window))

    def _show_file(self, path: str) -> None:
        """Show a file that was written."""
        if not desktop.show_in_folder(os.fsencode(path)):
            self._controller.notify(Notice(topic=Topic.FILE, text="No file manager was found here.", serious=True))

    @Slot(Source)
    def show_source(self, source: Source) -> None:
        """Open a folder of the library in the desktop's file manager."""
        if source.missing or not desktop.is_here(source.path):
            self.refuse("This folder is not on this computer now.")
        elif not QDesktopServices.openUrl(QUrl(desktop.url_of(source.path))):
            self.refuse("No file manager was found here.")

    @Slot()
    def larger(self) -> None:
        """Larger thumbnails."""
        self._pane.size_slider.setValue(self._pane.size_slider.value() + _SIZE_STEP_PX)

    @Slot()
    def smaller(self) -> None:
        """Smaller thumbnails."""
        self._pane.size_slider.setValue(self._pane.size_slider.value() - _SIZE_STEP_PX)

    def _show(self, dialog: QWidget) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()  # type: ignore[attr-defined]

    def _with_current(self, act: str) -> Callable[[], None]:
        def act_on_current() -> None:
            if self.viewing is not None and self.viewing.current is not None:
                getattr(self.viewing, act)(self.viewing.current)

        return act_on_current
