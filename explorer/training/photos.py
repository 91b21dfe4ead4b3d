"""The two splits of a captioned data set, with everything frozen already computed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from explorer.errors import ConfigError
from explorer.evaluation.image_text import Ranks, image_text_ranks, owners_of, recall, rsum
from explorer.training.captions import SentenceBank
from explorer.training.feature_cache import CachedView
from explorer.vision.features import Regions


@dataclass(frozen=True, slots=True)
class Split:
    """Photos of one split.

    Attributes:
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


def gather(
    views: Sequence[Tensor], which: Tensor, photos: Tensor, device: torch.device | None = None
) -> Tensor:
    """Rows of several arrays: row ``photos[i]`` of ``views[which[i]]``, as float32 on a device.

    Arrays and indices are on the CPU; rows travel as they are stored, which is half of float32.
    """
    if len(views) == 1:
        return views[0][photos].to(device).float()
    rows = torch.empty(len(photos), *views[0].shape[1:], dtype=views[0].dtype)
    for number, view in enumerate(views):
        here = which == number
        rows[here] = view[photos[here]]
    return rows.to(device).float()


def gather_regions(
    views: Sequence[CachedView], which: Tensor, photos: Tensor, device: torch.device | None = None
) -> Regions:
    """The regions of ``photos[i]`` in view ``which[i]``, on a device.

    Raises
    ------
    ConfigError
        the features were computed without regions.
    """
    found = [view.regions for view in views if view.regions is not None]
    if len(found) < len(views):
        raise ConfigError("These features have no regions.", 'Say tokens = "grid", or a vision package that proposes.')

    def rows(name: str) -> Tensor:
        return gather([getattr(regions, name) for regions in found], which, photos, device)

    boxes, scores, labels, lengths = (rows(name) for name in ("boxes", "scores", "labels", "lengths"))
    return Regions(boxes, scores, labels.long(), lengths.long())


def val_ranks(images: Tensor, sentences: Tensor, first: Tensor) -> Ranks:
    """Ranks both ways of unit embeddings (n, D) and (s, D); ``first`` (n + 1,) is the first sentence of each photo."""
    owners = owners_of((first[1:] - first[:-1]).tolist())
    return image_text_ranks(images.numpy(), sentences.numpy(), owners)


def recall_metrics(ranks: Ranks) -> dict[str, float]:
    """R@1, 5, 10 in per cent both ways and their sum (the protocol of VSE++ and SCAN)."""
    i2t, t2i = recall(ranks.image_to_text), recall(ranks.text_to_image)
    return {
        "i2t_r1": i2t.r1,
        "i2t_r5": i2t.r5,
        "i2t_r10": i2t.r10,
        "t2i_r1": t2i.r1,
        "t2i_r5": t2i.r5,
        "t2i_r10": t2i.r10,
        "rsum": rsum(ranks),
    }
