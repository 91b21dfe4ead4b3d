"""What DSMHN's image stream reads of every view of every photo: computed once, kept beside the run's checkpoints.

::

    runs/NAME/picture-features/
      0-1.npy      float16 (n, F)   split 0 (training), view 1
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.cancellation import CancellationToken, Cancelled
from explorer.networks.dsmhn.config import ImagePart
from explorer.networks.dsmhn.preprocess import picture_columns
from explorer.protocol.runs import Progressed
from explorer.training.feature_cache import CachedView, read_square
from explorer.training.photos import gather_regions
from explorer.training.views import View
from explorer.vision import Vision, VisualFeatures
from explorer.vision.crops import CropNetwork

_BATCH = 32
_BATCHES_BETWEEN_EVENTS = 8


@dataclass(frozen=True, slots=True)
class PictureSource:
    """One view of some photos, and what reads it.

    Attributes:
        photos: the files.
        view: how they are looked at.
        cached: what vision gave.
        vision: what it was seen with.
        parts: what is read of a picture.
        alexnet: the network of that part, where it is read.
    """

    photos: Sequence[Path]
    view: View
    cached: CachedView
    vision: Vision
    parts: tuple[ImagePart, ...]
    alexnet: CropNetwork | None = None

    @torch.inference_mode()
    def read(self, rows: Tensor) -> Tensor:
        """Features, float32 (B, F), of some of the photos, on the CPU."""
        cached = self.cached
        weight = next(self.vision.backbone.tail.parameters())
        device = weight.device
        trunk = cached.trunk[rows].to(device, weight.dtype).contiguous(memory_format=torch.channels_last)
        grid = self.vision.backbone.tail(trunk)
        seen = VisualFeatures(
            trunk=trunk,
            grid=grid,
            pooled=grid.mean(dim=(2, 3)),
            presence=None if cached.presence is None else cached.presence[rows].to(device).float(),
            regions=None if cached.regions is None else gather_regions([cached], torch.zeros(len(rows)), rows, device),
        )
        alexnet = None if self.alexnet is None else (self.alexnet, self._squares(rows))
        columns = picture_columns(seen, self.parts, len(self.vision.region_names), alexnet)
        return torch.cat([column.float() for column in columns], dim=1).cpu()

    def _squares(self, rows: Tensor) -> np.ndarray:
        side = self.vision.side_px
        return np.stack([self.view.of(read_square(self.photos[row], side), row) for row in rows.tolist()])


def cache_pictures(source: PictureSource, path: Path, token: CancellationToken) -> Iterator[Progressed]:
    """Compute the features of a view unless they are there; a killed run computes the view anew.

    Raises
    ------
    Cancelled
        a stop was asked for.
    """
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    n, parts = len(source.photos), []
    for number, rows in enumerate(torch.arange(n).split(_BATCH)):
        if token.cancelled:
            raise Cancelled
        parts.append(source.read(rows).half())
        if number % _BATCHES_BETWEEN_EVENTS == 0:
            yield Progressed(message=f"features of pictures, {path.stem}", n_done=int(rows[0]), n_total=n)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.save(file, torch.cat(parts).numpy())
    partial.replace(path)


def open_pictures(path: Path) -> Tensor:
    """The finished features of a view, float16 (n, F)."""
    return torch.from_numpy(np.load(path))
