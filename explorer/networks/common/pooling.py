"""From a picture's feature maps to one vector."""

import torch
from torch import Tensor

FEATURE_PARTS = ("grid_mean", "grid_max", "trunk_mean")
"""Every pooling of a picture's feature maps, in this order."""


def pool_features(trunk: Tensor, grid: Tensor, parts: tuple[str, ...] = FEATURE_PARTS) -> Tensor:
    """Pool a trunk (B, T, 2g, 2g) and a grid (B, G, g, g) into float32 (B, sum of the parts)."""
    makers = {
        "grid_mean": lambda: grid.float().mean(dim=(2, 3)),
        "grid_max": lambda: grid.float().amax(dim=(2, 3)),
        "trunk_mean": lambda: trunk.float().mean(dim=(2, 3)),
    }
    return torch.cat([makers[part]() for part in parts], dim=1)
