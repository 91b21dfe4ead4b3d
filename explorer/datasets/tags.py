"""Tags of hashing papers' data sets as sentences of made-up words, so that what reads sentences reads them.

Of such tags only a matrix is published: which of some thousand each item has. ``tag3 tag17`` is the sentence of an item
that has the third and the seventeenth; a bag of words made of it is the item's row again.
"""

from dataclasses import replace

import numpy as np

from explorer.datasets.labelled import LabelledItems
from explorer.errors import DatasetError

_WORD = "tag"


def with_tag_sentences(items: LabelledItems) -> LabelledItems:
    """The items with one sentence each, the names of their tags in order; an item without tags has an empty one.

    Counts become presence, as a bag of words of distinct words has it.

    Raises
    ------
    DatasetError
        there are no tags; some are weights, which words cannot carry; or no item has any.
    """
    if items.tags is None:
        raise DatasetError(f"{items.name} comes without tags.", "Choose another data set.")
    if items.tags.dtype != np.uint8:
        raise DatasetError(
            f"The tags of {items.name} are weights, not whole numbers from 0 to 255.",
            "Only tags that are there or not can be written as words.",
        )
    if not items.tags.any():
        raise DatasetError(f"No item of {items.name} has a tag.", "Is it the right file?")
    words = [f"{_WORD}{number}" for number in range(1, items.tags.shape[1] + 1)]
    return replace(
        items, texts=tuple((" ".join(words[place] for place in np.flatnonzero(row)),) for row in items.tags)
    )


def most_tags(items: LabelledItems) -> int:
    """How many tags the item with the most of them has."""
    return 0 if items.tags is None else int(np.count_nonzero(items.tags, axis=1).max())
