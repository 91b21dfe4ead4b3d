"""The nearest codes seen so far, and the distance that the next one has to beat."""

import numpy as np

_MERGE_FACTOR = 4


class Nearest:
    """The ``n_kept`` nearest items of one query among all that were shown so far.

    Attributes:
        limit: distance of the last place: what is further away cannot be among the nearest any more, and what is as
            far only by a smaller id. None while there is no last place.
    """

    def __init__(self, n_kept: int) -> None:
        self.limit: int | None = None
        self._n_kept = n_kept
        self._last_id = 0  # of the last place, once there is one
        self._largest_id: int | None = None
        self._parts: list[tuple[np.ndarray, np.ndarray]] = []  # distances and ids, (m,) each
        self._n_waiting = 0

    def comes_after(self, item_id: int) -> bool:
        """Whether this id is larger than all that are kept: it then loses every tie."""
        self._merge()
        return self._largest_id is None or item_id > self._largest_id

    def add(self, distances: np.ndarray, item_ids: np.ndarray) -> None:
        """Show items (m,) that do not lie beyond the limit; the arrays are kept, so they must be nobody's scratch."""
        if not len(distances):
            return
        self._parts.append((distances, item_ids))
        self._n_waiting += len(distances)
        if self._n_waiting >= _MERGE_FACTOR * self._n_kept:
            self._merge()

    def add_any(self, distances: np.ndarray, item_ids: np.ndarray) -> None:
        """Show any items (m,); the arrays are kept."""
        if self.limit is not None:
            wins = (distances < self.limit) | ((distances == self.limit) & (item_ids < self._last_id))
            distances, item_ids = distances[wins], item_ids[wins]
        self.add(distances, item_ids)

    def ranked(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances and ids of what is nearest, nearest first, ties by id."""
        self._merge()
        return self._parts[0] if self._parts else (np.empty(0, np.uint8), np.empty(0, np.int64))

    def _merge(self) -> None:
        if not self._n_waiting:
            return
        distances, item_ids = (np.concatenate(column) for column in zip(*self._parts, strict=True))
        if len(distances) > self._n_kept:
            # Distances are few different numbers: counting them is faster than partitioning.
            last = int(np.searchsorted(np.cumsum(np.bincount(distances)), self._n_kept))
            near = np.flatnonzero(distances <= last)
            distances, item_ids = distances[near], item_ids[near]
        order = _order(distances, item_ids)[: self._n_kept]
        distances, item_ids = distances[order], item_ids[order]
        self._parts, self._n_waiting = [(distances, item_ids)], 0
        self._largest_id = int(item_ids.max())
        if len(distances) == self._n_kept:
            self.limit, self._last_id = int(distances[-1]), int(item_ids[-1])


def is_ascending(item_ids: np.ndarray) -> bool:
    """Whether each id is larger than the one before."""
    return bool((item_ids[1:] > item_ids[:-1]).all())


def _order(distances: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
    # Distances of one or two bytes are sorted by radix, which is ten times faster than by two keys.
    if is_ascending(item_ids):
        return np.argsort(distances, kind="stable")
    return np.lexsort((item_ids, distances))
