"""The segmenter: a small head on the shared backbone that names what is in a picture, and where.

Two paths. The *semantic* path reads only the trunk and the grid, so that its scores can be computed again from cached
trunks; it gives a score per cell and class and the presence of each class. The *map* path refines the semantic
features with an early stage of the backbone (stride 8), as the decoder of DeepLab v3+ does (Chen et al. 2018), at a
fraction of its width; its logits are enlarged to stride 4. Going on to stride 4 itself cost as much as the whole
backbone.
"""
# B pictures, C classes of presence and scores, M mask classes, g cells a side of the grid (7 at 224 px)

from dataclasses import dataclass
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from explorer.vision.features import BackboneFeatures


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmenterConfig:
    """Shape of the head.

    Attributes:
        n_classes: C, classes of presence and scores.
        n_masks: M, classes of the map, background first.
        channels: widths of what the backbone gives: strides 8, 16 (trunk) and 32 (grid).
        semantic_width: channels at stride 16.
        middle_width: channels at stride 8.
    """

    n_classes: int
    n_masks: int
    channels: tuple[int, int, int]
    semantic_width: int = 160
    middle_width: int = 96


@dataclass(frozen=True, slots=True)
class SegmenterOutput:
    """What the head says about B pictures.

    Attributes:
        scores: (B, C, g, g) logits: is this class in this cell?
        presence: (B, C) logits: is this class in the picture?
        map_logits: (B, M, 4g, 4g) logits over the mask classes (softmax), or None if the map was not asked for.
    """

    scores: torch.Tensor
    presence: torch.Tensor
    map_logits: torch.Tensor | None


class ConvUnit(nn.Sequential):
    """Convolution, batch normalisation and, unless ``act`` is off, ReLU; depthwise where ``depthwise`` is set."""

    def __init__(self, n_in: int, n_out: int, *, kernel: int = 1, depthwise: bool = False, act: bool = True) -> None:
        super().__init__()
        groups = n_in if depthwise else 1
        self.conv = nn.Conv2d(n_in, n_out, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(n_out)
        self.act = nn.ReLU(inplace=True) if act else nn.Identity()


class ResidualUnit(nn.Module):
    """Depthwise k x k, then 1 x 1, added to its input."""

    def __init__(self, width: int, *, kernel: int) -> None:
        super().__init__()
        self.spatial = ConvUnit(width, width, kernel=kernel, depthwise=True)
        self.mixing = ConvUnit(width, width, act=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, width, h, w) to the same."""
        return functional.relu(x + self.mixing(self.spatial(x)))


class SemanticPath(nn.Module):
    """Trunk and grid to semantic features, cell scores and presence."""

    def __init__(self, config: SegmenterConfig) -> None:
        super().__init__()
        width = config.semantic_width
        *_, n_trunk, n_grid = config.channels
        self.from_trunk = ConvUnit(n_trunk, width, act=False)
        self.from_grid = ConvUnit(n_grid, width)
        self.from_picture = nn.Linear(n_grid, width)
        self.reading = nn.Sequential(ResidualUnit(width, kernel=5), ResidualUnit(width, kernel=5))
        self.cells = ConvUnit(2 * width, width)
        self.to_scores = nn.Conv2d(width, config.n_classes, 1)
        self.to_presence = nn.Linear(n_grid, config.n_classes)

    def forward(self, trunk: torch.Tensor, grid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Semantic features (B, width, 2g, 2g), scores (B, C, g, g) and presence logits (B, C)."""
        pooled = grid.mean(dim=(2, 3))
        coarse = self.from_grid(grid)
        context = self.from_picture(pooled)[:, :, None, None]
        semantic = self.from_trunk(trunk) + _enlarge(coarse + context, trunk)
        semantic = self.reading(functional.relu(semantic))
        cells = torch.cat([functional.adaptive_avg_pool2d(semantic, coarse.shape[2:]), coarse], dim=1)
        scores = self.to_scores(self.cells(cells))
        # A smooth maximum over the cells: present somewhere is present.
        strongest = torch.logsumexp(scores.flatten(2).float(), dim=2).to(scores.dtype)
        return semantic, scores, strongest + self.to_presence(pooled)


class MapPath(nn.Module):
    """Semantic features and the early stage of stride 8 to the class map's logits."""

    def __init__(self, config: SegmenterConfig) -> None:
        super().__init__()
        n_stride8, middle = config.channels[0], config.middle_width
        self.from_semantic = ConvUnit(config.semantic_width, middle, act=False)
        self.from_stride8 = ConvUnit(n_stride8, middle, act=False)
        self.reading = ResidualUnit(middle, kernel=3)
        self.to_logits = nn.Conv2d(middle, config.n_masks, 1)

    def forward(self, semantic: torch.Tensor, stride8: torch.Tensor) -> torch.Tensor:
        """Logits (B, M, 4g, 4g)."""
        middle = functional.relu(_enlarge(self.from_semantic(semantic), stride8) + self.from_stride8(stride8))
        return cast("torch.Tensor", self.to_logits(self.reading(middle)))


class Segmenter(nn.Module):
    """Both paths.

    Attributes:
        config: its shape.
    """

    def __init__(self, config: SegmenterConfig) -> None:
        super().__init__()
        self.config = config
        self.semantic = SemanticPath(config)
        self.map = MapPath(config)

    def forward(self, features: BackboneFeatures, *, with_map: bool = True) -> SegmenterOutput:
        """Read what the backbone gave; without the map only trunk and grid are looked at."""
        semantic, scores, presence = self.semantic(features.trunk, features.grid)
        map_logits = self.map(semantic, features.stride8) if with_map else None
        return SegmenterOutput(scores, presence, map_logits)

    def score_cells(self, trunk: torch.Tensor, grid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores (B, C, g, g), logits, and presence (B, C), probabilities, from cached trunks and their grids."""
        _, scores, presence = self.semantic(trunk, grid)
        return scores, torch.sigmoid(presence)


def most_probable(map_logits: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Class map (B, 2h, 2w) int64 and the probability of each cell's class from logits (B, M, h, w)."""
    logits = functional.interpolate(map_logits, scale_factor=2.0, mode="bilinear", align_corners=False)
    confidence, class_map = torch.softmax(logits, dim=1).max(dim=1)
    return class_map, confidence


def _enlarge(x: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return functional.interpolate(x, size=like.shape[2:], mode="bilinear", align_corners=False)
