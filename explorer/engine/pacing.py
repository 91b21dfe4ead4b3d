"""How often progress is told."""

import time
from collections.abc import Iterator
from typing import TypeVar

_T = TypeVar("_T")

PROGRESS_INTERVAL_S = 0.1
"""Progress is told at most ten times a second: the window redraws for each."""


def paced(steps: Iterator[_T]) -> Iterator[_T]:
    """Let the last step through, and the others at most every ``PROGRESS_INTERVAL_S``."""
    told = 0.0
    held: list[_T] = []
    for step in steps:
        now = time.monotonic()
        if now - told >= PROGRESS_INTERVAL_S:
            told, held = now, []
            yield step
        else:
            held = [step]
    yield from held
