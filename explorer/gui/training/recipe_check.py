"""Has the engine check a recipe whenever it rests for a moment; only the answer for the latest counts."""

import os
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from explorer.engine.requests import Kind
from explorer.gui.controller import Controller
from explorer.gui.notices import sentence_of
from explorer.protocol import Cancelled, Failed
from explorer.protocol.training import RecipeChecked
from explorer.session import Received

REST_MS = 300


class RecipeCheck(QObject):
    """What is known of the recipe as it is now.

    Signals:
        began(): it is another recipe now; a check is on its way.
        ended(RecipeChecked): what was found of it.

    Attributes:
        checked: the last answer, also while a newer one is awaited; None before the first.
        busy: whether the recipe is another one than was checked.
    """

    began = Signal()
    ended = Signal(object)

    def __init__(self, controller: Controller, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._controller = controller
        self.checked: RecipeChecked | None = None
        self.busy = False
        self._content, self._folder = b"", Path()
        self._rest = QTimer(self, singleShot=True, interval=REST_MS)
        self._rest.timeout.connect(self._ask)
        controller.received.connect(self._receive)

    def look_at(self, content: bytes, folder: Path) -> None:
        """Check this recipe in the place of any other."""
        self._content, self._folder = content, folder
        self.busy = True
        self._rest.start()
        self.began.emit()

    def leave(self) -> None:
        """There is no recipe that could be checked."""
        self._rest.stop()
        self.busy, self.checked = False, None

    @Slot()
    def _ask(self) -> None:
        self._controller.session.training.check(self._content, os.fsencode(self._folder), data=True)

    @Slot(object)
    def _receive(self, received: Received) -> None:
        if received.kind is not Kind.RECIPE_CHECK or self._rest.isActive() or not self.busy:
            return  # of an older recipe
        match received.answer:
            case RecipeChecked() as checked:
                self._end(checked)
            case Failed() as failed:
                self._end(RecipeChecked(id=failed.id, problem=sentence_of(failed)))
            case Cancelled():
                self._rest.start()

    def _end(self, checked: RecipeChecked) -> None:
        self.busy, self.checked = False, checked
        self.ended.emit(checked)
