"""A video below its picture: its buttons, its timeline, and which time of which shot is shown."""

import msgspec
import numpy as np
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.gui.item_text import is_video
from explorer.gui.player_bar import PlayerBar
from explorer.gui.shot_times import ShotTimes, times_from_message, times_of_item
from explorer.gui.timeline import Timeline
from explorer.overlays import MovingOverlays
from explorer.protocol import ItemDescription, Shots
from explorer.segment_ids import item_of, position_of, segment_id

_NO_CURVE = np.zeros(0, np.float32)


class VideoTimes(QWidget):
    """Which shot of which video is shown, and at which time; plays nothing.

    Signals:
        time_changed(float): another time is shown, or will be once its frame is there.
        shot_chosen(ItemDescription): a person, or the time, went to another shot of the video.

    Attributes:
        bar, timeline: what is seen of it.
    """

    time_changed = Signal(float)
    shot_chosen = Signal(ItemDescription)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._item: ItemDescription | None = None
        self._time_s = 0.0
        self.bar = PlayerBar()
        self.timeline = Timeline()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.timeline)
        self.setAccessibleName("Video")
        self.hide()

    @property
    def time_s(self) -> float:
        """The time that is shown, in seconds."""
        return self._time_s

    @property
    def times(self) -> ShotTimes | None:
        """The shots of the video."""
        return self.timeline.times if self._item is not None else None

    def controls(self) -> list[QWidget]:
        """What takes the focus, from top to bottom."""
        return [*self.bar.controls(), self.timeline]

    def take_key(self, text: str) -> bool:
        """Do what a key says; whether it is one of a video's."""
        return self._item is not None and self.bar.take_key(text)

    def score(self) -> float | None:
        """Of the shown shot, as the video's shots have it."""
        times = self.times
        return None if times is None or self._item is None else times.score(position_of(self._item.item_id))

    def shows(self, item: ItemDescription) -> bool:
        """Whether this is a shot of the video that is shown already."""
        shown = self._item
        return shown is not None and is_video(item) and (
            (item_of(shown.item_id), shown.path, shown.modified_at)
            == (item_of(item.item_id), item.path, item.modified_at)
        )

    def span(self) -> tuple[float, float]:
        """Start and end of the shown shot, in seconds."""
        times = self.times
        return (0.0, 0.0) if times is None or self._item is None else times.span(position_of(self._item.item_id))

    def show_times(self, item: ItemDescription) -> None:
        """Show this shot among those that are known of its video."""
        times, position = self.timeline.times, position_of(item.item_id)
        known = times is not None and self.shows(item) and times.first <= position < times.first + len(times)
        self._item = item
        self._set_times(times if times is not None and known else times_of_item(item))
        self.timeline.set_curve("", _NO_CURVE, _NO_CURVE)

    def show_shots(self, shots: Shots) -> None:
        """Take the shots of the shown video; those of any other are dropped."""
        item = self._item
        if item is None or item_of(shots.item_id) != item_of(item.item_id):
            return
        times = times_from_message(shots, item.duration_s)
        if times is not None and position_of(item.item_id) < len(times):
            self._set_times(times)

    def show_moving(self, moving: MovingOverlays) -> None:
        """Take the curve of the shown shot."""
        self.timeline.set_curve(moving.curve_title, moving.times_s[: moving.curve.size], moving.curve)

    def _set_times(self, times: ShotTimes) -> None:
        assert self._item is not None
        self.timeline.set_times(times, position_of(self._item.item_id))
        self._tell_time()

    def _set_time(self, time_s: float) -> None:
        self._time_s = time_s
        self.timeline.set_time(time_s)
        self._tell_time()
        self.time_changed.emit(time_s)

    def _tell_time(self) -> None:
        if self.timeline.times is not None:
            self.bar.set_time(self._time_s, self.timeline.times.duration_s)

    def _choose_shot(self, position: int) -> None:
        """Say that another shot is to be shown, unless it is shown."""
        item, times = self._item, self.times
        if item is None or times is None or position == position_of(item.item_id):
            return
        start_s, end_s = times.span(position)
        shot = segment_id(item_of(item.item_id), position)
        self.shot_chosen.emit(msgspec.structs.replace(item, item_id=shot, start_s=start_s, end_s=end_s))
