"""What is done with one result: showing it in the viewer, explaining it, copying it, finding its file."""

import os
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QMenu

from explorer.engine.requests import Kind
from explorer.engine.sentence_requests import has_many_words
from explorer.gui import desktop
from explorer.gui.controller import Controller
from explorer.gui.item_ids import ITEM_ID
from explorer.gui.item_text import is_video, shot_name
from explorer.gui.notices import Notice, Topic
from explorer.gui.phrases import quoted
from explorer.gui.results_pane import ResultsPane
from explorer.gui.viewer import Viewer
from explorer.gui.worker import Job
from explorer.protocol import Explanation, Failed, ItemDescription, ModelSummary, Picture, Shots
from explorer.session import Received

_KNOWN = 4096


class ItemViewing(QObject):
    """Joins grid, viewer and controller for the result that is current.

    Signals:
        opened(): a result was opened; the viewer shall be seen.
        search_asked(id, str): search with this item, of this name.
    """

    opened = Signal()
    search_asked = Signal(ITEM_ID, str)

    def __init__(self, controller: Controller, pane: ResultsPane, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._controller, self._pane, self._viewer = controller, pane, viewer
        self._current: tuple[int, int] | None = None
        self._shown: int | None = None
        self._words_come_later = False
        self._known: OrderedDict[int, ItemDescription] = OrderedDict()
        grid = pane.grid
        grid.current_changed.connect(self._select)
        grid.activated.connect(self._open)
        grid.menu_requested.connect(self._open_menu)
        pane.arrived.connect(self._ranking_changed)
        controller.descriptions_came.connect(self._learn)
        controller.models_changed.connect(self._viewer.explain_again)
        controller.picture_came.connect(self._show_picture)
        controller.explanation_came.connect(self._show_explanation)
        controller.models_changed.connect(self._offer_comparisons)
        controller.received.connect(self._show_comparison)
        viewer.comparison_wanted.connect(controller.session.explain)
        controller.picture_to_copy_came.connect(self._put_into_clipboard)
        controller.viewing_failed.connect(viewer.show_problem)
        controller.received.connect(self._show_shots)
        viewer.picture_wanted.connect(self._get_picture)
        viewer.frame_wanted.connect(self._get_picture)
        viewer.shots_wanted.connect(self._get_shots)
        viewer.shot_chosen.connect(self.go_to_shot)
        viewer.explanation_wanted.connect(self._explain)
        viewer.previous_requested.connect(grid.select_previous)
        viewer.next_requested.connect(grid.select_next)
        viewer.search_with_image.connect(self.search_with)
        viewer.open_file.connect(self.open_file)
        viewer.show_in_folder.connect(self.show_in_folder)
        viewer.copy_picture.connect(self.copy_picture)
        viewer.copy_path.connect(self.copy_path)

    @property
    def current(self) -> int | None:
        """The selected item."""
        return None if self._current is None else self._current[0]

    @property
    def shown(self) -> int | None:
        """The item the viewer shows."""
        return self._shown

    @property
    def viewer(self) -> Viewer:
        """Where it is shown."""
        return self._viewer

    def known(self, item_id: int) -> ItemDescription | None:
        """What is known of an item, if it was looked at."""
        return self._known.get(item_id)

    # --- showing ------------------------------------------------------------------------------------------------------

    @Slot(ITEM_ID, int)
    def _select(self, item_id: int, row: int) -> None:
        self._current = (item_id, row)
        self.show_current()

    @Slot(ITEM_ID, int)
    def _open(self, item_id: int, row: int) -> None:
        self._current = (item_id, row)
        self.opened.emit()
        self.show_current()
        self._viewer.canvas.setFocus()

    @Slot(ITEM_ID)
    def open_item(self, item_id: int) -> None:
        """Show an item in its place among the results, or by itself if it has none."""
        row = self._pane.grid.row_of(item_id)
        self._pane.grid.select_row(row)
        self._select(item_id, row)

    @Slot()
    def _ranking_changed(self) -> None:
        found = self._pane.grid.current_item()
        if found is not None:
            self._select(*found)
            self._viewer.explain_again()
        else:
            self._current = self._shown = None
            self._viewer.clear()

    def show_current(self) -> None:
        """Draw the selected item, if the viewer is seen."""
        if self._current is None or not self._viewer.isVisible():
            return
        item_id, row = self._current
        item = self._known.get(item_id)
        if item is None:
            self._controller.session.line.describe_items([item_id])
            return
        self._shown = item_id
        score = self._pane.score_of(row)
        self._viewer.show_item(item, score, None if score is None else row + 1)
        preview = self._pane.grid.thumbnail(item_id)
        if preview is not None:
            self._viewer.show_preview(preview)

    @Slot(tuple)
    def _learn(self, items: tuple[ItemDescription, ...]) -> None:
        for item in items:
            self._known[item.item_id] = item
            self._known.move_to_end(item.item_id)
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)
        if self.current is not None and self.current != self._shown and self.current in self._known:
            self.show_current()

    @Slot(Picture)
    def _show_picture(self, picture: Picture) -> None:
        if picture.item_id == self._shown:
            self._viewer.show_picture(picture)

    @Slot(Explanation)
    def _show_explanation(self, explanation: Explanation) -> None:
        if explanation.item_id == self._shown:
            self._viewer.show_explanation(explanation)
            if self._words_come_later:
                self._words_come_later = False
                self._viewer.words.show_waiting()
                self._controller.session.explain(explanation.item_id)

    @Slot(ITEM_ID)
    def _explain(self, item_id: int) -> None:
        """Ask for everything at once, or, where its many words take long, for the rest first."""
        session = self._controller.session
        self._words_come_later = has_many_words(session.sentences.explaining(session.query))
        session.explain(item_id, words=not self._words_come_later)

    @Slot(ITEM_ID)
    @Slot(ITEM_ID, float)
    def _get_picture(self, item_id: int, time_s: float | None = None) -> None:
        self._controller.session.line.get_picture(item_id, time_s)

    @Slot(ITEM_ID)
    def _get_shots(self, item_id: int) -> None:
        session = self._controller.session
        session.line.get_shots(item_id, session.query, session.model)

    @Slot(object)
    def _show_shots(self, received: Received) -> None:
        if received.kind is Kind.SHOTS and isinstance(received.answer, Shots):
            self._viewer.show_shots(received.answer)

    @Slot(ItemDescription)
    def go_to_shot(self, shot: ItemDescription) -> None:
        """Show another shot of a video; what is selected among the results stays, unless the shot is there, too."""
        self._known[shot.item_id] = shot
        self.open_item(shot.item_id)

    @Slot()
    def describe_again(self) -> None:
        """The library knows more of its items now: ask anew for the one that is shown."""
        self._known.clear()
        self._shown = None
        self.show_current()

    @Slot(tuple, str)
    def _offer_comparisons(self, models: tuple[ModelSummary, ...], name: str) -> None:
        parts = next((model.overlays for model in models if model.name == name), ())
        self._viewer.pictures.set_offered(parts)

    @Slot(object)
    def _show_comparison(self, received: Received) -> None:
        if received.kind is not Kind.COMPARISON:
            return
        if isinstance(received.answer, Failed):
            self._viewer.pictures.show_problem(received.answer.message)
        elif isinstance(received.answer, Explanation) and received.answer.item_id == self._shown:
            self._viewer.pictures.show_comparison(received.answer)

    def forget_items(self) -> None:
        """Another library is opened: its items have the same numbers and are others."""
        self._known.clear()
        self._current = self._shown = None
        self._viewer.clear()

    # --- doing --------------------------------------------------------------------------------------------------------

    @Slot(ITEM_ID)
    def search_with(self, item_id: int) -> None:
        """Search with this item's picture."""
        item = self._known.get(item_id)
        self.search_asked.emit(item_id, shot_name(item) if item else "This result")

    @Slot(ITEM_ID)
    def open_file(self, item_id: int) -> None:
        """Open the file in the program the person chose for it."""
        item = self._local(item_id)
        if item is not None and not desktop.open_file(item.path):
            self._say(f"No program opens {quoted(item.name)} here.")

    @Slot(ITEM_ID)
    def show_in_folder(self, item_id: int) -> None:
        """Show the file in the desktop's file manager."""
        item = self._local(item_id)
        if item is not None and not desktop.show_in_folder(item.path):
            self._say("No file manager was found here.")

    @Slot(ITEM_ID)
    def copy_path(self, item_id: int) -> None:
        """Put the path into the clipboard."""
        item = self._known.get(item_id)
        if item is not None:
            QGuiApplication.clipboard().setText(item.display)
            self._say("The path was copied.", passing=True)

    @Slot(ITEM_ID)
    def copy_picture(self, item_id: int) -> None:
        """Put the picture into the clipboard, once it has come; of a video that plays the frame that is seen."""
        if item_id == self._shown and self._viewer.video.plays_itself:
            self._copy_image(self._viewer.canvas.picture())
            return
        self._controller.session.line.get_picture_to_copy(item_id)

    @Slot(Picture)
    def _put_into_clipboard(self, picture: Picture) -> None:
        job = Job(lambda: QImage.fromData(picture.jpeg))
        job.done.connect(self._copy_image)
        job.start()

    @Slot(object)
    def _copy_image(self, image: QImage) -> None:
        QGuiApplication.clipboard().setImage(image)
        self._say("The picture was copied.", passing=True)

    def _local(self, item_id: int) -> ItemDescription | None:
        item = self._known.get(item_id)
        if item is None:
            return None
        if desktop.is_here(item.path):
            return item
        place = os.path.dirname(item.display)
        self._say(f"{quoted(item.name)} is not in {quoted(place)} on this computer any more.")
        return None

    def _say(self, text: str, *, passing: bool = False) -> None:
        self._controller.notify(Notice(topic=Topic.FILE, text=text, passing=passing, serious=not passing))

    @Slot(ITEM_ID, QPoint)
    def _open_menu(self, item_id: int, at: QPoint) -> None:
        parent = self._pane.grid
        menu = QMenu(parent)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        item = self._known.get(item_id)
        what = "shot" if item is not None and is_video(item) else "image"
        for text, slot in (
            (f"Search with this {what}", self.search_with), ("", None),
            ("Open file", self.open_file), ("Show in folder", self.show_in_folder), ("", None),
            ("Copy picture", self.copy_picture), ("Copy path", self.copy_path),
        ):
            if slot is None:
                menu.addSeparator()
            else:
                menu.addAction(text).triggered.connect(partial(_without_state, slot, item_id))
        menu.popup(at)


def _without_state(slot: Callable[[int], None], item_id: int, checked: bool = False) -> None:
    """Qt tells whether the action is checked; nobody here asks."""
    slot(item_id)
