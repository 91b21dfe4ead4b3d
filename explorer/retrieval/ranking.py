"""Rankings: best first, a larger score is nearer, ties in the order of item ids."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Hit:
    """One place in a ranking.

    Attributes:
        item_id: the library's id.
        score: larger is nearer.
        rank: from 1.
    """

    item_id: int
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """The best items of each query, best first.

    Attributes:
        item_ids: int64 (q, k).
        scores: float32 (q, k), falling along each row.
    """

    item_ids: np.ndarray
    scores: np.ndarray

    def __post_init__(self) -> None:
        if self.item_ids.shape != self.scores.shape or self.item_ids.ndim != 2:
            raise ValueError(
                f"item ids and scores must both be (q, k), got {self.item_ids.shape} and {self.scores.shape}"
            )

    def __len__(self) -> int:
        return int(self.item_ids.shape[0])

    def hits(self, query: int = 0) -> tuple[Hit, ...]:
        """The ranking of one query as hits."""
        pairs = zip(self.item_ids[query].tolist(), self.scores[query].tolist(), strict=True)
        return tuple(Hit(item_id, score, rank) for rank, (item_id, score) in enumerate(pairs, start=1))


def rank_scores(scores: np.ndarray, item_ids: np.ndarray, k: int = 0) -> Ranking:
    """Rank items by score; equal scores keep the order of their ids.

    Parameters
    ----------
    scores
        (n,) for one query or (q, n); larger is nearer.
    item_ids
        int64 (n,), each once.
    k
        how many to keep; 0, or more than there are, ranks everything.

    Raises
    ------
    ValueError
        shapes do not fit, a score is not a number, or k is negative.
    """
    rows = np.atleast_2d(np.asarray(scores, dtype=np.float32))
    ids = np.asarray(item_ids, dtype=np.int64)
    if rows.ndim != 2 or ids.ndim != 1 or rows.shape[1] != len(ids):
        raise ValueError(f"expected scores (n,) or (q, n) for {ids.shape} item ids, got {np.shape(scores)}")
    n_kept = kept_of(k, len(ids))
    picked = [best_of(row, ids, n_kept) for row in rows]
    if not picked:
        return Ranking(np.empty((0, n_kept), np.int64), np.empty((0, n_kept), np.float32))
    order = np.stack(picked)
    return Ranking(ids[order], np.take_along_axis(rows, order, axis=1))


def kept_of(k: int, n_items: int) -> int:
    """How many of n items a ranking of k holds: all for 0."""
    if k < 0:
        raise ValueError(f"k must not be negative, got {k}")
    return n_items if k == 0 else min(k, n_items)


def best_of(scores: np.ndarray, item_ids: np.ndarray, n_kept: int) -> np.ndarray:
    """Positions of the best ``n_kept`` of the scores (n,), best first, ties by item id."""
    if np.isnan(scores).any():
        bad = item_ids[np.isnan(scores)]
        raise ValueError(f"{len(bad)} scores are not numbers, the first is that of item {bad[0]}")
    if n_kept == 0:
        return np.empty(0, np.int64)
    if n_kept == len(scores):
        return _sorted_positions(scores, item_ids)
    # Everything at the last place's score is a candidate: which of the ties stay is for the ids to say, and a
    # partition alone would keep any of them.
    last = np.partition(scores, len(scores) - n_kept)[len(scores) - n_kept]
    candidates: np.ndarray = np.flatnonzero(scores >= last)
    best: np.ndarray = candidates[_sorted_positions(scores[candidates], item_ids[candidates])]
    return best[:n_kept]


def _sorted_positions(scores: np.ndarray, item_ids: np.ndarray) -> np.ndarray:
    if bool((item_ids[1:] > item_ids[:-1]).all()):
        return np.argsort(-scores, kind="stable")
    return np.lexsort((item_ids, -scores))
