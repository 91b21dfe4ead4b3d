"""Single frames of a video from the engine, for where it cannot be played."""

from PySide6.QtCore import QObject, Signal

from explorer.gui.item_ids import ITEM_ID


class StillFrames(QObject):
    """Asks for one frame at a time; while one is on its way, the last time that was wanted counts.

    Signals:
        wanted(ITEM_ID, float): the frame of this video at this time, in seconds.
    """

    wanted = Signal(ITEM_ID, float)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked = False
        self._next: tuple[int, float] | None = None

    def ask(self, item_id: int, time_s: float) -> None:
        """Ask for a frame now, or once the one before is there."""
        if self._asked:
            self._next = item_id, time_s
        else:
            self._asked = True
            self.wanted.emit(item_id, time_s)

    def came(self) -> None:
        """The frame that was asked for is there, or will never be."""
        following, self._asked, self._next = self._next, False, None
        if following is not None:
            self.ask(*following)

    def forget(self) -> None:
        """Another video is shown."""
        self._asked, self._next = False, None
