"""What each place of a picture gave to its code: everything by leaving it out (README.md, "What a place gives")."""
# F features, G channels of a grid of g x g cells, T channels of a trunk of t x t cells, n = g x g places, K bits

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.evidence import AttentionMap, Evidence, PlaceShares, Segmentation
from explorer.networks.common.leaving_out import LeftOut, leave_out
from explorer.networks.dsmhn.config import ImagePart
from explorer.representations import BinaryCodes
from explorer.vision.features import VisualFeatures

LAYER = "cells"
"""Machine name of the map; a package's overlays have it."""

_REACH = 1
"""A place is left out with its neighbours so far away: each cell's features hold what its neighbours show, too."""


def features_without(seen: VisualFeatures, columns: Sequence[Tensor], parts: Sequence[ImagePart]) -> Tensor:
    """Features of one picture without each of its places, (n, F): pooled over all other cells.

    columns: of each part (1, width), as ``preprocess.picture_columns`` gives them. What is not pooled from the maps
    stays as it is.
    """
    side = seen.grid.shape[-1]
    places = torch.arange(side * side, device=seen.grid.device)
    rows, across = places // side, places % side
    near = ((rows[:, None] - rows).abs() <= _REACH) & ((across[:, None] - across).abs() <= _REACH)
    grid = seen.grid[0].float().flatten(1)
    # Each finer cell is kept where the coarse one that holds it is.
    kept = F.interpolate((~near).float().view(-1, 1, side, side), size=seen.trunk.shape[-2:]).flatten(1)
    pooled = {
        "grid_mean": lambda: means_of(grid, (~near).float()),
        "grid_max": lambda: grid[None].masked_fill(near[:, None], float("-inf")).amax(dim=2),
        "trunk_mean": lambda: means_of(seen.trunk[0].float().flatten(1), kept),
    }
    without = [
        pooled[part]() if part in pooled else column.expand(len(places), -1)
        for part, column in zip(parts, columns, strict=True)
    ]
    return torch.cat(without, dim=1)


def means_of(values: Tensor, kept: Tensor) -> Tensor:
    """Means (n, C) of values (C, cells) over the cells that each row of ``kept`` (n, cells) keeps."""
    return kept @ values.T / kept.sum(dim=1, keepdim=True).clamp(min=1.0)


def evidence_of(
    activations: np.ndarray, side: int, segmentation: Segmentation | None, query: BinaryCodes | None
) -> Evidence:
    """Evidence of one picture.

    activations: (1 + side x side, K), of the picture, then without each of its places.
    query: the query and the query with something left out (R, K); None: the map says what makes the picture's own
        code as firm as it is.
    """
    asked = query if query is not None else BinaryCodes.from_activations(activations[:1])
    found = leave_out(activations, asked)
    if query is None:
        own = _map(LAYER, "What made the code", found.shares[0], side)
        return Evidence(attention=(own,), segmentation=segmentation)
    return Evidence(
        attention=_maps(found, side),
        segmentation=segmentation,
        score=found.score,
        row_scores=found.row_scores,
        shares=(PlaceShares(LAYER, found.shares),),
        bits=found.bits,
    )


def _maps(found: LeftOut, side: int) -> tuple[AttentionMap, ...]:
    return (
        _map(LAYER, "What each place gives (before rounding)", found.shares[0], side),
        _map("cell-bits", "What each place gives (rounded to bits)", found.code_shares, side),
    )


def _map(name: str, title: str, values: np.ndarray, side: int) -> AttentionMap:
    return AttentionMap(name, title, np.ascontiguousarray(values.reshape(side, side), dtype=np.float32))
