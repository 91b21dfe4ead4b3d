"""The shots of a video as the timeline knows them: when each is, and how well it fits."""

from dataclasses import dataclass

import numpy as np

from explorer.gui.phrases import clock
from explorer.protocol import ItemDescription, Shots
from explorer.segment_ids import position_of

_FAINTEST = 0.12
_NEVER_OVER_S = 1e-3


def fine_clock(seconds: float) -> str:
    """A place in a video to a tenth of a second: ``0:12.3``."""
    tenths = int(max(0.0, seconds) * 10 + 1e-6)
    return f"{clock(tenths / 10 + 1e-6)}.{tenths % 10}"


@dataclass(frozen=True, slots=True, eq=False)
class ShotTimes:
    """When the shots of a video are.

    Attributes:
        starts_s, ends_s: float64 (n,), seconds within the video, ascending.
        scores: float32 (n,), larger is nearer; empty where nothing is searched for.
        duration_s: of the whole video, never before the end of the last shot.
        first: position of the first of these shots; the others follow it.
    """

    starts_s: np.ndarray
    ends_s: np.ndarray
    scores: np.ndarray
    duration_s: float
    first: int = 0

    def __len__(self) -> int:
        return int(self.starts_s.size)

    def at(self, time_s: float) -> int:
        """Position of the shot that is seen at this time; between two shots the one before."""
        row = int(np.searchsorted(self.starts_s, time_s, side="right")) - 1
        return self.first + min(len(self) - 1, max(0, row))

    def span(self, position: int) -> tuple[float, float]:
        """Start and end of the shot at this position, in seconds."""
        row = min(len(self) - 1, max(0, position - self.first))
        return float(self.starts_s[row]), float(self.ends_s[row])

    def score(self, position: int) -> float | None:
        """How well that shot fits, if that is known."""
        row = position - self.first
        return float(self.scores[row]) if 0 <= row < self.scores.size and np.isfinite(self.scores[row]) else None

    def strengths(self) -> np.ndarray:
        """How high each shot's bar is, float32 (n,) in [0, 1]: from the worst of this video to its best."""
        if not self.scores.size:
            return np.full(len(self), 0.0, np.float32)
        finite = self.scores[np.isfinite(self.scores)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        scores = np.nan_to_num(self.scores, nan=low, posinf=high, neginf=low)
        part = (scores - low) / (high - low) if high > low else np.ones_like(scores)
        return np.asarray(_FAINTEST + (1 - _FAINTEST) * part, np.float32)

    def within(self, start_s: float, end_s: float) -> range:
        """Positions of the shots that are seen between two times."""
        begin = int(np.searchsorted(self.ends_s, start_s, side="right"))
        end = int(np.searchsorted(self.starts_s, end_s, side="left"))
        return range(self.first + min(begin, len(self) - 1), self.first + max(end, min(begin, len(self) - 1) + 1))

    def best_within(self, start_s: float, end_s: float) -> int:
        """Position of the best of those shots; of equals, and without scores, the first."""
        seen = self.within(start_s, end_s)
        if not self.scores.size:
            return seen.start
        scores = np.nan_to_num(self.scores[seen.start - self.first : seen.stop - self.first], nan=-np.inf)
        return seen.start + int(np.argmax(scores))


def times_from_message(shots: Shots, duration_s: float) -> ShotTimes | None:
    """The shots of a message; ``None`` if it has none that make sense."""
    starts = np.frombuffer(shots.starts_s, "<f4").astype(np.float64)
    ends = np.frombuffer(shots.ends_s, "<f4").astype(np.float64)
    scores = np.frombuffer(shots.scores, "<f4").astype(np.float32)
    if not starts.size or starts.size != ends.size or not (np.isfinite(starts).all() and np.isfinite(ends).all()):
        return None
    starts = np.maximum.accumulate(np.maximum(starts, 0.0))
    ends = np.maximum.accumulate(np.maximum(ends, starts + _NEVER_OVER_S))
    scores = scores if scores.size == starts.size else scores[:0]
    return ShotTimes(starts, ends, scores, max(duration_s, float(ends[-1])))


def times_of_item(item: ItemDescription) -> ShotTimes:
    """What is known of a shot before the others are: itself, somewhere in its video."""
    start = max(0.0, item.start_s)
    end = item.end_s if item.end_s > start else max(item.duration_s, start + _NEVER_OVER_S)
    return ShotTimes(
        np.array([start]), np.array([end]), np.zeros(0, np.float32), max(item.duration_s, end),
        position_of(item.item_id),
    )
