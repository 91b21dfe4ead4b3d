"""The file behind a player: how it is opened, whether it is there, and the sentences about it."""

import os
import time

from PySide6.QtCore import QFile, QFileDevice, QIODevice, QObject, QUrl, Signal
from PySide6.QtMultimedia import QAudioOutput, QMediaDevices, QMediaPlayer, QVideoSink

from explorer.gui import desktop
from explorer.gui.phrases import quoted
from explorer.gui.player_noise import silence, silence_ffmpeg

_LOOK_EVERY_S = 1.0


class PlayedFile:
    """One file by its path in bytes; the player need not know that names may be no text.

    Attributes:
        path: empty if there is none.
    """

    def __init__(self, path: bytes = b"") -> None:
        self.path = path
        self._handle: QFile | None = None

    def give_to(self, player: QMediaPlayer) -> bool:
        """Let a player open it; False if it is not there."""
        if not self.is_here():
            return False
        try:
            self.path.decode("utf-8")
        except UnicodeDecodeError:
            return self._give_handle(player)
        player.setSource(QUrl.fromLocalFile(os.path.abspath(os.fsdecode(self.path))))
        return True

    def _give_handle(self, player: QMediaPlayer) -> bool:
        """Players want names in UTF-8; a file without such a name is read all the same."""
        try:
            number = os.open(self.path, os.O_RDONLY)
        except OSError:
            return False
        self._handle = QFile()
        self._handle.open(number, QIODevice.OpenModeFlag.ReadOnly, QFileDevice.FileHandleFlag.AutoCloseHandle)
        suffix = os.path.splitext(self.path)[1].decode("ascii", "ignore")
        player.setSourceDevice(self._handle, QUrl.fromLocalFile(f"video{suffix}"))
        return True

    def take_from(self, player: QMediaPlayer) -> None:
        """Let the player go of it."""
        player.stop()
        player.setSource(QUrl())
        if self._handle is not None:
            self._handle.close()

    def is_here(self) -> bool:
        """Whether it is on this computer."""
        return bool(self.path) and desktop.is_here(self.path)

    # --- sentences ----------------------------------------------------------------------------------------------------

    def _name(self) -> str:
        return quoted(os.path.basename(self.path).decode("utf-8", "replace"))

    def gone(self) -> str:
        """It is not there."""
        return f"{self._name()} is not on this computer. Single frames are shown as far as the engine has them."

    def unplayable(self) -> str:
        """It is there, and nothing here decodes it."""
        return f"{self._name()} cannot be played here. Drag along the timeline to see single frames."

    def without_picture(self) -> str:
        """There is sound at most."""
        return f"{self._name()} has no picture that could be played."

    def shorter(self) -> str:
        """The shot is beyond its end."""
        return f"{self._name()} is shorter than it was when it was indexed. Look for changes (F5)."


class Sound:
    """What a player is heard with; nothing is opened until somebody wants to hear."""

    def __init__(self, player: QMediaPlayer) -> None:
        self._player = player
        self._output: QAudioOutput | None = None

    def set_muted(self, muted: bool) -> bool:
        """Be silent, or be heard; False if there is nothing to be heard with."""
        if self._output is None:
            if muted:
                return True
            device = QMediaDevices.defaultAudioOutput()
            if device.isNull():
                return False
            self._output = QAudioOutput(device, self._player)
            self._player.setAudioOutput(self._output)
        self._output.setMuted(muted)
        return True

    @property
    def is_open(self) -> bool:
        """Whether anything was opened."""
        return self._output is not None


class FilePlayer(QObject):
    """The platform's player with one file at a time, which may be gone at any moment.

    Signals:
        failed(str): it cannot be played, in a sentence; the file is closed by then.

    Attributes:
        sound: what it is heard with.
    """

    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        silence()
        self._player = QMediaPlayer(self)
        self._sink = QVideoSink(self)
        self._player.setVideoSink(self._sink)
        silence_ffmpeg()
        self.sound = Sound(self._player)
        self._file = PlayedFile()
        self._looked_at = 0.0

    def close(self) -> None:
        """Let go of the file; nothing comes any more."""
        before, self._file = self._file, PlayedFile()
        before.take_from(self._player)

    @property
    def is_open(self) -> bool:
        """Whether a file is played, or about to be."""
        return bool(self._file.path)

    @property
    def has_sound(self) -> bool:
        """Whether there is anything to hear in the file."""
        return self._player.hasAudio()

    def _load(self, path: bytes) -> None:
        self._file = PlayedFile(path)
        if not self._file.give_to(self._player):
            self._fail(self._file.gone())

    def _is_still_there(self) -> bool:
        """Whether the file is; if not, that is told."""
        self._looked_at = time.monotonic()
        if not self.is_open or self._file.is_here():
            return self.is_open
        self._fail(self._file.gone())
        return False

    def _look_now_and_then(self) -> None:
        """Look whether the file is still there, if that was not done just now."""
        if time.monotonic() - self._looked_at > _LOOK_EVERY_S:
            self._is_still_there()

    def _fail(self, sentence: str) -> None:
        self.close()
        self.failed.emit(sentence)
