"""The region proposer: a small head on the shared backbone that says where things are, and what they might be.

Without anchors (Tian et al. 2019; Ge et al. 2021): every cell of strides 8, 16 and 32 tells one box by its centre and
size, how probably there is a thing in it, and which. Coarse features come down to the finer strides (Lin et al. 2017).
Boxes and labels come from the same cells, so that nothing has to be looked at a second time: the whole head is one
pass, and cheaper than a proposal network with a box head on its proposals.
"""
# B pictures, P cells of all strides, K things

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from explorer.vision.features import BackboneFeatures
from explorer.vision.segmenter import ConvUnit, ResidualUnit

_BASE_CELLS = (2.0, 3.0, 4.0)
"""Side of the box that a cell tells before it has learnt anything, in cells, for each stride: 16, 48 and 128 px."""

_MAX_LOG_SIZE = 4.0
_FIRST_OBJECTNESS = -4.6
"""Logit of one in a hundred: so rare are things among cells (Lin et al. 2017, "Focal loss", section 4.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposerConfig:
    """Shape of the head.

    Attributes:
        n_things: K, kinds of things.
        channels: widths of what the backbone gives: strides 8, 16 (trunk) and 32 (grid).
        width: channels at every stride.
        n_readings: residual units of the two branches at every stride, boxes and things.
    """

    n_things: int
    channels: tuple[int, int, int]
    width: int = 96
    n_readings: int = 1


@dataclass(frozen=True, slots=True)
class Proposals:
    """What every cell says about B pictures; finest stride first, row by row.

    Attributes:
        boxes: (B, P, 4), normalised xyxy, not clipped.
        objectness: (B, P) logits: is there a thing in this box?
        things: (B, P, K) logits (softmax): which thing is it?
    """

    boxes: torch.Tensor
    objectness: torch.Tensor
    things: torch.Tensor


class Branches(nn.Module):
    """The two readings of one stride: boxes with objectness, and things."""

    def __init__(self, config: ProposerConfig) -> None:
        super().__init__()
        self.where, self.what = (
            nn.Sequential(*(ResidualUnit(config.width, kernel=3) for _ in range(config.n_readings))) for _ in range(2))
        self.to_box = nn.Conv2d(config.width, 5, 1)
        self.to_things = nn.Conv2d(config.width, config.n_things, 1)
        nn.init.zeros_(self.to_box.weight)
        with torch.no_grad():
            cast("torch.Tensor", self.to_box.bias).copy_(torch.tensor([0.0, 0.0, 0.0, 0.0, _FIRST_OBJECTNESS]))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, width, h, w) to (B, h w, 5): centre, log size, objectness; and things (B, h w, K)."""
        return _rows(self.to_box(self.where(x))), _rows(self.to_things(self.what(x)))


class Proposer(nn.Module):
    """Backbone features to proposals.

    Attributes:
        config: its shape.
    """

    def __init__(self, config: ProposerConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        n_stride8, n_trunk, n_grid = config.channels
        self.from_grid = ConvUnit(n_grid, width, act=False)
        self.from_picture = nn.Linear(n_grid, width)
        self.from_trunk = ConvUnit(n_trunk, width, act=False)
        self.from_stride8 = ConvUnit(n_stride8, width, act=False)
        # The coarsest map has the fewest cells and the widest view.
        self.reading = nn.ModuleList(ResidualUnit(width, kernel=kernel) for kernel in (3, 3, 5))
        self.branches = nn.ModuleList(Branches(config) for _ in range(3))

    def forward(self, features: BackboneFeatures) -> Proposals:
        """Read what the backbone gave."""
        grid = features.grid
        context = self.from_picture(grid.mean(dim=(2, 3)))[:, :, None, None]
        at32 = self.reading[2](functional.relu(self.from_grid(grid) + context))
        at16 = self.reading[1](functional.relu(self.from_trunk(features.trunk) + _enlarge(at32, features.trunk)))
        at8 = self.reading[0](functional.relu(self.from_stride8(features.stride8) + _enlarge(at16, features.stride8)))
        boxes, objectness, things = [], [], []
        for x, branches, base in zip((at8, at16, at32), self.branches, _BASE_CELLS, strict=True):
            box, thing = branches(x)
            boxes.append(decode_boxes(box[..., :4].float(), x.shape[2], x.shape[3], base))
            objectness.append(box[..., 4].float())
            things.append(thing.float())
        return Proposals(torch.cat(boxes, dim=1), torch.cat(objectness, dim=1), torch.cat(things, dim=1))


def cell_centres(n_rows: int, n_columns: int, device: torch.device | None = None) -> torch.Tensor:
    """Centres x, y of a map's cells, row by row, normalised; (n_rows * n_columns, 2)."""
    y, x = torch.meshgrid((torch.arange(n_rows, device=device) + 0.5) / n_rows,
                          (torch.arange(n_columns, device=device) + 0.5) / n_columns, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()], dim=1)


def decode_boxes(offsets: torch.Tensor, n_rows: int, n_columns: int, base_cells: float) -> torch.Tensor:
    """Offsets (B, n_rows * n_columns, 4) to boxes, normalised xyxy.

    An offset is how far the box's centre lies from the cell's, in cells, and the logarithm of its width and height in
    units of ``base_cells`` cells.
    """
    cell = offsets.new_tensor([1 / n_columns, 1 / n_rows])
    centre = cell_centres(n_rows, n_columns, offsets.device) + offsets[..., :2] * cell
    half = 0.5 * base_cells * cell * offsets[..., 2:].clamp(max=_MAX_LOG_SIZE).exp()
    return torch.cat([centre - half, centre + half], dim=-1)


def _rows(x: torch.Tensor) -> torch.Tensor:
    return x.permute(0, 2, 3, 1).flatten(1, 2)


def _enlarge(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)
