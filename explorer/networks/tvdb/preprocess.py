"""From what vision sees to the sequence of regions (README.md 1.2)."""
# B pictures, R proposed regions, L = 1 + n_regions steps, F features, P position block

from dataclasses import dataclass

import torch
from torch import Tensor

from explorer.networks.tvdb.config import N_POSITIONS, ImageEncoderConfig
from explorer.vision.features import Regions

MIN_AREA, MAX_AREA = 0.01, 0.95
"""Of the picture: smaller and larger boxes are left out (README.md 1.2, step 1; reconstructed)."""

_WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class RegionSequence:
    """What the LSTM reads of B pictures, the whole picture first, then regions from dominant to minor.

    Attributes:
        boxes: float32 (B, L, 4), normalised xyxy; the whole picture where there are no further regions.
        which: int64 (B, L), rows of the proposed regions; -1 for the whole picture.
        lengths: int64 (B,), steps that are not padding, at least 1.
    """

    boxes: Tensor
    which: Tensor
    lengths: Tensor

    def orders_without(self) -> Tensor:
        """For each region of one picture (B = 1) the steps that are read if it had not been found, int64 (n, L).

        The regions behind it move up and the whole picture comes last, as wherever there is a region less; no other
        proposal takes its place.
        """
        n_steps = self.boxes.shape[1]
        rows = [[*range(step), *range(step + 1, n_steps), 0] for step in range(1, int(self.lengths[0]))]
        return torch.tensor(rows, dtype=torch.int64, device=self.boxes.device).view(len(rows), n_steps)


def order_regions(regions: Regions | None, config: ImageEncoderConfig, n_pictures: int) -> RegionSequence:
    """The regions that are read, in their order: as the proposer is sure of them, without tiny and whole boxes.

    regions: of these pictures; None reads the whole pictures only, as ``config.n_regions`` = 0 does.
    """
    device = regions.boxes.device if regions is not None else None
    boxes = torch.tensor(_WHOLE, device=device).expand(n_pictures, 1 + config.n_regions, 4).clone()
    which = torch.full((n_pictures, 1 + config.n_regions), -1, device=device)
    lengths = torch.ones(n_pictures, dtype=torch.int64, device=device)
    if regions is None or not config.n_regions:
        return RegionSequence(boxes, which, lengths)
    corners = regions.boxes.float()
    area = (corners[..., 2:] - corners[..., :2]).clamp(min=0).prod(dim=-1)
    known = torch.arange(corners.shape[1], device=device) < regions.lengths[:, None]
    # A picture without a region of its own has one row, the whole picture, which is beyond MAX_AREA.
    kept = known & (area >= MIN_AREA) & (area <= MAX_AREA)
    # A stable sort brings what is kept to the front in its order.
    order = torch.sort((~kept).int(), dim=1, stable=True).indices[:, : config.n_regions]
    n_kept = kept.sum(dim=1).clamp(max=config.n_regions)
    lengths = 1 + n_kept
    valid = torch.arange(order.shape[1], device=device) < n_kept[:, None]
    if config.order == "shuffled":
        order = _shuffled(order, valid, corners)
    n = order.shape[1]
    chosen = corners.gather(1, order[..., None].expand(-1, -1, 4))
    boxes[:, 1 : 1 + n] = torch.where(valid[..., None], chosen, boxes[:, 1 : 1 + n])
    which[:, 1 : 1 + n] = torch.where(valid, order, -1)
    return RegionSequence(boxes, which, lengths)


def _shuffled(order: Tensor, valid: Tensor, corners: Tensor) -> Tensor:
    """The kept rows of each picture in an order that says nothing of their scores, and is the same in every batch.

    order, valid: (B, n).   corners: (B, R, 4).
    """
    # A number that looks drawn at random, but hangs on the box alone: the last digits of a steep wave.
    steps = torch.tensor([12.9898, 78.233, 37.719, 53.137], dtype=torch.float64)
    waves = torch.sin(corners.cpu().double() @ steps) * 43758.5453
    keys = (waves - waves.floor()).to(order.device, torch.float32).gather(1, order)
    keys = torch.where(valid, keys, 2.0)
    return order.gather(1, torch.sort(keys, dim=1, stable=True).indices)


def positions_of(boxes: Tensor, position_dim: int) -> Tensor:
    """The position block (B, L, P): width, height and centre of each box, repeated so that they are not drowned.

    Raises ``ValueError`` where P is no multiple of four.
    """
    if position_dim % N_POSITIONS:
        raise ValueError(f"the position block must be a multiple of {N_POSITIONS} wide, got {position_dim}")
    size, centre = boxes[..., 2:] - boxes[..., :2], (boxes[..., :2] + boxes[..., 2:]) / 2
    return torch.cat([size, centre], dim=-1).repeat(1, 1, position_dim // N_POSITIONS)


def steps_of(features: Tensor, boxes: Tensor, statistics: tuple[Tensor, Tensor], config: ImageEncoderConfig) -> Tensor:
    """The LSTM's input (B, L, F + P).

    features: (B, L, F) of each step.   boxes: (B, L, 4).   statistics: mean and spread (F,) of the training photos'
    features, by which these are standardised (reconstructed).
    """
    mean, scale = statistics
    return torch.cat([(features.float() - mean) / scale, positions_of(boxes, config.position_dim)], dim=-1)
