"""What can be done with one result: searching with it, copying it, finding its file."""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterable
from functools import partial

from PySide6.QtCore import QObject, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QMenu

from explorer.gui import desktop
from explorer.gui.controller import Controller
from explorer.gui.item_ids import ITEM_ID
from explorer.gui.item_text import is_video, shot_name
from explorer.gui.notices import Notice, Topic
from explorer.gui.phrases import quoted
from explorer.gui.results_pane import ResultsPane
from explorer.gui.viewer import Viewer
from explorer.gui.worker import Job
from explorer.protocol import ItemDescription, Picture

_KNOWN = 4096


class ItemActions(QObject):
    """Does what the viewer's menu and that of the grid offer, for any item that is known.

    Signals:
        search_asked(id, str): search with this item, of this name.
    """

    search_asked = Signal(ITEM_ID, str)

    def __init__(self, controller: Controller, pane: ResultsPane, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._controller, self._pane, self._viewer = controller, pane, viewer
        self._shown: int | None = None
        self._known: OrderedDict[int, ItemDescription] = OrderedDict()
        pane.grid.menu_requested.connect(self._open_menu)
        controller.picture_to_copy_came.connect(self._put_into_clipboard)
        viewer.search_with_image.connect(self.search_with)
        viewer.open_file.connect(self.open_file)
        viewer.show_in_folder.connect(self.show_in_folder)
        viewer.copy_picture.connect(self.copy_picture)
        viewer.copy_path.connect(self.copy_path)

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

    def learn(self, items: Iterable[ItemDescription]) -> None:
        """Remember what is known of these; the oldest are forgotten."""
        for item in items:
            self._known[item.item_id] = item
            self._known.move_to_end(item.item_id)
        while len(self._known) > _KNOWN:
            self._known.popitem(last=False)

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
