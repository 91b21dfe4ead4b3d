"""The video stream of DSMHN: clips to activations (papers 2.2)."""
# B clips, T frames, S side of a square, K bits

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.networks.dsmhn.video_network import VideoNetwork, answering_form

CPU_SLICE = 4
"""Clips computed together on a CPU; more leave the cache."""


class VideoStream(nn.Module):
    """A 3-D CNN and the hash layers on what it gives.

    Attributes:
        network: from normalised clips to features.
        hash: from features (B, network.dim) to activations (B, K) in [-1, 1].
    """

    def __init__(self, network: VideoNetwork, hash_layers: nn.Module) -> None:
        """Take both parts; the hash layers are those of the other streams."""
        super().__init__()
        self.network, self.hash = network, hash_layers

    def forward(self, clips: Tensor) -> Tensor:
        """Activations (B, K) of clips as they come: uint8 RGB (B, n_frames, side_px, side_px, 3)."""
        return self.activations(self.network(self.network.normalised(clips)))

    def activations(self, features: Tensor) -> Tensor:
        """Activations (B, K) of features (B, network.dim)."""
        result: Tensor = self.hash(features)
        return result

    def only_answers(self) -> "VideoStream":
        """Change the stream in place to compute the same faster, and give it; it can be trained no more."""
        self.eval().requires_grad_(False)
        answering_form(self.network)
        return self

    @torch.inference_mode()
    def encode(self, clips: np.ndarray) -> np.ndarray:
        """Activations, float32 (B, K), of clips, uint8 RGB (B, n_frames, side_px, side_px, 3); B may be 0."""
        config = self.network.config
        expected = (config.n_frames, config.side_px, config.side_px, 3)
        if clips.dtype != np.uint8 or clips.shape[1:] != expected:
            raise ValueError(f"clips must be uint8 (B, {', '.join(map(str, expected))}), "
                             f"got {clips.dtype} of shape {clips.shape}")
        # An empty batch still says how wide the codes are.
        parts = torch.tensor(clips).split(CPU_SLICE)
        rows: np.ndarray = torch.cat([self(part).float().cpu() for part in parts]).numpy()
        return rows


def to_clip(frames: Sequence[np.ndarray] | np.ndarray, n_frames: int, side_px: int) -> np.ndarray:
    """Frames as a clip, uint8 RGB (n_frames, side_px, side_px, 3).

    frames: at least one, uint8, (h, w, 3), (h, w, 1) or (h, w), grey or in colour, of any size; squashed to squares.
    Of more than ``n_frames`` some are taken, evenly; of fewer the clip begins again where it ends (papers 2.6).

    Raises ``ValueError`` where there is no frame, or one is no picture.
    """
    if not len(frames):
        raise ValueError("a clip needs at least one frame")
    n = len(frames)
    rows = np.arange(n_frames) % n if n < n_frames else ((np.arange(n_frames) + 0.5) * n / n_frames).astype(int)
    squares = {row: _square(frames[row], side_px) for row in set(rows.tolist())}
    return np.stack([squares[row] for row in rows.tolist()])


def _square(frame: np.ndarray, side_px: int) -> np.ndarray:
    coloured = frame[..., None] if frame.ndim == 2 else frame
    if coloured.dtype != np.uint8 or coloured.ndim != 3 or coloured.shape[2] not in (1, 3) or 0 in coloured.shape:
        raise ValueError(f"a frame must be uint8 (h, w, 3) or grey, got {frame.dtype} of shape {frame.shape}")
    coloured = np.broadcast_to(coloured, (*coloured.shape[:2], 3))
    if coloured.shape[:2] == (side_px, side_px):
        return np.ascontiguousarray(coloured)
    values = torch.tensor(coloured).permute(2, 0, 1)[None].float()
    squashed = functional.interpolate(values, (side_px, side_px), mode="bilinear", antialias=True)
    square: np.ndarray = squashed[0].round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return square
