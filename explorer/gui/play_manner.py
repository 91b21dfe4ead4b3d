"""How videos are played: over and over or on, how fast, heard or not; the same for one video after the other."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from explorer.gui.player_bar import PlayerBar

if TYPE_CHECKING:  # QtMultimedia comes with the first video
    from explorer.gui.player import ShotPlayer

NO_SOUND_OUTPUT = "There is no sound output on this computer."


class PlayManner(QObject):
    """What a person set with the buttons, kept from video to video and given to the player.

    Signals:
        told(str): why something cannot be set so.

    Attributes:
        loops: a shot is played over and over; else on into the next.
    """

    told = Signal(str)

    def __init__(self, bar: PlayerBar) -> None:
        super().__init__(bar)
        self._bar = bar
        self._player: ShotPlayer | None = None
        self.loops = True
        self._loops_by_hand: bool | None = None
        self._muted = True
        self._rate = 1.0
        bar.loops_chosen.connect(self._choose_loops)
        bar.rate_chosen.connect(self._set_rate)
        bar.muted_chosen.connect(self._set_muted)

    def take_player(self, player: "ShotPlayer") -> None:
        """There is a player now."""
        self._player = player
        player.set_loops(self.loops)
        player.set_rate(self._rate)

    def begin(self, *, whole: bool) -> None:
        """Another shot is shown; a ``whole`` video plays on, unless a person said otherwise."""
        self._set_loops(not whole if self._loops_by_hand is None else self._loops_by_hand)

    def show_sound(self) -> None:
        """Say whether there is anything to hear, and whether it is heard."""
        has_sound = self._player is not None and self._player.is_open and self._player.has_sound
        self._bar.set_audible(has_sound=has_sound, muted=self._muted)

    def _set_loops(self, loops: bool) -> None:
        self.loops = loops
        self._bar.set_loops(loops)
        if self._player is not None:
            self._player.set_loops(loops)

    @Slot(bool)
    def _choose_loops(self, loops: bool) -> None:
        self._loops_by_hand = loops
        self._set_loops(loops)

    @Slot(float)
    def _set_rate(self, rate: float) -> None:
        self._rate = rate
        self._bar.set_rate(rate)
        if self._player is not None:
            self._player.set_rate(rate)

    @Slot(bool)
    def _set_muted(self, muted: bool) -> None:
        if self._player is None or not self._player.sound.set_muted(muted):
            muted = True
            self.told.emit(NO_SOUND_OUTPUT)
        self._muted = muted
        self.show_sound()
