"""A number over steps, kept so that any run's curve is cheap to draw."""

import numpy as np

MOST_POINTS = 4_000
"""More than a picture has columns; a longer series is thinned to between half of this and this."""


class Series:
    """Points in the order of their steps, appended at the end.

    A series that reaches :data:`MOST_POINTS` points drops every second one, and from then on takes every second of
    those that come, then every fourth, and so on. The newest point is always there. Arrays that were handed out keep
    their length, so that another thread may draw them while the series grows.
    """

    def __init__(self) -> None:
        self._steps = np.empty(64, np.int64)
        self._values = np.empty(64, np.float64)
        self._n = 0
        self._stride = 1
        self._newest = -1  # how many points came before it; those at multiples of the stride stay

    def __len__(self) -> int:
        return self._n

    @property
    def steps(self) -> np.ndarray:
        """Steps, rising, int64 of shape (n,); a view, not to be written to."""
        return self._steps[: self._n]

    @property
    def values(self) -> np.ndarray:
        """Values, float64 of shape (n,); a view, not to be written to."""
        return self._values[: self._n]

    @property
    def last(self) -> float | None:
        """The newest value."""
        return float(self._values[self._n - 1]) if self._n else None

    def append(self, step: int, value: float) -> None:
        """Add a point; points at this step or later are replaced by it, because these steps were done again."""
        if self._n and step <= self._steps[self._n - 1]:
            self.drop_after(step - 1)
        if self._n and self._newest % self._stride:
            self._n -= 1  # it was there for being the newest only
        if self._n == len(self._steps):
            self._make_room()
        self._steps[self._n], self._values[self._n] = step, value
        self._n += 1
        self._newest += 1
        if self._n >= MOST_POINTS:
            self._thin()

    def drop_after(self, step: int) -> None:
        """Forget the points later than this step."""
        n = int(np.searchsorted(self._steps[: self._n], step, side="right"))
        if n < self._n:
            # Copies, for whoever draws the present ones.
            self._steps, self._values = self._steps.copy(), self._values.copy()
            self._n, self._newest = n, (n - 1) * self._stride if n else -1

    def _make_room(self) -> None:
        room = np.empty(len(self._steps), np.int64), np.empty(len(self._values), np.float64)
        self._steps = np.concatenate([self._steps, room[0]])
        self._values = np.concatenate([self._values, room[1]])

    def _thin(self) -> None:
        self._stride *= 2
        kept = list(range(0, self._n, 2))
        if self._newest % self._stride:
            kept.append(self._n - 1)
        self._steps, self._values = self._steps[kept], self._values[kept]
        self._n = len(kept)


def smoothed(values: np.ndarray, span: float) -> np.ndarray:
    """Exponential moving average, corrected for its start, float64 (n,).

    Parameters
    ----------
    values
        (n,). What is not finite is passed over: the average stands still there.
    span
        in points; each one weighs ``2 / (span + 1)``. 1 changes nothing.
    """
    keep = 1.0 - 2.0 / (max(span, 1.0) + 1.0)
    total = weight = 0.0
    averages = []
    for value in values.tolist():
        if -np.inf < value < np.inf:
            total = keep * total + (1.0 - keep) * value
            weight = keep * weight + (1.0 - keep)
        averages.append(total / weight if weight else value)
    return np.asarray(averages, np.float64)
