"""3-D CNNs that read clips (papers 2.2), and the same network without time to compare them with.

The paper names a 3-D CNN and not which; both of these are reconstructed. ``small`` is a residual network for training
from scratch; ``r3d_18`` is torchvision's (Tran et al. 2018) on Kinetics-400, for users who are online once to fetch
its weights.
"""
# B clips, C channels, T frames of a map, h x w cells of a map, S side of a square

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import get_model

from explorer.vision.hub import fill_network

KINETICS_NETWORK = "r3d_18"
"""torchvision's name of the 18-layer 3-D residual network."""

KINETICS_SIDE_PX = 112
CLIP_FRAMES = 16

CLIP_MEAN = (0.43216, 0.394666, 0.37645)
"""Of each RGB channel of Kinetics-400, of values in [0, 1]."""

CLIP_STD = (0.22803, 0.22145, 0.216989)

_DIFFERENCE_SCALE = 0.1
"""Typical size of what changes between two frames, of values in [0, 1]."""

VideoNetworkKind = Literal["small", "r3d_18"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoNetworkConfig:
    """What reads the clips.

    Attributes:
        kind: our small network, or torchvision's ``r3d_18``.
        n_frames: frames of a clip (16 in the field).
        side_px: side of a frame; 112 for ``r3d_18``.
        channels: of ``small``: of the stem and of each block after it.
        sees_time: of ``small``: whether kernels reach over time. Without, it is a 2-D CNN on each frame whose features
            are averaged: the baseline.
        differences: of ``small``, where it sees time: whether a fourth channel has how much lighter each frame is than
            the one before (as in temporal segment networks, Wang et al. 2016): motion is then learned from the first
            passes on.
    """

    kind: VideoNetworkKind = "small"
    n_frames: int = CLIP_FRAMES
    side_px: int = 64
    channels: tuple[int, ...] = (16, 32, 64, 128)
    sees_time: bool = True
    differences: bool = True

    @property
    def n_inputs(self) -> int:
        """Channels of what the network reads."""
        return 4 if self.kind == "small" and self.sees_time and self.differences else 3

    def __post_init__(self) -> None:
        if self.n_frames < 4 or self.side_px < 2 ** (len(self.channels) + 1):
            raise ValueError(f"clips of {self.n_frames} frames of {self.side_px} px are too small for the network")
        if len(self.channels) < 3 or min(self.channels) < 1:
            raise ValueError(f"the network needs a stem and at least two blocks, got channels {self.channels}")
        if self.kind == KINETICS_NETWORK and (self.side_px, self.sees_time) != (KINETICS_SIDE_PX, True):
            raise ValueError(f"{KINETICS_NETWORK} sees time and takes frames of {KINETICS_SIDE_PX} px")


class VideoNetwork(nn.Module):
    """A stem and blocks of convolutions, and what is left of the last map when time and place are taken out.

    That is the mean over time and place; of ``small`` also the mean over time of the largest value in each frame, for
    what moves is small (reconstructed).

    Attributes:
        config: what it was built from.
        dim: width of what it gives.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, config: VideoNetworkConfig, stem: nn.Module, blocks: nn.ModuleList, dim: int) -> None:
        """Take the parts; see :func:`build_network`."""
        super().__init__()
        self.config, self.dim = config, dim
        self.stem, self.blocks = stem, blocks
        self.register_buffer("mean", torch.tensor(CLIP_MEAN).view(1, 3, 1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(CLIP_STD).view(1, 3, 1, 1, 1), persistent=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Features (B, dim) of clips as :meth:`normalised` gives them."""
        return self.pooled(self.maps(frames)[-1])

    def maps(self, frames: Tensor) -> list[Tensor]:
        """What every block gives for clips as :meth:`normalised` gives them, (B, C, T, h, w) each."""
        return list(self._run(self.stem(frames), self.blocks))

    def from_map(self, values: Tensor, block: int) -> Tensor:
        """Features (B, dim) from what a block gave, ``block`` counted as in :meth:`maps`."""
        *_, last = [values, *self._run(values, self.blocks[block + 1 :])]
        return self.pooled(last)

    def pooled(self, values: Tensor) -> Tensor:
        """Features, float32 (B, dim), from the last map (B, C, T, h, w)."""
        means = values.float().mean(dim=(2, 3, 4))
        if self.config.kind == KINETICS_NETWORK:
            return means
        return torch.cat([means, values.amax(dim=(3, 4)).float().mean(dim=2)], dim=1)

    def normalised(self, clips: Tensor) -> Tensor:
        """Clips as they come, uint8 (B, n_frames, side_px, side_px, 3), as (B, 3 or 4, n_frames, side_px, side_px)."""
        values = clips.to(self.mean.device).permute(0, 4, 1, 2, 3).to(self.mean.dtype) / 255
        frames = (values - self.mean) / self.std
        if self.config.n_inputs == 3:
            return frames
        grey = values.mean(dim=1, keepdim=True)
        # The first frame has none before it: nothing changed.
        changes = functional.pad(grey.diff(dim=2), (0, 0, 0, 0, 1, 0)) / _DIFFERENCE_SCALE
        return torch.cat([frames, changes], dim=1).contiguous(memory_format=torch.channels_last_3d)

    def _run(self, values: Tensor, blocks: nn.ModuleList) -> Iterator[Tensor]:
        for block in blocks:
            values = block(values)
            yield values


class ResidualBlock(nn.Module):
    """Two 3 x 3 x 3 convolutions with normalisation beside a shortcut (He et al. 2016, in three dimensions)."""

    def __init__(self, n_in: int, n_out: int, stride: tuple[int, int, int], *, sees_time: bool) -> None:
        """``stride`` of time, height and width."""
        super().__init__()
        self.first = _convolution(n_in, n_out, (3, 3), stride, sees_time=sees_time)
        self.first_norm: nn.Module = nn.BatchNorm3d(n_out)
        self.second = _convolution(n_out, n_out, (3, 3), (1, 1, 1), sees_time=sees_time)
        self.second_norm: nn.Module = nn.BatchNorm3d(n_out)
        self.shortcut = _convolution(n_in, n_out, (1, 1), stride, sees_time=sees_time)
        self.shortcut_norm: nn.Module = nn.BatchNorm3d(n_out)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, values: Tensor) -> Tensor:
        """(B, n_in, T, h, w) to (B, n_out, T', h', w')."""
        inner = self.second_norm(self.second(self.relu(self.first_norm(self.first(values)))))
        result: Tensor = self.relu(inner + self.shortcut_norm(self.shortcut(values)))
        return result

    def fold(self) -> None:
        """Fold the normalisations into the convolutions, in place."""
        self.first, self.first_norm = _folded(self.first, self.first_norm)
        self.second, self.second_norm = _folded(self.second, self.second_norm)
        self.shortcut, self.shortcut_norm = _folded(self.shortcut, self.shortcut_norm)


