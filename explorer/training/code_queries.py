"""What fixed sentences of the validation split find by their codes, so that one sees a network learn."""
# m sentences, n items, K bits

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from explorer.networks.common.codes import sign
from explorer.training.phases import QueryAnswer


@dataclass(frozen=True, slots=True)
class Shown:
    """A split as it was last encoded, and what a person sees of it.

    Attributes:
        texts: the sentences; empty where there is nothing to show.
        pictures: a file of each item.
        text_codes: activations of the sentences, float32 (m, K).
        item_codes: of the items, float32 (n, K).
        owners: int64 (m,), the item of each sentence.
        groups: int64 (n,): a sentence's own items are those of its owner's group. Photos are groups of one.
    """

    texts: Sequence[str]
    pictures: Sequence[Path]
    text_codes: Tensor
    item_codes: Tensor
    owners: Tensor
    groups: Tensor


def answer(shown: Shown, n_queries: int, n_top: int) -> tuple[QueryAnswer, ...]:
    """The best items for sentences that are evenly taken; equal scores in the items' order.

    Scores are ``1 - 2 d / K``, d the Hamming distance: 1 where all bits agree, -1 where none does. A rank is that of
    the first own item in the order shown.
    """
    n = len(shown.texts)
    if not n or not len(shown.pictures):
        return ()
    items = sign(shown.item_codes)
    rows = sorted({(2 * number + 1) * n // (2 * n_queries) for number in range(n_queries)})
    return tuple(_answer(shown, row, items, n_top) for row in rows)


def _answer(shown: Shown, row: int, items: Tensor, n_top: int) -> QueryAnswer:
    scores = items @ sign(shown.text_codes[row]) / items.shape[1]
    order = torch.sort(scores, descending=True, stable=True).indices
    own = (shown.groups == shown.groups[shown.owners[row]])[order]
    top = order[:n_top].tolist()
    return QueryAnswer(
        text=shown.texts[row],
        rank=int(own.int().argmax()) + 1,
        n_ranked=len(order),
        pictures=tuple(shown.pictures[item] for item in top),
        own=tuple(own[:n_top].tolist()),
        scores=tuple(scores[order[:n_top]].tolist()),
    )
