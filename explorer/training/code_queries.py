"""What fixed sentences of the validation split find by their codes, so that one sees a network learn."""
# m sentences, n items, K bits

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from explorer.networks.common.codes import sign
from explorer.training.phases import QueryAnswer
from explorer.training.query_answers import answer_query, evenly


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
    """What sentences that are evenly taken find; empty where there is nothing to show.

    Scores are ``1 - 2 d / K``, d the Hamming distance: 1 where all bits agree, -1 where none does.
    """
    if not len(shown.texts) or not len(shown.pictures):
        return ()
    items, n_bits = sign(shown.item_codes), shown.item_codes.shape[1]
    answers = []
    for row in evenly(len(shown.texts), n_queries):
        scores = items @ sign(shown.text_codes[row]) / n_bits
        own = shown.groups == shown.groups[shown.owners[row]]
        answers.append(answer_query(shown.texts[row], scores, own, shown.pictures, n_top))
    return tuple(answers)
