"""Now and then a look at the library while it is indexed, so that counts and the unsearched grid grow."""

import time

from explorer.engine.requests import Kind
from explorer.session import Session

_EVERY_S = 2.0


class Glances:
    """Knows when it looked last."""

    def __init__(self) -> None:
        self._last_s = 0.0

    def look(self, session: Session) -> None:
        """Ask for the library's state, if it changes and the last answer has come and is old enough."""
        now = time.monotonic()
        if session.indexing is None or session.indexing.stopping or session.indexing.progress is None:
            self._last_s = now
        elif now - self._last_s > _EVERY_S and not session.line.under_way(Kind.STATE):
            self._last_s = now
            session.line.look_at_library()
