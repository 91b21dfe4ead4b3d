"""The two splits of a captioned data set, with everything frozen already computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from explorer.training.captions import SentenceBank
from explorer.training.feature_cache import CachedView


@dataclass(frozen=True, slots=True)
class Split:
    """Photos of one split.

    Attributes
    ----------
        photos: their files.
        sentences: of each photo.
        views: cached features, the photo itself first; the validation split has no other.
        bank: word states of all sentences.
    """

    photos: Sequence[Path]
    sentences: Sequence[Sequence[str]]
    views: Sequence[CachedView]
    bank: SentenceBank

    def __len__(self) -> int:
        return len(self.photos)


def draw_views(n_photos: int, n_views: int) -> Tensor:
    """A random view for each photo of a step, int64 (n_photos,)."""
    return torch.randint(n_views, (n_photos,))


def gather(views: Sequence[Tensor], which: Tensor, photos: Tensor) -> Tensor:
    """Rows of several arrays: row ``photos[i]`` of ``views[which[i]]``, as float32."""
    if len(views) == 1:
        return views[0][photos].float()
    rows = torch.empty(len(photos), *views[0].shape[1:], dtype=views[0].dtype)
    for number, view in enumerate(views):
        here = which == number
        rows[here] = view[photos[here]]
    return rows.float()


def recall_metrics(images: Tensor, sentences: Tensor, first: Tensor) -> dict[str, float]:
    """R@1, 5, 10 in per cent both ways and their sum, for unit embeddings (papers.md 4.1).

    images: (n, D).   sentences: (s, D).   first: int64 (n + 1,), the first sentence of each photo.
    """
    owners = torch.repeat_interleave(torch.arange(len(images)), first[1:] - first[:-1])
    scores = images @ sentences.T
    right = scores[owners, torch.arange(len(owners))]
    best = torch.full((len(images),), -torch.inf).scatter_reduce(0, owners, right, "amax")
    ranks = {
        "i2t": (scores > best.unsqueeze(1)).sum(dim=1),
        "t2i": (scores > right.unsqueeze(0)).sum(dim=0),
    }
    metrics = {
        f"{way}_r{k}": 100.0 * float((rank < k).float().mean()) for way, rank in ranks.items() for k in (1, 5, 10)
    }
    return {**metrics, "rsum": sum(metrics.values())}
