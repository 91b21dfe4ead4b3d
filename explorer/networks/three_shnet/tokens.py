"""Visual tokens: cells of the grid, or the regions of a picture (README.md 3.2)."""

# B pictures, R regions, N tokens, V width of a token, T and G widths of trunk and grid

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from explorer.networks.three_shnet.preprocess import cells_as_tokens, standardise
from explorer.vision.features import Regions
from explorer.vision.regions import aligned_mean

_RARE = 0.1
_N_PLACES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenConfig:
    """What a visual token is made of.

    Attributes:
        kind: the cells of the last feature map, or its means within the picture's regions.
        trunk_cells: whether the trunk's finer cells are part of each token (reconstructed): the four within a grid's
            cell, or the means of a region's four quarters.
        pooling: what of the grid a region's token holds: the mean within its box, or the largest value of each channel
            in it (reconstructed; published features are means).
        positions: whether a region's corners and area are (reconstructed: the published features have none).
        n_labels: labels of the proposer that are, each with the proposer's score (reconstructed); 0 for none.
        whole: whether the whole picture is a region, too, before all others (reconstructed).
    """

    kind: Literal["grid", "regions"] = "grid"
    trunk_cells: bool = False
    pooling: Literal["mean", "max"] = "mean"
    positions: bool = True
    n_labels: int = 0
    whole: bool = True


@dataclass(frozen=True, slots=True)
class VisualTokens:
    """The visual tokens of a batch.

    Attributes:
        values: float32 (B, N, V), the valid ones of each picture first.
        lengths: int64 (B,), valid tokens of each picture; None if all are.
        regions: boxes (B, N, 4), scores, labels (B, N) and lengths of the tokens; None where they are cells.
    """

    values: Tensor
    lengths: Tensor | None = None
    regions: Regions | None = None


def visual_tokens(config: TokenConfig, grid: Tensor, trunk: Tensor, regions: Regions | None = None) -> VisualTokens:
    """Tokens, not yet standardised, of grids (B, G, g, g) and trunks (B, T, 2g, 2g) of any precision.

    Raises ``ValueError`` where regions are wanted and there are none.
    """
    if config.kind == "grid":
        return VisualTokens(cells_as_tokens(grid, trunk if config.trunk_cells else None))
    if regions is None:
        raise ValueError("these features have no regions")
    if config.whole:
        regions = with_whole_picture(regions)
    within = aligned_mean if config.pooling == "mean" else box_peaks
    parts = [within(grid.float(), regions.boxes)]
    if config.trunk_cells:
        quarters = aligned_mean(trunk.float(), quarters_of(regions.boxes).flatten(1, 2))
        parts.append(quarters.view(*regions.boxes.shape[:2], -1))
    if config.positions:
        parts.append(positions_of(regions.boxes))
    if config.n_labels:
        parts.append(label_scores(regions, config.n_labels))
    values = torch.cat(parts, dim=-1)
    all_valid = bool((regions.lengths == values.shape[1]).all())
    return VisualTokens(values, None if all_valid else regions.lengths, regions)


def with_whole_picture(regions: Regions) -> Regions:
    """One region more, in front: the whole picture, with score 1 and no label, (B, 1 + R)."""
    boxes = regions.boxes.new_tensor([0.0, 0.0, 1.0, 1.0]).expand(len(regions.boxes), 1, 4)
    return Regions(
        torch.cat([boxes, regions.boxes], dim=1),
        F.pad(regions.scores, (1, 0), value=1.0),
        F.pad(regions.labels, (1, 0), value=_NO_LABEL),
        regions.lengths + 1,
    )


_NO_LABEL = -1


def quarters_of(boxes: Tensor) -> Tensor:
    """The four quarters of each box (B, R, 4), row by row: (B, R, 4, 4)."""
    x1, y1, x2, y2 = boxes.unbind(dim=-1)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    corners = ((x1, y1, x, y), (x, y1, x2, y), (x1, y, x, y2), (x, y, x2, y2))
    return torch.stack([torch.stack(corner, dim=-1) for corner in corners], dim=-2)


def box_peaks(features: Tensor, boxes: Tensor) -> Tensor:
    """Largest value of each channel among the cells that a box covers by half, or the cell it lies in: (B, R, C).

    features: (B, C, h, w).   boxes: (B, R, 4), normalised xyxy.
    """
    b, _, h, w = features.shape
    top, bottom = _covered(boxes[..., 1], boxes[..., 3], h)
    left, right = _covered(boxes[..., 0], boxes[..., 2], w)
    cells = features.permute(0, 2, 3, 1)
    # Peaks of every span of rows first: there are few, and each region then looks at one row of them.
    spans: list[Tensor] = []
    number = torch.zeros(h, h, dtype=torch.int64, device=features.device)
    for first in range(h):
        peaks = cells[:, first]
        for last in range(first, h):
            peaks = torch.maximum(peaks, cells[:, last])
            number[first, last] = len(spans)
            spans.append(peaks)
    pictures = torch.arange(b, device=features.device).unsqueeze(1)
    rows_BRwC = torch.stack(spans, dim=1)[pictures, number[top, bottom]]
    columns = torch.arange(w, device=features.device)
    outside = (columns < left.unsqueeze(-1)) | (columns > right.unsqueeze(-1))
    return rows_BRwC.masked_fill_(outside.unsqueeze(-1), float("-inf")).amax(dim=2)


def _covered(low: Tensor, high: Tensor, n_cells: int) -> tuple[Tensor, Tensor]:
    """The first and the last cell between two edges."""
    first = (low * n_cells).round().clamp(0, n_cells - 1).long()
    last = ((high * n_cells).round() - 1).clamp(0, n_cells - 1).long()
    return first, torch.maximum(first, last)


def positions_of(boxes: Tensor) -> Tensor:
    """Corners and area of normalised boxes, (B, R, 4) to (B, R, 5)."""
    area = (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])
    return torch.cat([boxes, area.unsqueeze(-1)], dim=-1)


def label_scores(regions: Regions, n_labels: int) -> Tensor:
    """Each region's score at its label, (B, R, n_labels); nothing where the label is none of them."""
    labels = torch.where((regions.labels >= 0) & (regions.labels < n_labels), regions.labels, n_labels)
    return (F.one_hot(labels, n_labels + 1)[..., :n_labels] * regions.scores.unsqueeze(-1)).float()


@torch.inference_mode()
def token_statistics(config: TokenConfig, tokens: VisualTokens) -> tuple[Tensor, Tensor]:
    """Mean and spread of each channel over valid tokens, float32 (V,) each.

    The spread of a label is at least 0.1, so that one which is hardly ever found does not outweigh all else.
    """
    values = tokens.values
    if tokens.lengths is None:
        rows = values.flatten(0, 1)
    else:
        rows = values[torch.arange(values.shape[1]) < tokens.lengths.unsqueeze(1)]
    spread = rows.std(dim=0) + 1e-3
    n_labels = config.n_labels if config.kind == "regions" else 0
    if n_labels:
        spread[-n_labels:] = spread[-n_labels:].clamp(min=_RARE)
    return rows.mean(dim=0), spread


def standardised(tokens: VisualTokens, mean: Tensor, scale: Tensor) -> VisualTokens:
    """The same tokens, each channel without its mean and divided by its spread."""
    return VisualTokens(standardise(tokens.values, mean, scale), tokens.lengths, tokens.regions)
