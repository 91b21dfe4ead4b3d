"""A video below its picture: buttons and timeline, and what joins them with the player."""

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from PySide6.QtCore import QCoreApplication, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from explorer.gui.item_ids import ITEM_ID
from explorer.gui.item_text import is_video
from explorer.gui.player_bar import PlayerBar
from explorer.gui.shot_times import ShotTimes, times_from_message, times_of_item
from explorer.gui.still_frames import StillFrames
from explorer.gui.timeline import Timeline
from explorer.overlays import MovingOverlays
from explorer.protocol import ItemDescription, Shots
from explorer.segment_ids import item_of, position_of, segment_id

if TYPE_CHECKING:  # QtMultimedia comes with the first video
    from explorer.gui.player import ShotPlayer

_PLAY_AFTER_MS = 250
_EDGE_S = 0.02
"""Part of a frame: the first frame of the next shot is that shot."""

_NO_CURVE = np.zeros(0, np.float32)

NO_SOUND_OUTPUT = "There is no sound output on this computer."


class Playback(QWidget):
    """Plays the shown shot, lets a person move in time, and says which frame is to be seen.

    Where the file cannot be played, single frames are asked for instead.

    Signals:
        frame_came(QImage): the frame of :attr:`time_s`.
        time_changed(float): another time is shown, or will be once its frame is there.
        still_wanted(ITEM_ID, float): the frame at this time is wanted from the engine.
        shot_chosen(ItemDescription): a person, or the time, went to another shot of the video.
        problem_told(str): it cannot be played, in a sentence; empty when it is over. told(str): something less grave.
    """

    frame_came = Signal(QImage)
    time_changed = Signal(float)
    still_wanted = Signal(ITEM_ID, float)
    shot_chosen = Signal(ItemDescription)
    problem_told = Signal(str)
    told = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._item: ItemDescription | None = None
        self._player: ShotPlayer | None = None
        self._has_frame = self._unplayable = self._held = False
        self._wants_to_play = True
        self._loops = self._loops_by_hand = True
        self._loops_chosen = False
        self._muted = True
        self._rate = 1.0
        self._time_s = 0.0
        self._stills = StillFrames(self)
        self.bar = PlayerBar()
        self.timeline = Timeline()
        self._start_timer = QTimer(self, singleShot=True, interval=_PLAY_AFTER_MS)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.bar)
        column.addWidget(self.timeline)
        self.setAccessibleName("Video")
        self._connect()
        self.hide()

    def _connect(self) -> None:
        self._start_timer.timeout.connect(self._start)
        self._stills.wanted.connect(self.still_wanted)
        self.bar.play_clicked.connect(self.toggle)
        self.bar.stepped.connect(self.step)
        self.bar.loops_chosen.connect(self._choose_loops)
        self.bar.rate_chosen.connect(self._set_rate)
        self.bar.muted_chosen.connect(self._set_muted)
        self.timeline.sought.connect(self.seek)
        self.timeline.held.connect(self._on_held)
        self.timeline.shot_chosen.connect(self._go_to_shot)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.close_video)

    # --- what is shown ------------------------------------------------------------------------------------------------

    @property
    def time_s(self) -> float:
        """The time that is shown, in seconds."""
        return self._time_s

    @property
    def plays_itself(self) -> bool:
        """Whether frames of the shown video come from the file, so that no still ones are needed."""
        return self._item is not None and self._has_frame and not self._unplayable

    def controls(self) -> list[QWidget]:
        """What takes the focus, from top to bottom."""
        return [*self.bar.controls(), self.timeline]

    @property
    def times(self) -> ShotTimes | None:
        """The shots of the video."""
        return self.timeline.times if self._item is not None else None

    def score(self) -> float | None:
        """Of the shown shot, as the video's shots have it."""
        times = self.times
        return None if times is None or self._item is None else times.score(position_of(self._item.item_id))

    def shows(self, item: ItemDescription) -> bool:
        """Whether this is a shot of the video that is shown already."""
        shown = self._item
        return shown is not None and is_video(item) and (
            item_of(shown.item_id), shown.path, shown.modified_at) == (item_of(item.item_id), item.path,
                                                                       item.modified_at)

    def show_item(self, item: ItemDescription, *, whole: bool = False) -> None:
        """Show a shot, from its start; of the same video no more is loaded. Of a photo nothing is shown.

        ``whole``: the video was chosen rather than one of its shots: it plays on, unless a person said otherwise.
        """
        if not is_video(item):
            self.close_video()
            return
        same = self.shows(item)
        self._item = item
        self._set_loops(self._loops_by_hand if self._loops_chosen else not whole)
        if same:
            self._show_other_shot(item)
            return
        self._stop()
        self._has_frame = self._unplayable = False
        self._wants_to_play = True
        self._stills.forget()
        self._show_times(times_of_item(item))
        self.timeline.set_curve("", _NO_CURVE, _NO_CURVE)
        self.bar.set_playable(True)
        self.bar.set_audible(has_sound=False, muted=self._muted)
        self._set_time(item.start_s)
        self.show()
        self._start_timer.start()

    def _show_other_shot(self, item: ItemDescription) -> None:
        times = self.timeline.times
        position = position_of(item.item_id)
        if times is None or not times.first <= position < times.first + len(times):
            times = times_of_item(item)
        self._show_times(times)
        self.timeline.set_curve("", _NO_CURVE, _NO_CURVE)
        start_s, end_s = times.span(position)
        if self._player is not None:
            self._player.set_span((start_s, end_s))
        if not start_s - _EDGE_S <= self._time_s < end_s:
            self.seek(start_s)

    def _show_times(self, times: ShotTimes) -> None:
        assert self._item is not None
        self.timeline.set_times(times, position_of(self._item.item_id))
        self._tell_time()

    def show_shots(self, shots: Shots) -> None:
        """Take the shots of the shown video; those of any other are dropped."""
        item = self._item
        if item is None or item_of(shots.item_id) != item_of(item.item_id):
            return
        times = times_from_message(shots, item.duration_s)
        position = position_of(item.item_id)
        if times is None or position >= len(times):
            return
        self._show_times(times)
        if self._player is not None:
            self._player.set_span(times.span(position))

    def show_moving(self, moving: MovingOverlays) -> None:
        """Take the curve of the shown shot."""
        self.timeline.set_curve(moving.curve_title, moving.times_s[: moving.curve.size], moving.curve)

    def still_came(self) -> None:
        """A frame that was asked for is there, or will not come: ask for the one that is wanted by now."""
        self._stills.came()

    @Slot()
    def close_video(self) -> None:
        """Show no video."""
        self._stop()
        self._item = None
        self.hide()

    def _stop(self) -> None:
        self._start_timer.stop()
        if self._player is not None:
            self._player.close()

    # --- playing ------------------------------------------------------------------------------------------------------

    @Slot()
    def _start(self) -> None:
        """The selection rests: load the file and play."""
        if self._item is None or self._unplayable or not self.isVisible():
            return
        times = self.timeline.times
        assert times is not None
        player = self._made_player()
        if not player.is_open:
            span = times.span(position_of(self._item.item_id))
            player.open(self._item.path, span, self._time_s, plays=self._wants_to_play and not self._held)

    def _made_player(self) -> "ShotPlayer":
        if self._player is None:
            from explorer.gui.player_noise import silence

            silence()
            from explorer.gui.player import ShotPlayer  # here for the start-up time

            self._player = player = ShotPlayer(self)
            player.frame_came.connect(self._take_frame)
            player.playing_changed.connect(self._on_playing)
            player.failed.connect(self._on_failed)
            player.set_loops(self._loops)
            player.set_rate(self._rate)
        return self._player

    @Slot()
    def toggle(self) -> None:
        """Play, or stand still."""
        self._start_timer.stop()
        player = self._player
        if player is None or not player.is_open:
            self.try_again()
        elif player.plays:
            self._wants_to_play = False
            player.pause()
        else:
            self._wants_to_play = True
            player.play()

    def try_again(self) -> None:
        """Play what could not be played: it may be there again."""
        if self._item is not None and (self._player is None or not self._player.is_open):
            self._wants_to_play, self._unplayable = True, False
            self.bar.set_playable(True)
            self.problem_told.emit("")
            self._start()

    @Slot(int)
    def step(self, n_frames: int) -> None:
        """Stand still and go to the next frame, or to the one before."""
        if self._player is not None and self._player.is_open:
            self._wants_to_play = False
            self._player.step(n_frames)
        else:
            self.seek(self._time_s + 0.04 * n_frames)

    @Slot(float)
    def seek(self, time_s: float) -> None:
        """Show this time."""
        times = self.times
        if times is None:
            return
        time_s = min(max(0.0, time_s), times.duration_s)
        self._set_time(time_s)
        if self._player is not None and self._player.is_open:
            self._player.seek(time_s)
        elif self._unplayable and self._item is not None:
            self._stills.ask(self._item.item_id, time_s)

    @Slot(bool)
    def _on_held(self, held: bool) -> None:
        """The time stands still while a person drags it."""
        self._held = held
        if self._player is not None and self._player.is_open and self._wants_to_play:
            self._player.pause() if held else self._player.play()

    @Slot(int, float)
    def _go_to_shot(self, position: int, time_s: float) -> None:
        self._choose_shot(position)
        self.seek(time_s)

    def _choose_shot(self, position: int) -> None:
        item, times = self._item, self.times
        if item is None or times is None or position == position_of(item.item_id):
            return
        start_s, end_s = times.span(position)
        shot = segment_id(item_of(item.item_id), position)
        chosen = msgspec.structs.replace(item, item_id=shot, start_s=start_s, end_s=end_s)
        if self._player is not None:
            self._player.set_span((start_s, end_s))
        self.shot_chosen.emit(chosen)

    def _set_loops(self, loops: bool) -> None:
        self._loops = loops
        self.bar.set_loops(loops)
        if self._player is not None:
            self._player.set_loops(loops)

    @Slot(bool)
    def _choose_loops(self, loops: bool) -> None:
        self._loops_by_hand, self._loops_chosen = loops, True
        self._set_loops(loops)

    @Slot(float)
    def _set_rate(self, rate: float) -> None:
        self._rate = rate
        self.bar.set_rate(rate)
        if self._player is not None:
            self._player.set_rate(rate)

    @Slot(bool)
    def _set_muted(self, muted: bool) -> None:
        if self._player is None or not self._player.set_muted(muted):
            muted = True
            self.told.emit(NO_SOUND_OUTPUT)
        self._muted = muted
        self._show_sound()

    def _show_sound(self) -> None:
        has_sound = self._player is not None and self._player.is_open and self._player.has_sound
        self.bar.set_audible(has_sound=has_sound, muted=self._muted)

    def take_key(self, text: str) -> bool:
        """Do what a key says; whether it is one of a video's."""
        return self._item is not None and self.bar.take_key(text)

    # --- what comes ---------------------------------------------------------------------------------------------------

    @Slot(QImage, float)
    def _take_frame(self, image: QImage, time_s: float) -> None:
        if self._item is None:
            return
        first, self._has_frame = not self._has_frame, True
        if first:
            self._show_sound()
        assert self._player is not None
        asked_for = not self._player.plays and self._player.shows(self._time_s)
        if not self._held and not asked_for:
            self._set_time(time_s)
            self._follow(time_s)
        self.frame_came.emit(image)

    def _follow(self, time_s: float) -> None:
        """Playing on, the shot that is shown is the one that is explained."""
        times = self.times
        if times is not None and not self._loops:
            self._choose_shot(times.at(time_s + _EDGE_S))

    @Slot(bool)
    def _on_playing(self, plays: bool) -> None:
        self.bar.set_plays(plays)

    @Slot(str)
    def _on_failed(self, sentence: str) -> None:
        self._unplayable = True
        self.bar.set_playable(False)
        self.bar.play.setEnabled(True)
        self.bar.set_audible(has_sound=False, muted=self._muted)
        self.problem_told.emit(sentence)
        if not self._has_frame and self._item is not None:
            self._stills.ask(self._item.item_id, self._time_s)

    def _set_time(self, time_s: float) -> None:
        self._time_s = time_s
        self.timeline.set_time(time_s)
        self._tell_time()
        self.time_changed.emit(time_s)

    def _tell_time(self) -> None:
        if self.timeline.times is not None:
            self.bar.set_time(self._time_s, self.timeline.times.duration_s)

    # --- being seen ---------------------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """What nobody could see did not play."""
        super().showEvent(event)
        if self._item is None:
            return
        if self._player is not None and self._player.is_open:
            if self._wants_to_play:
                self._player.play()
        else:
            self._start_timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody sees it: stand still until it is seen again."""
        super().hideEvent(event)
        self._start_timer.stop()
        if self._player is not None:
            self._player.pause()
