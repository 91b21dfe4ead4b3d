"""What TVDB reads of every region of every view: computed once, kept in memory maps beside the run's checkpoints.

::

    runs/NAME/regions/
      boxes-0-1.npy      float32 (n, L, 4)    split 0 (training), view 1: boxes in reading order, the whole first
      features-0-1.npy   float16 (n, L, F)    of each of them
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from explorer.cancellation import CancellationToken, Cancelled
from explorer.networks.tvdb.config import ImageEncoderConfig
from explorer.networks.tvdb.preprocess import order_regions
from explorer.protocol.runs import Progressed
from explorer.training.feature_cache import CachedView
from explorer.training.photos import gather_regions
from explorer.training.row_maps import make_row_map

_BATCH = 16
_BATCHES_BETWEEN_EVENTS = 32


@dataclass(frozen=True, slots=True)
class RegionFeatures:
    """One view of n photos; L = 1 + n_regions.

    Attributes:
        boxes: float32 (n, L, 4), normalised xyxy.
        values: float16 (n, L, F), mapped from the disk.
    """

    boxes: Tensor
    values: Tensor

    def __len__(self) -> int:
        return len(self.values)


ReadBoxes = Callable[[Tensor, Tensor], Tensor]
"""Photos int64 (B,) and boxes (B, L, 4) of each to the boxes' features (B, L, F)."""


def cache_regions(
    view: CachedView, read: ReadBoxes, config: ImageEncoderConfig, place: tuple[Path, str], token: CancellationToken
) -> Iterator[Progressed]:
    """Compute the regions' features of a view unless they are there; a killed run computes the view anew.

    view: with the proposer's regions.   place: the folder, and the name of split and view.

    Raises
    ------
    Cancelled
        a stop was asked for.
    OSError
        there is no room for the features.
    """
    folder, name = place
    path = folder / f"features-{name}.npy"
    if path.is_file():
        return
    folder.mkdir(parents=True, exist_ok=True)
    n = len(view.trunk)
    sequence = order_regions(gather_regions([view], torch.zeros(n), torch.arange(n)), config, n)
    np.save(folder / f"boxes-{name}.npy", sequence.boxes.numpy())
    partial = path.with_suffix(".partial")
    shape = (n, sequence.boxes.shape[1], config.feature_dim)
    features = make_row_map(partial, shape, np.float16)
    for number, rows in enumerate(torch.arange(n).split(_BATCH)):
        if token.cancelled:
            raise Cancelled
        features[rows.numpy()] = read(rows, sequence.boxes[rows]).half().numpy()
        if number % _BATCHES_BETWEEN_EVENTS == 0:
            yield Progressed(message=f"features of regions, {name}", n_done=int(rows[0]), n_total=n)
    features.flush()
    partial.replace(path)


def open_regions(folder: Path, name: str) -> RegionFeatures:
    """The finished features of a split's view."""
    # "c": torch wants writable memory; writes would stay in this process.
    values = np.load(folder / f"features-{name}.npy", mmap_mode="c")
    return RegionFeatures(torch.from_numpy(np.load(folder / f"boxes-{name}.npy")), torch.from_numpy(values))
