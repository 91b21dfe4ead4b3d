"""Requests under way: which have no final answer yet, and which of each kind still count."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from explorer.protocol import Answer, Progress, Request


class Kind(StrEnum):
    """What a request is for. Of each kind only the latest answer counts, except where each stands for itself."""

    HELLO = "hello"
    MODELS = "models"
    LIBRARY = "library"
    STATE = "state"
    MODEL = "model"
    INDEX = "index"
    REMOVE = "remove"
    RANKING = "ranking"
    DESCRIPTIONS = "descriptions"
    THUMBNAILS = "thumbnails"
    PICTURE = "picture"
    PICTURE_TO_COPY = "picture to copy"
    EXPLANATION = "explanation"
    ERRORS = "errors"


_EACH_COUNTS = frozenset({Kind.DESCRIPTIONS, Kind.THUMBNAILS, Kind.REMOVE})


@dataclass(slots=True, kw_only=True)
class Pending:
    """A request without a final answer; ``attempts`` counts the engines it was given to without any progress."""

    kind: Kind
    request: Request
    asked_at: float
    attempts: int = 0


class RequestLedger:
    """The requests that have no final answer yet, and the latest of each kind."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)
        self._pending: dict[int, Pending] = {}
        self._latest: dict[Kind, int] = {}

    def next_id(self) -> int:
        """A request id that was never used."""
        return next(self._ids)

    def add(self, kind: Kind, request: Request, asked_at: float) -> Pending:
        """Write down a request; it becomes the latest of its kind."""
        pending = Pending(kind=kind, request=request, asked_at=asked_at)
        self._pending[request.id] = pending
        self._latest[kind] = request.id
        return pending

    def settle(self, answer: Answer) -> Pending | None:
        """What the answer answers; ``None`` if that is unknown, settled, or no longer the latest of its kind."""
        pending = self._pending.get(answer.id)
        if pending is None:
            return None
        if isinstance(answer, Progress):
            pending.attempts = 0  # whatever ends the engine, it is not simply this request
        else:
            del self._pending[answer.id]
        return pending if self.counts(answer.id, pending.kind) else None

    def counts(self, request_id: int, kind: Kind) -> bool:
        """Whether an answer to this request would still be shown."""
        return kind in _EACH_COUNTS or self._latest.get(kind) == request_id

    def forget(self, kinds: Iterable[Kind]) -> list[int]:
        """Drop all requests of these kinds; answers that still come for them will not count."""
        gone = set(kinds)
        ids = [i for i, pending in self._pending.items() if pending.kind in gone]
        for request_id in ids:
            del self._pending[request_id]
        return ids

    def under_way(self, kind: Kind) -> bool:
        """Whether a request of this kind has no answer yet."""
        return any(pending.kind is kind for pending in self._pending.values())

    def owed(self) -> list[Pending]:
        """Everything without a final answer, oldest first."""
        return list(self._pending.values())
