"""Ids of what is ranked: a photo, or one shot of a video.

The library numbers its items (files) and, within an item, its segments by position from 0: a photo is one segment, a
video as many as it has shots. One int64 names both, so that rankings, thumbnails and explanations speak of a shot as
they speak of a photo: ``segment id = position * 2**40 + item id``. An item's first segment has the item's own id.
"""

from typing import Any, TypeVar

import numpy as np

_ITEM_BITS = 40
MAX_POSITION = (1 << (62 - _ITEM_BITS)) - 1
"""Of a segment within its item: more shots than any film has, and the id is still no negative number."""

Ids = TypeVar("Ids", int, "np.ndarray[Any, np.dtype[np.int64]]")


def segment_id(item_id: Ids, position: Ids) -> Ids:
    """The id of an item's segment; of arrays elementwise, int64."""
    return (position << _ITEM_BITS) | item_id


def item_of(segment_ids: Ids) -> Ids:
    """The item that a segment belongs to."""
    return segment_ids & ((1 << _ITEM_BITS) - 1)


def position_of(segment_ids: Ids) -> Ids:
    """The segment's place within its item, from 0."""
    return segment_ids >> _ITEM_BITS
