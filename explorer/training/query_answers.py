"""What fixed sentences of the validation split find, so that one sees a network learn."""
# n pictures

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from explorer.training.phases import QueryAnswer
from explorer.training.photos import Split


def evenly(n: int, n_wanted: int) -> list[int]:
    """At most ``n_wanted`` different rows out of n, evenly taken, in their order."""
    return sorted({(2 * number + 1) * n // (2 * n_wanted) for number in range(n_wanted)}) if n else []


def answer_query(text: str, scores: Tensor, own: Tensor, pictures: Sequence[Path], n_top: int) -> QueryAnswer:
    """The best pictures for a sentence; equal scores in the pictures' order, the rank that of the first own one.

    scores: float (n,), larger is nearer.   own: bool (n,), which pictures the sentence is of.   pictures: n files.
    """
    order = torch.sort(scores, descending=True, stable=True).indices
    top = order[:n_top]
    return QueryAnswer(
        text=text,
        rank=int(own[order].int().argmax()) + 1,
        n_ranked=len(order),
        pictures=tuple(pictures[row] for row in top.tolist()),
        own=tuple(own[top].tolist()),
        scores=tuple(scores[top].tolist()),
    )


def answer_sentences(
    split: Split, images: Tensor, sentences: Tensor, n_queries: int, n_top: int
) -> tuple[QueryAnswer, ...]:
    """Answers to a split's sentences, evenly taken, among its photos.

    images: unit embeddings (n, D).   sentences: (s, D), all of the split's, photo by photo.
    """
    texts = [text for photo in split.sentences for text in photo]
    photos = torch.arange(len(split))
    owners = photos.repeat_interleave(split.bank.first.diff())
    return tuple(
        answer_query(texts[row], images @ sentences[row], photos == owners[row], split.photos, n_top)
        for row in evenly(len(texts), n_queries)
    )
