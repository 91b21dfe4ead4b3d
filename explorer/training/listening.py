"""How a trainer's process hears what it is told while it works: orders in the run's folder, and signals."""

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from explorer.errors import UserFacingError
from explorer.runs.layout import RunFolder
from explorer.runs.orders import OrderReader
from explorer.training.control import RunToken

_LOOK_EVERY_S = 0.05
_LONGEST_WAY_OUT_S = 1.8
_LONGEST_HELD_S = 15.0


@contextmanager
def listening(
    run: RunFolder, token: RunToken, *, from_start: bool, give_up: Callable[[], None] | None = None
) -> Iterator[None]:
    """Within it the token is told what the run's orders say.

    from_start: orders that were given before are for this process, too.
    give_up: ends the process; called where a stop was asked for and the work does not come to an end. All that is on
    disk is whole at any moment, so that loses no more than the steps since the last checkpoint.
    """
    orders = OrderReader(run, from_start=from_start)
    over = threading.Event()

    def listen() -> None:
        while not over.wait(_LOOK_EVERY_S):
            for order in orders.read():
                with contextlib.suppress(UserFacingError):  # a full disk is said by the work itself
                    token.take(order)
            if give_up is not None and _is_stuck(token):
                give_up()

    thread = threading.Thread(target=listen, name="orders", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _is_stuck(token: RunToken) -> bool:
    if token.stopped_at is None:
        return False
    # What is held ends in a checkpoint: that is worth some seconds more.
    return time.monotonic() - token.stopped_at > (_LONGEST_HELD_S if token.is_held else _LONGEST_WAY_OUT_S)


@contextmanager
def heard_signals(token: RunToken) -> Iterator[None]:
    """Within it Ctrl-C and SIGTERM, and an order to stop, end the work where it can be left; Ctrl-C twice at once.

    For the main thread only, as all that concerns signals.
    """

    def on_signal(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.stderr.write("Stopping... (Ctrl-C again stops at once)\n")
        token.interrupt()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    token.stop_worker = _raise_in(threading.get_ident())
    try:
        yield
    finally:
        token.stop_worker = token.cancel
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Leave it to rank 0 when the work ends: Ctrl-C reaches all ranks, but only one of them decides."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _raise_in(thread: int) -> Callable[[], None]:
    """Let the working thread handle SIGTERM, waking it where it waits for something."""
    if sys.platform == "win32":
        return lambda: signal.raise_signal(signal.SIGTERM)
    return lambda: signal.pthread_kill(thread, signal.SIGTERM)
