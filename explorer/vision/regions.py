"""From proposals to the 36 regions of a picture, and from boxes to their features."""
# B pictures, R regions, P proposals, K things, T and G widths of trunk and grid

from dataclasses import dataclass

import torch
from torchvision.ops import batched_nms

from explorer.vision.features import Regions

N_REGIONS = 36
"""As bottom-up attention gives them (Anderson et al. 2018), and 3SHNet reads them."""

OBJECT_LABEL = "object"
"""Name of what is a thing, but none of the known ones for sure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which proposals become regions.

    Attributes:
        max_overlap: of two proposals of the same label that overlap more than this the surer one stays.
        min_score: less sure ones are left out.
        min_label: a proposal whose most probable thing is less probable than this is "object".
        n_candidates: the surest so many are looked at.
    """

    max_overlap: float = 0.5
    min_score: float = 0.002
    min_label: float = 0.3
    n_candidates: int = 400


def select_regions(
    boxes: torch.Tensor, scores: torch.Tensor, things: torch.Tensor, selection: Selection
) -> Regions:
    """The surest proposals of each picture that do not repeat each other, most confident first.

    Suppression is within a label: a rider does not suppress the horse. boxes (B, P, 4) normalised xyxy, scores (B, P)
    in [0, 1], things (B, P, K) probabilities; equal scores keep the proposals' order.
    """
    n_pictures, n_things = len(boxes), things.shape[-1]
    top = torch.sort(scores, dim=1, descending=True, stable=True).indices[:, : selection.n_candidates]
    scores = scores.gather(1, top)
    boxes = boxes.gather(1, top[..., None].expand(-1, -1, 4)).clamp(0, 1)
    sure, labels = things.gather(1, top[..., None].expand(-1, -1, n_things)).max(dim=-1)
    labels = torch.where(sure >= selection.min_label, labels, n_things)
    real = (scores >= selection.min_score) & ((boxes[..., 2:] - boxes[..., :2]).amin(dim=-1) > 0)
    picture, row = torch.nonzero(real, as_tuple=True)
    kinds = picture * (n_things + 1) + labels[picture, row]
    kept = batched_nms(boxes[picture, row], scores[picture, row], kinds, selection.max_overlap)
    regions = whole_pictures(n_pictures, n_things, boxes.device)
    for number in range(n_pictures):
        # Back in the order of the candidates: suppression sorts, but not stably.
        rows = row[kept[picture[kept] == number]].sort().values[:N_REGIONS]
        n = len(rows)
        if n:
            regions.boxes[number, :n] = boxes[number, rows]
            regions.scores[number, :n] = scores[number, rows]
            regions.labels[number, :n] = labels[number, rows]
            regions.lengths[number] = n
    return regions


def whole_pictures(n_pictures: int, n_things: int, device: torch.device | None = None) -> Regions:
    """Regions of pictures in which nothing was found: one each, the whole picture, and padding alike."""
    whole = torch.tensor([0.0, 0.0, 1.0, 1.0], device=device)
    return Regions(
        whole.expand(n_pictures, N_REGIONS, 4).clone(),
        torch.zeros(n_pictures, N_REGIONS, device=device),
        torch.full((n_pictures, N_REGIONS), n_things, device=device),
        torch.ones(n_pictures, dtype=torch.int64, device=device),
    )


def region_features(trunk: torch.Tensor, grid: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """What the feature maps hold within each box: trunk (B, T, 2g, 2g), grid (B, G, g, g), boxes (B, R, 4) normalised
    xyxy to (B, R, T + G), trunk first.

    RoIAlign (He et al. 2017, section 3), averaged over the box, sampled at as many points a side as the map has cells:
    the whole picture gives the maps' means. The grid may come from a tuned tail; gradients flow into maps, not boxes.
    """
    return torch.cat([aligned_mean(trunk, boxes), aligned_mean(grid, boxes)], dim=-1)


def aligned_mean(features: torch.Tensor, boxes: torch.Tensor) -> torch.Tensor:
    """Mean of the map (B, C, h, w) at h x w points spread evenly over each box, read bilinearly; (B, R, C)."""
    rows = _sampling(boxes[..., 1], boxes[..., 3], features.shape[2])
    columns = _sampling(boxes[..., 0], boxes[..., 2], features.shape[3])
    # Bilinear reading is the product of one axis' weights and the other's, so the mean over points is, too: a matrix
    # product, several times as fast as sampling point by point, and the same on every device.
    weights = (rows[..., :, None] * columns[..., None, :]).flatten(2).to(features.dtype)
    return weights @ features.flatten(2).transpose(1, 2)


def _sampling(low: torch.Tensor, high: torch.Tensor, n_cells: int) -> torch.Tensor:
    """How much each of ``n_cells`` cells counts in the mean over points between two edges (B, R); (B, R, n_cells)."""
    points = (torch.arange(n_cells, device=low.device) + 0.5) / n_cells
    positions = (low[..., None] + points * (high - low)[..., None]) * n_cells - 0.5
    # Beyond the outermost centres the edge is held.
    positions = positions.clamp(0, n_cells - 1)
    cells = torch.arange(n_cells, device=low.device)
    return (1 - (positions[..., None] - cells).abs()).clamp(min=0).mean(dim=-2)
