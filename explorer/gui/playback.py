"""Plays the shown shot below its picture, and says which frame is to be seen."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QTimer, Signal, Slot
from PySide6.QtGui import QHideEvent, QImage, QShowEvent
from PySide6.QtWidgets import QWidget

from explorer.gui.item_ids import ITEM_ID
from explorer.gui.item_text import is_video
from explorer.gui.play_manner import PlayManner
from explorer.gui.still_frames import StillFrames
from explorer.gui.video_times import VideoTimes
from explorer.protocol import ItemDescription, Shots

if TYPE_CHECKING:  # QtMultimedia comes with the first video
    from explorer.gui.player import ShotPlayer

_PLAY_AFTER_MS = 250
_EDGE_S = 0.02
"""Part of a frame: the first frame of the next shot is that shot."""

NO_MULTIMEDIA = "Qt cannot play videos here; retrieval-explorer doctor says what is missing. Single frames are shown."


class Playback(VideoTimes):
    """Joins buttons and timeline with the player.

    Where the file cannot be played, single frames are asked for instead.

    Signals:
        frame_came(QImage): the frame of :attr:`time_s`.
        still_wanted(ITEM_ID, float): the frame at this time is wanted from the engine.
        problem_told(str): it cannot be played, in a sentence; empty when it is over. told(str): something less grave.

    Attributes:
        stills: asks for single frames where it cannot be played.
    """

    frame_came = Signal(QImage)
    still_wanted = Signal(ITEM_ID, float)
    problem_told = Signal(str)
    told = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._player: ShotPlayer | None = None
        self._has_frame = self._unplayable = self._held = False
        self._wants_to_play = True
        self._manner = PlayManner(self.bar)
        self.stills = StillFrames(self)
        self._start_timer = QTimer(self, singleShot=True, interval=_PLAY_AFTER_MS)
        self._connect()

    def _connect(self) -> None:
        self._start_timer.timeout.connect(self._start)
        self.stills.wanted.connect(self.still_wanted)
        self.bar.play_clicked.connect(self.toggle)
        self.bar.stepped.connect(self.step)
        self._manner.told.connect(self.told)
        self.timeline.sought.connect(self.seek)
        self.timeline.held.connect(self._on_held)
        self.timeline.shot_chosen.connect(self._go_to_shot)
        application = QCoreApplication.instance()
        assert application is not None
        application.aboutToQuit.connect(self.close_video)

    # --- what is shown ------------------------------------------------------------------------------------------------

    @property
    def plays_itself(self) -> bool:
        """Whether frames of the shown video come from the file, so that no still ones are needed."""
        return self._item is not None and self._has_frame and not self._unplayable

    def show_item(self, item: ItemDescription, *, whole: bool = False) -> None:
        """Show a shot, from its start; of the same video no more is loaded. Of a photo nothing is shown.

        ``whole``: the video was chosen rather than one of its shots: it plays on, unless a person said otherwise.
        """
        if not is_video(item):
            self.close_video()
            return
        same = self.shows(item)
        self.show_times(item)
        self._manner.begin(whole=whole)
        if same:
            self._move_to_shot()
            return
        self._stop()
        self._has_frame = self._unplayable = False
        self._wants_to_play = True
        self.stills.forget()
        self.bar.set_playable(True)
        self._manner.show_sound()
        self._set_time(item.start_s)
        self.show()
        self._start_timer.start()

    def _move_to_shot(self) -> None:
        """Play the shot that is shown now; from its start, unless that is where the time is."""
        start_s, end_s = self.span()
        if self._player is not None:
            self._player.set_span((start_s, end_s))
        if not start_s - _EDGE_S <= self._time_s < end_s:
            self.seek(start_s)

    def show_shots(self, shots: Shots) -> None:
        """Take the shots of the shown video; those of any other are dropped."""
        super().show_shots(shots)
        if self._player is not None and self._item is not None:
            self._player.set_span(self.span())

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
        try:
            player = self._made_player()
        except ImportError:  # on a bare Linux a library of the system is missing
            self._on_failed(NO_MULTIMEDIA)
            return
        if not player.is_open:
            plays = self._wants_to_play and not self._held
            player.open(self._item.path, self.span(), self._time_s, plays=plays)

    def _made_player(self) -> "ShotPlayer":
        if self._player is None:
            from explorer.gui.player_noise import silence

            silence()
            from explorer.gui.player import ShotPlayer  # here for the start-up time

            self._player = player = ShotPlayer(self)
            player.frame_came.connect(self._take_frame)
            player.playing_changed.connect(self._on_playing)
            player.failed.connect(self._on_failed)
            self._manner.take_player(player)
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
            self.stills.ask(self._item.item_id, time_s)

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

    # --- what comes ---------------------------------------------------------------------------------------------------

    @Slot(QImage, float)
    def _take_frame(self, image: QImage, time_s: float) -> None:
        if self._item is None:
            return
        first, self._has_frame = not self._has_frame, True
        if first:
            self._manner.show_sound()
        assert self._player is not None
        asked_for = not self._player.plays and self._player.shows(self._time_s)
        if not self._held and not asked_for:
            self._set_time(time_s)
            self._follow(time_s)
        self.frame_came.emit(image)

    def _follow(self, time_s: float) -> None:
        """Playing on, the shot that is shown is the one that is explained."""
        times = self.times
        if times is not None and not self._manner.loops:
            self._choose_shot(times.at(time_s + _EDGE_S))

    @Slot(bool)
    def _on_playing(self, plays: bool) -> None:
        self.bar.set_plays(plays)

    @Slot(str)
    def _on_failed(self, sentence: str) -> None:
        self._unplayable = True
        self.bar.set_playable(False)
        self.bar.play.setEnabled(True)
        self._manner.show_sound()
        self.problem_told.emit(sentence)
        if not self._has_frame and self._item is not None:
            self.stills.ask(self._item.item_id, self._time_s)

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
