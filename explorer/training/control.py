"""What a trainer is told while it works, and how its work learns of it.

Work asks one thing, ``token.cancelled``, between its batches. A paused run waits within that question, so every place
where work can be stopped is one where it can be paused.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from explorer.cancellation import CancellationToken, Cancelled
from explorer.protocol.runs import (
    AnyRunOrder,
    KeepBest,
    Noted,
    Paused,
    PauseRun,
    Resumed,
    ResumeRun,
    RunEvent,
    StopRun,
)

_NOTHING_YET = "There is no finished epoch yet that a package could be made of; the run goes on."


class RunToken(CancellationToken):
    """The token of a run: it also pauses, and knows whether the best epoch is wanted now.

    Made by the thread that works; orders come from another one.

    Attributes:
        can_keep: whether there is a best epoch to end with; set by the phase at work.
        nothing_to_keep: what is said to whoever asks for it where there is none.
        before_rest: called before the run rests, for whatever has to be kept first; what it returns is said.
        rested_s: how long the run was paused so far, in seconds.
        stopped_at: when a stop was asked for, by the monotonic clock; None before.
        stop_worker: what an order to stop does.
        can_leave: whether a signal may raise its stop at all; not where other ranks wait for this one.
    """

    def __init__(self, say: Callable[[RunEvent], None], *, within: CancellationToken | None = None) -> None:
        """``say``: takes what the run has to say of its pauses; ``within``: asking it for a stop asks this one, too."""
        super().__init__()
        self._say = say
        self._within = within
        self._worker = threading.get_ident()
        self._going = threading.Event()
        self._going.set()
        self._keep = threading.Event()
        self._n_held = 0
        self.can_keep = False
        self.nothing_to_keep = _NOTHING_YET
        self.before_rest: Callable[[], RunEvent | None] = lambda: None
        self.rested_s = 0.0
        self.stopped_at: float | None = None
        self.stop_worker: Callable[[], None] = self.cancel
        self.can_leave = True

    def take(self, order: AnyRunOrder) -> None:
        """Do as told; returns at once."""
        match order:
            case PauseRun():
                if not self._stopped:
                    self._going.clear()
            case ResumeRun():
                self._going.set()
            case StopRun():
                self.stopped_at = self.stopped_at or time.monotonic()
                self.stop_worker()
                self._going.set()
            case KeepBest():
                self.keep()

    def cancel(self) -> None:
        """Ask the work to stop at its next check, paused or not."""
        self.stopped_at = self.stopped_at or time.monotonic()
        super().cancel()
        self._going.set()

    def keep(self) -> None:
        """End with the best epoch so far; where there is none this is said, and nothing changes."""
        if self.can_keep:
            self._keep.set()
            self._going.set()
        else:
            self._say(Noted(text=self.nothing_to_keep))

    @property
    def wants_best(self) -> bool:
        """Whether the run is to end with its best epoch."""
        return self.can_keep and self._keep.is_set()

    @property
    def cancelled(self) -> bool:
        """Whether a stop was asked for; waits while the run is paused."""
        if threading.get_ident() == self._worker and not self._going.is_set():
            self._rest()
        return self._stopped

    def interrupt(self) -> None:
        """Ask for a stop, and raise it here unless something is held; for a signal that came to the working thread.

        Raises
        ------
        Cancelled
            the work can be left where it is.
        """
        first = not self._stopped
        self.cancel()
        if first and self.can_leave and not self.is_held:
            raise Cancelled

    @property
    def is_held(self) -> bool:
        """Whether the work cannot be left where it is."""
        return self._n_held > 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Something is done that has to be done whole: a step, a checkpoint, an event of the journal."""
        if threading.get_ident() != self._worker:
            yield  # signals come to the working thread only
            return
        self._n_held += 1
        try:
            yield
        finally:
            self._n_held -= 1

    def _rest(self) -> None:
        with self.held():
            kept = self.before_rest()
            if kept is not None:
                self._say(kept)
            self._say(Paused())
        began = time.monotonic()
        self._going.wait()
        self.rested_s += time.monotonic() - began
        if not self._stopped:
            with self.held():
                self._say(Resumed())

    @property
    def _stopped(self) -> bool:
        return super().cancelled or (self._within is not None and self._within.cancelled)


def run_token(token: CancellationToken) -> RunToken:
    """The token itself, or, for work that nobody pauses, one that only hears of its stop."""
    return token if isinstance(token, RunToken) else RunToken(lambda event: None, within=token)
