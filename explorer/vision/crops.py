"""Boxes cut out of pictures and seen by AlexNet, for users who are online once to fetch its weights.

One pass of a whole network for every box: slower by far than reading boxes off the shared backbone's maps.
"""
# B pictures, L boxes each, U crops

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models import get_model

from explorer.vision.hub import fill_network

CROP_NETWORK = "alexnet"
"""AlexNet (Krizhevsky 2014, "One weird trick"), as torchvision has it, on ImageNet."""

CROP_DIM = 4096
"""Width of fc7."""

_SIDE_PX = 224
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_SLICE = 32
"""Crops that are seen at once."""


class CropNetwork(nn.Module):
    """AlexNet as far as fc7, on boxes that are cut out and warped to 224 x 224."""

    mean: Tensor
    std: Tensor

    def __init__(self, features: nn.Module, pool: nn.Module, hidden: nn.Module) -> None:
        """Take AlexNet's three parts; ``hidden`` ends with the ReLU of fc7."""
        super().__init__()
        self.features, self.pool, self.hidden = features, pool, hidden
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)

    @torch.inference_mode()
    def forward(self, squares: np.ndarray, boxes: Tensor) -> Tensor:
        """Features (B, L, 4096) of boxes (B, L, 4), normalised xyxy, of squares, uint8 RGB (B, side, side, 3)."""
        if squares.dtype != np.uint8 or squares.ndim != 4 or len(squares) != len(boxes):
            raise ValueError(f"{len(boxes)} pictures' boxes need as many uint8 squares (B, side, side, 3), "
                             f"got {squares.dtype} of shape {squares.shape}")
        # Padding repeats the whole picture: every box is seen once.
        numbered = torch.cat([_numbers(boxes), boxes.float()], dim=-1).flatten(0, 1)
        unique, inverse = torch.unique(numbered, dim=0, return_inverse=True)
        seen = [self._see(squares, part) for part in unique.split(_SLICE) if len(part)]
        rows = torch.cat(seen) if seen else self.mean.new_zeros(0, CROP_DIM)
        return rows[inverse].view(*boxes.shape[:2], CROP_DIM)

    def _see(self, squares: np.ndarray, numbered: Tensor) -> Tensor:
        crops = torch.stack([cut_box(squares[int(row[0])], row[1:]) for row in numbered.tolist()])
        pixels = (crops.to(self.mean.device) / 255 - self.mean) / self.std
        rows: Tensor = self.hidden(self.pool(self.features(pixels)).flatten(1))
        return rows


def cut_box(square: np.ndarray, box: list[float]) -> Tensor:
    """The pixels that a box touches, warped to 224 x 224 bilinearly; float32 (3, 224, 224) of 0 to 255.

    square: uint8 RGB (h, w, 3).   box: normalised xyxy. Warping undoes what squashing did to a box: a crop of the
    square is that of the picture, if not as sharp.
    """
    height, width = square.shape[:2]
    left, right = _span(box[0], box[2], width)
    top, bottom = _span(box[1], box[3], height)
    pixels = torch.from_numpy(square[top:bottom, left:right].transpose(2, 0, 1).astype(np.float32))
    warped = F.interpolate(pixels[None], (_SIDE_PX, _SIDE_PX), mode="bilinear", antialias=True)
    return warped[0]


def load_crop_network(*, allow_download: bool = False, device: torch.device | str = "cpu") -> CropNetwork:
    """AlexNet with the weights that torchvision publishes for it, from torch hub's cache.

    allow_download: fetch the weights if they are not there; never done unasked.

    Raises
    ------
    ConfigError
        its weights are not here, or cannot be read or fetched.
    """
    network = get_model(CROP_NETWORK, weights=None)
    fill_network(network, CROP_NETWORK, title="the network for crops", allow_download=allow_download)
    # All but the last layer, which names ImageNet's classes.
    crops = CropNetwork(network.features, network.avgpool, network.classifier[:6])
    return crops.eval().requires_grad_(False).to(device)


def _numbers(boxes: Tensor) -> Tensor:
    """The number of each box's picture, (B, L, 1)."""
    numbers = torch.arange(len(boxes), device=boxes.device, dtype=torch.float32)
    return numbers.view(-1, 1, 1).expand(-1, boxes.shape[1], 1)


def _span(low: float, high: float, n_px: int) -> tuple[int, int]:
    """First pixel and the one behind the last that lie between two edges; at least one."""
    first = min(max(int(low * n_px), 0), n_px - 1)
    return first, min(max(int(np.ceil(high * n_px)), first + 1), n_px)