class Stem(nn.Module):
    """The first convolution, 5 x 5 x 5, with normalisation; halves the side and, if it sees time, the frames."""

    def __init__(self, n_in: int, n_out: int, *, sees_time: bool) -> None:
        super().__init__()
        stride = (2 if sees_time else 1, 2, 2)
        self.convolution = _convolution(n_in, n_out, (5, 5), stride, sees_time=sees_time)
        self.norm: nn.Module = nn.BatchNorm3d(n_out)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, frames: Tensor) -> Tensor:
        """(B, n_in, T, S, S) to (B, n_out, T / 2 or T, S / 2, S / 2)."""
        result: Tensor = self.relu(self.norm(self.convolution(frames)))
        return result

    def fold(self) -> None:
        """Fold the normalisation into the convolution, in place."""
        self.convolution, self.norm = _folded(self.convolution, self.norm)


def build_network(config: VideoNetworkConfig, *, allow_download: bool = False) -> VideoNetwork:
    """The network; ``small`` with fresh weights, ``r3d_18`` with those of Kinetics-400 from torch hub's cache.

    allow_download: fetch these if they are not there; never done unasked.

    Raises
    ------
    ConfigError
        the weights of ``r3d_18`` are not here, or cannot be read or fetched.
    """
    if config.kind == KINETICS_NETWORK:
        network = get_model(KINETICS_NETWORK, weights=None)
        fill_network(network, KINETICS_NETWORK, title="the network for clips", allow_download=allow_download)
        # All but the last layer, which names Kinetics' classes.
        blocks = nn.ModuleList([network.layer1, network.layer2, network.layer3, network.layer4])
        return VideoNetwork(config, network.stem, blocks, dim=network.fc.in_features)
    stem_dim, *widths = config.channels
    blocks = nn.ModuleList()
    for number, (n_in, n_out) in enumerate(zip(config.channels, widths, strict=False)):
        # Time is halved at both ends. The frames that a stride leaves out make a 2-D network know which came first.
        is_last = number == len(widths) - 1
        stride = (2 if is_last and config.sees_time else 1, 2, 2)
        blocks.append(ResidualBlock(n_in, n_out, stride, sees_time=config.sees_time))
    stem = Stem(config.n_inputs, stem_dim, sees_time=config.sees_time)
    return VideoNetwork(config, stem, blocks, dim=2 * widths[-1])


def fetch_kinetics() -> None:
    """Fetch the weights of ``r3d_18``, and see that they fill it; raises as :func:`build_network` does."""
    build_network(VideoNetworkConfig(kind="r3d_18", side_px=KINETICS_SIDE_PX), allow_download=True)


def answering_form(network: VideoNetwork) -> VideoNetwork:
    """The same function, computed faster, in place: for a network that is trained no more.

    Normalisations of ``small`` are folded into its convolutions, and channels are kept last.
    """
    network.eval().requires_grad_(False)
    for part in network.modules():
        if isinstance(part, Stem | ResidualBlock):
            part.fold()
    return network.to(memory_format=torch.channels_last_3d)


def _convolution(
    n_in: int, n_out: int, sizes: tuple[int, int], stride: tuple[int, int, int], *, sees_time: bool
) -> nn.Conv3d:
    """A convolution whose kernel is ``sizes`` long in time and wide; padded to keep the shape."""
    length, side = sizes[0] if sees_time else 1, sizes[1]
    return nn.Conv3d(n_in, n_out, (length, side, side), stride, (length // 2, side // 2, side // 2), bias=False)


def _folded(convolution: nn.Conv3d, norm: nn.Module) -> tuple[nn.Conv3d, nn.Module]:
    if not isinstance(norm, nn.BatchNorm3d):
        return convolution, norm
    return fuse_conv_bn_eval(convolution, norm), nn.Identity()
