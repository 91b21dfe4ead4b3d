"""How long work is asked to stop: a token it looks at between batches."""

import threading


class Cancelled(Exception):
    """Raised by :meth:`CancellationToken.check` once cancellation was asked for."""


class CancellationToken:
    """Shared between who asks for a stop and who works; thread-safe."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def cancel(self) -> None:
        """Ask the work to stop at its next check."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set()

    def check(self) -> None:
        """Raise :class:`Cancelled` if a stop was asked for."""
        if self._event.is_set():
            raise Cancelled
