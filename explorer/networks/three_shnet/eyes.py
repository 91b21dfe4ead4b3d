"""From what vision gives to visual tokens, as a package's network was trained on them."""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from explorer.errors import PackageError
from explorer.networks.common.loading import load_strictly
from explorer.networks.three_shnet.tokens import TokenConfig, VisualTokens, standardised, visual_tokens
from explorer.packages.package import ModelPackage
from explorer.vision import VisualFeatures, inference_form, load_backbone

_TOKENS = ("mean", "scale")


class Eyes(nn.Module):
    """From what vision gives to the inputs of the image encoder.

    Attributes:
        tail: the tuned tail, or None where vision's own grid is read.
        config: what a visual token is made of.
        mean: of each channel of a visual token.
        scale: its spread.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, tail: nn.Module | None, mean: Tensor, scale: Tensor, config: TokenConfig) -> None:
        super().__init__()
        self.tail = tail
        self.config = config
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)

    def forward(self, seen: VisualFeatures) -> Tensor:
        """Visual tokens (B, N, V); row by row where they are the cells of the grid."""
        return self.look(seen).values

    def look(self, seen: VisualFeatures) -> VisualTokens:
        """Visual tokens with their lengths and, where they are regions, their boxes.

        Raises ``ValueError`` where regions are read and vision was not asked to propose any.
        """
        grid = seen.grid
        if self.tail is not None:
            weight = next(self.tail.parameters())
            trunk = seen.trunk.to(weight.dtype).contiguous(memory_format=torch.channels_last)
            grid = self.tail(trunk)
        return standardised(visual_tokens(self.config, grid, seen.trunk, seen.regions), self.mean, self.scale)


def read_eyes(
    package: ModelPackage,
    tensors: Mapping[str, Mapping[str, np.ndarray]],
    device: torch.device,
    *,
    width: int,
    tuned: bool,
    config: TokenConfig,
) -> Eyes:
    """The eyes that a package carries; its tensors by part.

    Raises
    ------
    PackageError
        a tensor is missing or of another shape.
    """
    tail = None
    if tuned:
        backbone_tail = load_backbone(package.manifest.backbone.name).tail
        load_strictly(backbone_tail, tensors.get("tail", {}), package_name=package.name)
        tail = inference_form(backbone_tail, device)
    mean, scale = (_token_tensor(package, tensors.get("tokens", {}), name, width) for name in _TOKENS)
    return Eyes(tail, mean, scale, config)


def _token_tensor(package: ModelPackage, tensors: Mapping[str, np.ndarray], name: str, width: int) -> Tensor:
    tensor = tensors.get(name)
    if tensor is None or tensor.shape != (width,):
        shape = None if tensor is None else tensor.shape
        raise PackageError(f"The tensor tokens.{name} of {package.name} has shape {shape}, expected {(width,)}.")
    return torch.from_numpy(tensor).float()
