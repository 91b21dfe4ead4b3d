"""How long work is asked to stop: a token it looks at between batches."""

import threading
from typing import Self


class Cancelled(Exception):
    """Raised by :meth:`CancellationToken.check` once cancellation was asked for."""


class CancellationToken:
    """Shared between who asks for a stop and who works; thread-safe."""

    def __init__(self, parent: Self | None = None) -> None:
        """``parent``: asking it for a stop asks this one, too, but not the other way round."""
        self._event = threading.Event()
        self._parent = parent

    def cancel(self) -> None:
        """Ask the work to stop at its next check."""
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Whether a stop was asked for."""
        return self._event.is_set() or (self._parent is not None and self._parent.cancelled)

    def check(self) -> None:
        """Raise :class:`Cancelled` if a stop was asked for."""
        if self.cancelled:
            raise Cancelled
