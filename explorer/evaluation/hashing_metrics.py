"""How good a ranking by Hamming distance is: pure functions of distances and relevance (papers.md 4.2).

Ties are the rule here: thousands of items share a handful of distances. A value that depends on the order within ties
moves between machines; the tie-aware ones are expectations over all orders within ties.
"""

import numpy as np


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
    return np.asarray(np.divide(weighted, total, out=np.full(n_queries, np.nan), where=total > 0))
