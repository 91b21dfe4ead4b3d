"""One run as the window knows it: what its journal says, whether it lives, and what was asked of it."""

import time
from dataclasses import dataclass, field
from enum import Enum

from explorer.gui.training.watcher import News
from explorer.protocol.runs import Noted
from explorer.runs.folder import RunDescription
from explorer.runs.state import RunState, RunStatus


class Doing(Enum):
    """What was asked of a run and has not happened yet; the value is what is said of it."""

    STARTING = "Starting…"
    PAUSING = "Pausing…"
    RESUMING = "Going on…"
    STOPPING = "Stopping…"
    KEEPING = "Stopping, and keeping the best epoch…"
    DISCARDING = "Discarding…"


ENDING = frozenset({Doing.STOPPING, Doing.KEEPING, Doing.DISCARDING})
"""After which nothing else can be asked of it."""


@dataclass(slots=True)
class FollowedRun:
    """What is known of one run.

    Attributes:
        problem: why it cannot be read, a sentence; empty where it can.
        alive: a process holds it, as far as the watcher knows.
        since_s: when ``doing`` was asked for, on the monotonic clock.
        started_pid: of the trainer that was started from here; 0: none was, or it is not known yet.
        ended: its trainer did not stop by itself and was ended from here.
    """

    description: RunDescription | None = None
    problem: str = ""
    state: RunState = field(default_factory=RunState)
    alive: bool = False
    doing: Doing | None = None
    since_s: float = 0.0
    started_pid: int = 0
    ended: bool = False

    @property
    def lives(self) -> bool:
        """Something is under way, or about to be."""
        return self.doing is Doing.STARTING or (self.alive and self.state.live)

    @property
    def waited_ms(self) -> float:
        """How long it has been since ``doing`` was asked for."""
        return 1000.0 * (time.monotonic() - self.since_s)

    def ask(self, doing: Doing | None) -> None:
        """Remember what is asked of it now; None: nothing is any more."""
        self.doing, self.since_s = doing, time.monotonic()

    def take(self, new: News) -> bool:
        """Take in what is new; whether it finished just now."""
        was_alive, self.alive = self.alive, new.alive
        if new.state is not None:
            self.state = new.state
        for event in new.events:
            self.state.take(event)
        if self._has_happened(new, was_alive=was_alive):
            self.doing = None
        # A run that was over before it was first read is no news, but one that was begun from here is.
        news = new.n_events > 0 and (new.state is None or self.started_pid > 0)
        return news and self.state.status is RunStatus.FINISHED

    def _has_happened(self, new: News, *, was_alive: bool) -> bool:
        """Whether what was asked of it has happened, or cannot any more."""
        status = self.state.status
        match self.doing:
            case Doing.STARTING:
                return new.n_events > 0 or (was_alive and not self.alive)
            case Doing.PAUSING:
                return status is RunStatus.PAUSED or not self.state.live
            case Doing.RESUMING:
                return status is not RunStatus.PAUSED
            case Doing.KEEPING:  # a trainer that has nothing to keep says so, and goes on
                return not self.state.live or any(isinstance(event, Noted) for event in new.events)
            case Doing.STOPPING:
                return not self.state.live
            case _:
                return False
