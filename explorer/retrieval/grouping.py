"""The best segment of each item: a photo has one, a video as many as it has shots."""

import numpy as np

from explorer.segment_ids import item_of, segment_id

_FIRST_LATER = segment_id(0, 1)


def n_items_of(segment_ids: np.ndarray) -> int:
    """How many items there are among segment ids, int64 (n,) ascending, that hold the first segment of each item."""
    return int(np.searchsorted(segment_ids, _FIRST_LATER))


def best_segments(scores: np.ndarray, segment_ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each item the segment with the largest score, of equal ones the first.

    Ranked by score with ties by id, the result is the ranking of all segments without those behind the first of each
    item. Where every item has one segment, both arrays come back as they are.

    Parameters
    ----------
    scores
        (n,), larger is nearer.
    segment_ids
        int64 (n,), ascending, with the first segment of each item.

    Returns
    -------
    tuple of arrays
        scores (n_items,) and segment ids (n_items,), ids ascending.

    Raises
    ------
    ValueError
        a score is not a number.
    """
    n_items = n_items_of(segment_ids)
    if n_items == len(segment_ids):
        return scores, segment_ids
    if np.isnan(scores).any():
        raise ValueError(f"{np.isnan(scores).sum()} scores are not numbers")
    later = scores[n_items:]
    rows = np.searchsorted(segment_ids[:n_items], item_of(segment_ids[n_items:]))
    best = scores[:n_items].copy()
    np.maximum.at(best, rows, later)
    winners = np.arange(n_items)
    # Of equal scores the first stays: an item's first segment anyway, and of the others the last that is written.
    better = np.flatnonzero((later == best[rows]) & (later > scores[:n_items][rows]))[::-1]
    winners[rows[better]] = n_items + better
    winners.sort()  # as positions are ordered, so are ids; sorted ids are ranked twice as fast
    return scores[winners], segment_ids[winners]
