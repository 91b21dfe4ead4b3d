"""Plays one shot of a video file with what the platform decodes, frame by frame as pictures.

Imported when the first video is shown: QtMultimedia and its decoders are not needed for the first paint.
"""

import math
import time

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QImage
from PySide6.QtMultimedia import QMediaPlayer, QVideoFrame

from explorer.gui.played_file import FilePlayer

_SAME_MOMENT_S = 0.003
"""Times of shots travel as float32: within two hours they are this exact."""

_STALE_S = 0.25
"""A frame so far before the time that was asked for is from before the asking."""

_SEEK_TAKES_MS = 500
_LEAST_LOOP_S = 0.4
_USUAL_FRAME_S = 0.04
_Status = QMediaPlayer.MediaStatus


class ShotPlayer(FilePlayer):
    """One file at a time; plays from a time on, over and over within a span if it is told to. Silent until asked.

    Signals:
        frame_came(QImage, float): a frame to show, and when it is in the video, in seconds.
        playing_changed(bool): plays, or stands still.
    """

    frame_came = Signal(QImage, float)
    playing_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._span_s = (0.0, 0.0)
        self._loops = True
        self._plays = False
        self._frame_s = (0.0, _USUAL_FRAME_S)
        self._start_s = 0.0
        self._target_s: float | None = None
        self._next_target_s: float | None = None
        self._held_back: QVideoFrame | None = None
        self._loaded = False
        self._looped_at = 0.0
        self._n_shown_since_loop = 0
        self._seek_timer = QTimer(self, singleShot=True, interval=_SEEK_TAKES_MS)
        self._loop_timer = QTimer(self, singleShot=True)
        self._seek_timer.timeout.connect(self._seek_took_too_long)
        self._loop_timer.timeout.connect(self._begin_again)
        self._sink.videoFrameChanged.connect(self._take_frame)
        self._player.mediaStatusChanged.connect(self._on_status)
        self._player.errorOccurred.connect(self._on_error)

    # --- the file -----------------------------------------------------------------------------------------------------

    def open(self, path: bytes, span_s: tuple[float, float], time_s: float, *, plays: bool) -> None:
        """Show a file from this time on; ``span_s``: the shot in it."""
        self.close()
        self._span_s, self._start_s = span_s, time_s
        self._set_plays(plays)
        self._load(path)

    def close(self) -> None:
        """Let go of the file; nothing comes any more."""
        self._loaded = False
        self._target_s = self._next_target_s = self._held_back = None
        self._seek_timer.stop()
        self._loop_timer.stop()
        self._set_plays(False)
        super().close()

    def shows(self, time_s: float) -> bool:
        """Whether the frame of this time is the one that came last."""
        begin, end = self._frame_s
        return begin <= time_s < end

    # --- playing ------------------------------------------------------------------------------------------------------

    @property
    def plays(self) -> bool:
        """Whether it plays, or will as soon as it can."""
        return self._plays

    def play(self) -> None:
        """Go on; at the end of the shot from its start."""
        if not self.is_open:
            return
        start_s, end_s = self._span_s
        self._set_plays(True)
        if not self._loaded:
            return
        at_end = self._player.mediaStatus() is _Status.EndOfMedia
        if at_end or (self._loops and not start_s - _USUAL_FRAME_S <= self._frame_s[0] < end_s - _SAME_MOMENT_S):
            self._seek(start_s)
        elif not self._seek_timer.isActive():
            self._player.play()

    def pause(self) -> None:
        """Stand still; the frame stays."""
        self._loop_timer.stop()
        self._set_plays(False)
        if self._loaded:
            self._player.pause()

    def _set_plays(self, plays: bool) -> None:
        if plays != self._plays:
            self._plays = plays
            self.playing_changed.emit(plays)

    def set_span(self, span_s: tuple[float, float]) -> None:
        """Another shot of the same file; the time stays."""
        self._span_s = span_s
        self._n_shown_since_loop = 1

    def set_loops(self, loops: bool) -> None:
        """Play the shot over and over, or play on into the next."""
        self._loops = loops

    def set_rate(self, rate: float) -> None:
        """How fast, 1 as it was taken."""
        self._player.setPlaybackRate(rate)

    # --- going to a time ----------------------------------------------------------------------------------------------

    def seek(self, time_s: float) -> None:
        """Show the frame at this time; while another one is looked for, the last time asked for counts."""
        if not self.is_open:
            return
        if not self._loaded:
            self._start_s = time_s
        elif self._seek_timer.isActive():
            self._next_target_s = time_s
        else:
            self._seek(time_s)

    def step(self, n_frames: int) -> None:
        """Stand still, and show the next frame (1) or the one before (-1); of a loop only its own."""
        self.pause()
        begin, end = self._frame_s
        coming_s = self._next_target_s if self._next_target_s is not None else self._target_s
        if coming_s is not None:  # from the frame that is on its way
            begin, end = coming_s, coming_s + end - begin
        time_s = end if n_frames > 0 else begin - 0.0015
        if self._loops:
            start_s, end_s = self._span_s
            if time_s >= end_s - _SAME_MOMENT_S or time_s < start_s - _SAME_MOMENT_S:
                return
        self.seek(max(0.0, time_s))

    def _seek(self, time_s: float) -> None:
        if not self._is_still_there():
            return
        # A little into the frame: what is shown at its very start may be the one before.
        wanted_ms = min(max(0, self._player.duration() - 1), round(time_s * 1000) + 1)
        self._target_s, self._next_target_s, self._held_back = wanted_ms / 1000, None, None
        self._seek_timer.start()
        if self._player.playbackState() is QMediaPlayer.PlaybackState.StoppedState:
            self._player.pause()  # playing begins once a frame is there: while it starts, late ones are left out
        self._player.setPosition(wanted_ms)

    @Slot()
    def _seek_took_too_long(self) -> None:
        """Some files have no frame just there: what came instead is shown, and whatever comes."""
        self._target_s = None
        if self._held_back is not None:
            self._take_frame(self._held_back)
        if self._next_target_s is not None:
            self._seek(self._next_target_s)
        elif self._plays:
            self._player.play()

    # --- what comes ---------------------------------------------------------------------------------------------------

    @Slot(QVideoFrame)
    def _take_frame(self, frame: QVideoFrame) -> None:
        if not frame.isValid() or not self._loaded:
            return
        latest = self._sink.videoFrame()
        if latest.isValid() and latest.startTime() != frame.startTime():
            return  # the window was busy: the newer one is on its way
        begin = frame.startTime() / 1e6 if frame.startTime() >= 0 else self._player.position() / 1e3
        end = max(begin + 1e-3, frame.endTime() / 1e6 if frame.endTime() > 0 else begin + _USUAL_FRAME_S)
        if self._target_s is not None:
            if begin > self._target_s or end < self._target_s - _STALE_S:
                self._held_back = frame  # from before the seek, as far as one can tell
                return
            self._target_s = self._held_back = None
            self._seek_timer.stop()
            if self._plays:
                self._player.play()
        elif self._plays and self._loops and begin >= self._span_s[1] - _SAME_MOMENT_S:
            self._loop()
            return
        if self._next_target_s is not None:
            self._seek(self._next_target_s)
        image = frame.toImage()
        if image.isNull():
            return
        self._frame_s = begin, end
        self._n_shown_since_loop += 1
        self.frame_came.emit(image, begin)
        self._look_now_and_then()

    def _loop(self) -> None:
        """Begin the shot again; a very short one is not begun more often than one can look at it."""
        if self._loop_timer.isActive() or not self._is_still_there():
            return
        if not self._n_shown_since_loop:
            self.pause()  # the file has no frames there
            return
        wait_s = self._looped_at + _LEAST_LOOP_S - time.monotonic()
        if wait_s > 0:
            # At the end of the file it has stopped; pausing it there would show the file's first frame.
            if self._player.playbackState() is QMediaPlayer.PlaybackState.PlayingState:
                self._player.pause()
            self._loop_timer.start(math.ceil(wait_s * 1000))
        else:
            self._begin_again()

    @Slot()
    def _begin_again(self) -> None:
        self._looped_at, self._n_shown_since_loop = time.monotonic(), 0
        self._seek(self._span_s[0])

    @Slot(_Status)
    def _on_status(self, status: QMediaPlayer.MediaStatus) -> None:
        if status is _Status.LoadedMedia and self.is_open and not self._loaded:
            self._begin()
        elif status is _Status.EndOfMedia and self._loaded:
            if self._plays and self._loops:
                self._loop()
            else:
                self._set_plays(False)
        elif status is _Status.InvalidMedia and self.is_open:
            self._fail(self._file.unplayable())

    def _begin(self) -> None:
        if not self._player.hasVideo():
            self._fail(self._file.without_picture())
            return
        if self._span_s[0] * 1000 >= self._player.duration() > 0:
            self._fail(self._file.shorter())
            return
        self._loaded = True
        self._looped_at, self._n_shown_since_loop = time.monotonic(), 1
        self._seek(self._start_s)

    @Slot(QMediaPlayer.Error, str)
    def _on_error(self, error: QMediaPlayer.Error, text: str) -> None:
        if error is not QMediaPlayer.Error.NoError and self.is_open:
            self._fail(self._file.unplayable() if self._file.is_here() else self._file.gone())
