"""Metrics of a ranking in which a query has several right answers: mAP@R, R-Precision, R@1 (papers.md 4.3).

With R right answers to a query, its AP@R is the sum over the first R places of the precision there where the place is
right, divided by R (Musgrave et al. 2020; Chun et al. 2022). It is not the mAP of hashing: what stands behind place R
counts nothing.
"""

from dataclasses import dataclass

import numpy as np

from explorer.evaluation.image_text import Ties


@dataclass(frozen=True, slots=True)
class TopR:
    """One query's first R places, R being the number of its right answers.

    Attributes:
        right: chance that the place holds a right answer, float64 (R,); 0 or 1 where nothing is tied.
        gain: expectation of precision at the place, counted only if the place is right, float64 (R,).
    """

    right: np.ndarray
    gain: np.ndarray

    @property
    def average_precision(self) -> float:
        """AP@R, in [0, 1]."""
        return float(self.gain.mean())

    @property
    def r_precision(self) -> float:
        """Share of right answers among the first R, in [0, 1]."""
        return float(self.right.mean())

    @property
    def hit(self) -> float:
        """Is the first place right?"""
        return float(self.right[0])


def top_r_of_ranking(relevant: np.ndarray, *, n_right: int | None = None) -> TopR:
    """From the relevance of every rank of a full ranking, bool (n,).

    Parameters
    ----------
    relevant
        whether each rank, best first, holds a right answer.
    n_right
        R, where the query has more right answers than the gallery holds: the others count as never found.

    Raises
    ------
    ValueError
        the query has no right answer.
    """
    n_places = _places(relevant, n_right)
    right = relevant[:n_places].astype(np.float64)
    return _padded(right, right * np.cumsum(right) / np.arange(1, len(right) + 1), n_places)


def top_r_of_scores(
    scores: np.ndarray, relevant: np.ndarray, *, n_right: int | None = None, ties: Ties = "pessimistic"
) -> TopR:
    """From the scores of the whole gallery (n,), larger is nearer, and its relevance, bool (n,).

    Parameters
    ----------
    scores
        of every item.
    relevant
        which of them answer the query.
    n_right
        R, where the query has more right answers than the gallery holds: the others count as never found.
    ties
        pessimistic: among equal scores what is wrong stands first; mean: the expectation over all orders of equal
        scores, in closed form (papers.md 4.2, AP_tie, cut at place R).

    Raises
    ------
    ValueError
        the query has no right answer.
    """
    n_places = _places(relevant, n_right)
    # Only what can stand within the first R: everything that reaches the R-th largest score.
    nth = max(len(scores) - n_places, 0)
    candidates = np.flatnonzero(scores >= np.partition(scores, nth)[nth])
    order = candidates[np.lexsort((relevant[candidates], -scores[candidates]))]
    if ties == "pessimistic":
        return top_r_of_ranking(relevant[order], n_right=n_places)
    return _expected(scores[order], relevant[order], n_places)


def _places(relevant: np.ndarray, n_right: int | None) -> int:
    n_places = int(np.count_nonzero(relevant)) if n_right is None else n_right
    if not n_places:
        raise ValueError("a query without a relevant item has no precision at R")
    return n_places


def _padded(right: np.ndarray, gain: np.ndarray, n_places: int) -> TopR:
    """Places that the gallery is too small for hold nothing."""
    missing = n_places - len(right[:n_places])
    return TopR(*(np.pad(values[:n_places], (0, missing)) for values in (right, gain)))


def _expected(scores: np.ndarray, relevant: np.ndarray, n_places: int) -> TopR:
    """Expectation over all orders of equal scores; ``scores`` (c,) fall, groups of equal ones are whole."""
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]])
    group = np.cumsum(np.r_[True, scores[1:] != scores[:-1]]) - 1
    sizes = np.diff(np.r_[starts, len(scores)])
    n_right = np.add.reduceat(relevant.astype(np.int64), starts)
    n_right_before = np.cumsum(n_right) - n_right
    place = np.arange(len(scores))
    # papers.md 4.2: (n+/n) (P + 1 + (t - N - 1) (n+ - 1) / (n - 1)) / t, the inner fraction being 0 for n = 1.
    right = (n_right / sizes)[group]
    others = ((n_right - 1) / np.maximum(sizes - 1, 1))[group] * (place - starts[group])
    gain = right * (n_right_before[group] + 1 + others) / (place + 1)
    return _padded(right, gain, n_places)
