"""Work that tells by calling back how far it is, as a generator; and which is left at once when a stop is asked for."""

import queue
import threading
from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from explorer.cancellation import CancellationToken, Cancelled

T = TypeVar("T")

OnProgress = Callable[[str, int, int], None]
"""Hears what is being done, how far it is, and how much there is."""

_LOOK_EVERY_S = 0.05
_GRACE_S = 1.0
"""So long work may take to see that it is to stop; then it is left alone, and ends by itself at its next look."""


class _Outcome(Generic[T]):
    def __init__(self) -> None:
        self.value: T | None = None
        self.error: BaseException | None = None


def told(work: Callable[[OnProgress], T], token: CancellationToken) -> Generator[tuple[str, int, int], None, T]:
    """Do the work in a thread of its own; yields what it tells and returns what it returns.

    Raises
    ------
    Cancelled
        a stop was asked for. Loading a network cannot be interrupted: such work may still be at it for some seconds,
        with nobody listening.
    """
    said: queue.SimpleQueue[tuple[str, int, int] | None] = queue.SimpleQueue()
    outcome: _Outcome[T] = _Outcome()

    def run() -> None:
        try:
            outcome.value = work(lambda what, n_done, n_total: said.put((what, n_done, n_total)))
        except BaseException as error:  # noqa: BLE001 - raised again where somebody listens
            outcome.error = error
        finally:
            said.put(None)

    thread = threading.Thread(target=run, name="told", daemon=True)
    thread.start()
    while not token.cancelled:
        try:
            step = said.get(timeout=_LOOK_EVERY_S)
        except queue.Empty:
            continue
        if step is None:
            break
        yield step
    thread.join(_GRACE_S if token.cancelled else None)
    if outcome.error is not None:
        raise outcome.error
    if thread.is_alive() or token.cancelled:
        raise Cancelled
    return outcome.value  # type: ignore[return-value]
