"""From what vision sees to what the network reads (README.md 3.2)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.networks.three_shnet.config import ImageEncoderConfig


def cells_as_tokens(grid: Tensor, trunk: Tensor | None = None) -> Tensor:
    """The cells of the grid as visual tokens, row by row; with a trunk, its four finer cells are appended to each.

    grid: (B, G, g, g).   trunk: (B, T, 2g, 2g) or None (reconstructed: the published grid has no finer stage).
    Returns float32 (B, g * g, G) or (B, g * g, G + 4T).
    """
    maps = grid.float()
    if trunk is not None:
        maps = torch.cat([maps, F.pixel_unshuffle(trunk.float(), 2)], dim=1)
    return maps.flatten(2).transpose(1, 2)


def normalise_class_map(class_map: Tensor, config: ImageEncoderConfig) -> Tensor:
    """Class ids (B, h, w) as VSpM reads them: nearest neighbour to the map's side, ``(id / C - mean) / std``.

    Returns float32 (B, map_size, map_size).
    """
    side = config.map_size
    ids = class_map.unsqueeze(1).float()
    if ids.shape[-2:] != (side, side):
        ids = F.interpolate(ids, size=(side, side), mode="nearest-exact")
    return (ids.squeeze(1) / config.n_classes - config.map_mean) / config.map_std


def standardise(tokens: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Take off the mean of each channel and divide by its spread (reconstructed: published features come raw)."""
    return (tokens - mean) / scale
