"""How good a ranking by Hamming distance is: pure functions of distances and relevance (papers.md 4.2).

Ties are the rule here: thousands of items share a handful of distances. A value that depends on the order within ties
moves between machines; so ties either stand in the order of the items, or the value is the expectation over all orders
within ties (tie-aware).

Where a query has no relevant item, its value is not a number; :func:`mean_over_answerable` leaves such queries out,
:func:`mean_over_all` counts them as 0, as DCMH and WangGodder's code do.
"""

from typing import Literal

import numpy as np

Normaliser = Literal["found", "possible"]
"""What AP@k is divided by: the relevant items among the first k (DCMH-Matlab, DeepHash-pytorch), or as many as there
could be, min(k, R). With the first, AP@k can fall when more relevant items are found."""


def ranked_relevance(distances: np.ndarray, relevant: np.ndarray) -> np.ndarray:
    """Relevance of the items from the nearest to the farthest, ties in the order of the items.

    Parameters
    ----------
    distances
        whole numbers (q, n).
    relevant
        bool (q, n).

    Returns
    -------
    np.ndarray
        bool (q, n).
    """
    order = np.argsort(distances, axis=1, kind="stable")
    return np.asarray(np.take_along_axis(relevant, order, axis=1))


def average_precision(ranked: np.ndarray) -> np.ndarray:
    """Mean over the relevant items of the precision at each one's place: AP over all positions (AP@all).

    Parameters
    ----------
    ranked
        relevance of the whole gallery, nearest first, bool (q, n).

    Returns
    -------
    np.ndarray
        float64 (q,); not a number for a query without a relevant item.
    """
    return average_precision_at(ranked, ranked.shape[1], "possible")


def average_precision_at(ranked: np.ndarray, k: int, normaliser: Normaliser) -> np.ndarray:
    """AP of the first k places.

    Parameters
    ----------
    ranked
        relevance of the whole gallery, nearest first, bool (q, n).
    k
        places that count, from 1; a gallery may be smaller.
    normaliser
        what the sum of precisions is divided by.

    Returns
    -------
    np.ndarray
        float64 (q,); 0 where nothing relevant is among the first k, not a number where there is nothing relevant.
    """
    n_queries = len(ranked)
    n_relevant = np.count_nonzero(ranked, axis=1)
    queries, places = np.nonzero(ranked[:, :k])
    n_found = np.bincount(queries, minlength=n_queries)
    nth = np.arange(len(queries)) - (np.cumsum(n_found) - n_found)[queries]
    sums = np.bincount(queries, weights=(nth + 1) / (places + 1), minlength=n_queries)
    divisor = np.maximum(n_found if normaliser == "found" else np.minimum(n_relevant, k), 1)
    return np.where(n_relevant > 0, sums / divisor, np.nan)


def precision_at(ranked: np.ndarray, n: int) -> np.ndarray:
    """Share of relevant items among the first n places; places that a smaller gallery lacks count as wrong.

    Parameters
    ----------
    ranked
        relevance of the whole gallery, nearest first, bool (q, n items).
    n
        from 1.

    Returns
    -------
    np.ndarray
        float64 (q,); not a number for a query without a relevant item.
    """
    return np.where(ranked.any(axis=1), np.count_nonzero(ranked[:, :n], axis=1) / n, np.nan)


def mean_over_answerable(values: np.ndarray) -> float:
    """Mean over the queries that have a relevant item; not a number where none has."""
    answerable = values[~np.isnan(values)]
    return float(answerable.mean()) if len(answerable) else float("nan")


def mean_over_all(values: np.ndarray) -> float:
    """Mean in which a query without a relevant item counts as 0 (DCMH, WangGodder's code)."""
    return float(np.nan_to_num(values).mean())


def tie_aware_average_precision(distances: np.ndarray, relevant: np.ndarray, n_bits: int) -> np.ndarray:
    """Average precision over all positions, as the mean over all orders of items at equal distance.

    Papers.md 4.2, its inner sum in closed form (harmonic numbers); McSherry and Najork 2008.

    Parameters
    ----------
    distances
        whole numbers (q, n) from 0 to ``n_bits``.
    relevant
        bool (q, n).
    n_bits
        the greatest possible distance.

    Returns
    -------
    np.ndarray
        float64 (q,); not a number for a query without a relevant item.
    """
    n_queries, n_items = distances.shape
    cells = distances + (np.arange(n_queries) * (n_bits + 1))[:, None]
    shape = (n_queries, n_bits + 1)
    n_all = np.bincount(cells.ravel(), minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    n_relevant = np.bincount(cells[relevant], minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    before = np.cumsum(n_all, axis=1) - n_all
    found = np.cumsum(n_relevant, axis=1) - n_relevant
    harmonic = np.concatenate([[0.0], np.cumsum(1.0 / np.arange(1, n_items + 1))])
    share = (n_relevant - 1.0) / np.maximum(n_all - 1.0, 1.0)
    reciprocals = harmonic[(before + n_all).astype(np.int64)] - harmonic[before.astype(np.int64)]
    # Sum over positions t of (found + 1 + (t - before - 1) * share) / t.
    sums = (found + 1.0 - (before + 1.0) * share) * reciprocals + share * n_all
    total = n_relevant.sum(axis=1)
    weighted = np.where(n_relevant > 0, n_relevant / np.maximum(n_all, 1.0) * sums, 0.0).sum(axis=1)
    means = np.divide(weighted, total, out=np.full(n_queries, np.nan), where=total > 0)
    return np.asarray(np.minimum(means, 1.0))  # rounding may lead a little beyond


def count_by_radius(distances: np.ndarray, relevant: np.ndarray, n_bits: int) -> np.ndarray:
    """How much lies within each radius, summed over queries; counts of several blocks of queries can be added.

    Parameters
    ----------
    distances
        whole numbers (q, n); items beyond ``n_bits`` are in no radius.
    relevant
        bool (q, n).
    n_bits
        the largest radius.

    Returns
    -------
    np.ndarray
        int64 (2, n_bits + 1): items within radius 0, 1, ..., and the relevant ones among them.
    """
    counts = [np.bincount(some.ravel(), minlength=n_bits + 1) for some in (distances, distances[relevant])]
    return np.cumsum([each[: n_bits + 1] for each in counts], axis=1)


def precision_and_recall_by_radius(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall of everything within each radius, over the pairs of all queries (papers.md 4.2).

    Recall is the share of all relevant pairs that lie within the radius, so it never exceeds 1 and ends at 1.

    Parameters
    ----------
    counts
        int64 (2, n_bits + 1) of :func:`count_by_radius`.

    Returns
    -------
    tuple[np.ndarray, np.ndarray]
        float64 (n_bits + 1,) each; precision is not a number where nothing lies within the radius, recall where
        nothing is relevant.
    """
    n_within, n_relevant = counts.astype(np.float64)
    precision, recall = (
        np.divide(n_relevant, of, out=np.full(len(of), np.nan), where=of > 0)
        for of in (n_within, np.full(len(n_within), n_relevant[-1]))
    )
    return precision, recall
