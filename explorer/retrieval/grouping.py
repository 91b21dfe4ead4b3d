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
        scores (n_items,) and segment ids (n_items,), in the order of items.
    """
    n_items = n_items_of(segment_ids)
    if n_items == len(segment_ids):
        return scores, segment_ids
    items = item_of(segment_ids[n_items:])
    rows = np.searchsorted(segment_ids[:n_items], items)
    # Only items with several segments are looked at: their later segments, after their first.
    several = np.unique(rows)
    places = np.concatenate([several, np.arange(n_items, len(segment_ids))])
    of_row = np.concatenate([several, rows])
    order = np.lexsort((places, -scores[places], of_row))
    starts = np.flatnonzero(np.diff(of_row[order], prepend=-1))
    best = np.arange(n_items)
    best[several] = places[order[starts]]
    return scores[best], segment_ids[best]
