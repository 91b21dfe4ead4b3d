"""Features of regions: read off the shared backbone's map, or AlexNet's of crops (README.md 1.2, step 2)."""
# B pictures, L boxes each, F features; G channels of a grid of g x g cells

from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from explorer.vision.crops import CROP_DIM, CropNetwork, load_crop_network
from explorer.vision.regions import aligned_mean

FeatureKind = Literal["roi-align", "alexnet-crops"]


class Extractor(Protocol):
    """Gives every box its features.

    Attributes:
        kind: which of the two; a package's ``[config] features``.
        dim: F, their width.
        reads_squares: whether it looks at the pictures again; else the backbone's map is enough.
    """

    kind: FeatureKind
    dim: int
    reads_squares: bool

    def __call__(self, grid: Tensor, boxes: Tensor, squares: np.ndarray | None = None) -> Tensor:
        """Features, float32 (B, L, F), on the device of ``boxes``.

        grid: the backbone's last map (B, G, g, g).   boxes: (B, L, 4), normalised xyxy, as
        :attr:`~explorer.networks.tvdb.preprocess.RegionSequence.boxes` has them.
        squares: uint8 RGB (B, side, side, 3); only where :attr:`reads_squares`, else None will do.

        Raises ``ValueError`` where squares are needed and there are none.
        """
        ...


class RoiAlign:
    """Means of the backbone's last map within each box; of the whole picture it is the pooled map."""

    kind: FeatureKind = "roi-align"
    reads_squares = False

    def __init__(self, dim: int) -> None:
        """``dim``: channels of the map."""
        self.dim = dim

    def __call__(self, grid: Tensor, boxes: Tensor, squares: np.ndarray | None = None) -> Tensor:
        """See :class:`Extractor`."""
        return aligned_mean(grid.float(), boxes)


class AlexNetCrops:
    """fc7 of AlexNet on each box, cut out and warped, as the paper has it."""

    kind: FeatureKind = "alexnet-crops"
    dim = CROP_DIM
    reads_squares = True

    def __init__(self, network: CropNetwork) -> None:
        self._network = network

    def __call__(self, grid: Tensor, boxes: Tensor, squares: np.ndarray | None = None) -> Tensor:
        """See :class:`Extractor`."""
        if squares is None:
            raise ValueError("crops are cut out of pictures, and none were given")
        # Vision goes to the CPU when the graphics card's memory is full, and the boxes with it.
        features: Tensor = self._network.to(boxes.device)(squares, boxes)
        return features


def load_extractor(kind: FeatureKind, *, grid_dim: int, device: torch.device) -> Extractor:
    """The extractor of this kind.

    grid_dim: channels of the backbone's last map.

    Raises
    ------
    ConfigError
        AlexNet's weights are not on this disk; nothing is downloaded unasked.
    """
    return RoiAlign(grid_dim) if kind == "roi-align" else AlexNetCrops(load_crop_network(device=device))
