"""What one pass over a batch of pictures gives to every model family."""

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Regions:
    """Where things are in B pictures: R = 36 regions each, most confident first, never none.

    A picture in which nothing was found has one region, the whole picture; rows behind a picture's own regions repeat
    the whole picture with score 0.

    Attributes:
        boxes: (B, R, 4) float32, normalised xyxy of the picture (squashing to a square leaves them alone).
        scores: (B, R) float32 in [0, 1]: how probably this is a thing, and framed well.
        labels: (B, R) int64 into the 80 things of COCO by name in their order, or 80: some object.
        lengths: (B,) int64, regions of each picture, 1 to R.
    """

    boxes: torch.Tensor
    scores: torch.Tensor
    labels: torch.Tensor
    lengths: torch.Tensor

    def to(self, device: torch.device) -> "Regions":
        """The same on a device."""
        return Regions(self.boxes.to(device), self.scores.to(device), self.labels.to(device), self.lengths.to(device))

    def __getitem__(self, rows: slice) -> "Regions":
        """Of some of the pictures."""
        return Regions(self.boxes[rows], self.scores[rows], self.labels[rows], self.lengths[rows])


@dataclass(frozen=True, slots=True)
class VisualFeatures:
    """Features of B pictures from one backbone pass; grids cover the whole squashed square.

    Attributes:
        trunk: (B, T, 2g, 2g) output of the stride-16 stage; tuned tails start here (T = 112, 2g = 14 at 224 px).
        grid: (B, G, g, g) last feature map, before pooling (G = 1280, g = 7 at 224 px).
        pooled: (B, G) mean of ``grid`` over its cells.
        semantic_scores: (B, C, g, g) class scores (logits) per cell for the C classes of the vision package, or None
            where the segmenter was not asked for.
        presence: (B, C) probability that each class is in the picture, or None.
        class_map: (B, h, w) int64 class ids into the *mask* classes (0 background), or None.
        confidence: (B, h, w) probability of the class in ``class_map``, or None.
        regions: where things are, or None where nobody asked for proposals.
    """

    trunk: torch.Tensor
    grid: torch.Tensor
    pooled: torch.Tensor
    semantic_scores: torch.Tensor | None = None
    presence: torch.Tensor | None = None
    class_map: torch.Tensor | None = None
    confidence: torch.Tensor | None = None
    regions: Regions | None = None


@dataclass(frozen=True, slots=True)
class BackboneFeatures:
    """What the backbone gives before any head: feature maps of B pictures, finest first.

    Attributes:
        stride8: (B, c8, 4g, 4g), 40 x 28 x 28 for tf_efficientnet_lite0 at 224 px.
        trunk: (B, T, 2g, 2g), 112 x 14 x 14.
        grid: (B, G, g, g), 1280 x 7 x 7.
    """

    stride8: torch.Tensor
    trunk: torch.Tensor
    grid: torch.Tensor
