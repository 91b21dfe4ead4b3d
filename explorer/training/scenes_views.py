"""Clips as a camera and a codec could have left them: what training clips are changed to (reconstructed).

What labels speak of stays: colours keep their hue, and nothing is mirrored or played backwards.
"""
# B clips, N rendered frames, T frames of a clip, S side of a square

import torch
from torch import Tensor
from torch.nn import functional

_MOST_CUT = 0.14
"""Share of a side that a crop leaves out at most."""

_LATEST = 0.08
"""Share of a clip's time that may be missing at its beginning, and at its end."""

_SHADE = 0.2
_TINT = 0.06
_NOISE = 10.0
"""Of values from 0 to 255."""

_SHARE = 0.5
"""Of the clips: blurred, with coarse colours, noisy."""


def worn_clip(clip: Tensor, generator: torch.Generator) -> Tensor:
    """A rendered clip (N, S, S, 3), uint8, as a codec keeps it: softer, and with colours for four pixels at once.

    S must be even. Once for each clip, when it is rendered, because it takes as long as a step of training.
    """
    blurs, is_coarse = torch.rand(2, generator=generator).lt(_SHARE).tolist()
    strength = float(torch.rand((), generator=generator)) if blurs else 0.0
    values = clip.permute(0, 3, 1, 2).float()
    padded = functional.pad(values, (1, 1, 1, 1), mode="replicate")
    values = torch.lerp(values, functional.avg_pool2d(padded, 3, stride=1), strength)
    if is_coarse:
        grey = values.mean(dim=1, keepdim=True)
        values = grey + functional.interpolate(functional.avg_pool2d(values - grey, 2), scale_factor=2.0)
    return values.clamp(0, 255).round().byte().permute(0, 2, 3, 1).contiguous()


def changed_clips(clips: Tensor, n_frames: int) -> Tensor:
    """Clips (B, N, S, S, 3), uint8, with their times, edges and light changed: uint8 (B, n_frames, S, S, 3).

    Every draw is from torch's global generator; all frames of a clip are changed alike, but for the noise.
    Computed where the clips are.
    """
    device = clips.device
    rows = drawn_times(clips.shape[0], clips.shape[1], n_frames).to(device)
    frames = clips[torch.arange(len(clips), device=device)[:, None], rows]
    values = _cropped(frames.permute(0, 1, 4, 2, 3).contiguous().float())
    contrast = 1 + (torch.rand(len(clips), 1, 1, 1, 1) * 2 - 1) * _SHADE
    tint = 1 + (torch.rand(len(clips), 1, 3, 1, 1) * 2 - 1) * _TINT
    light = (torch.rand(len(clips), 1, 1, 1, 1) * 2 - 1) * _SHADE * 128
    values.mul_((contrast * tint).to(device)).add_((128 * (1 - contrast) + light).to(device))
    for row in torch.nonzero(torch.rand(len(clips)) < _SHARE).flatten().tolist():
        values[row].add_(torch.randn_like(values[row]), alpha=float(torch.rand(())) * _NOISE)
    return values.clamp_(0, 255).byte().permute(0, 1, 3, 4, 2).contiguous()


def drawn_times(n_clips: int, n_rendered: int, n_frames: int) -> Tensor:
    """Which frames are taken, int64 (n_clips, n_frames), in order; begin, end and each step vary a little."""
    first = torch.rand(n_clips, 1) * _LATEST
    last = 1 - torch.rand(n_clips, 1) * _LATEST
    steps = (torch.arange(n_frames) + torch.rand(n_clips, n_frames)) / n_frames
    return ((first + (last - first) * steps) * n_rendered).long().clamp(max=n_rendered - 1)


def _cropped(values: Tensor) -> Tensor:
    """Frames (B, T, 3, S, S) cut and brought back to their size; between pixels, so that they soften a little."""
    n, n_frames, _, side, _ = values.shape
    size = 1 - torch.rand(n, 2) * _MOST_CUT
    matrices = torch.zeros(n, 2, 3)
    matrices[:, 0, 0], matrices[:, 1, 1] = size[:, 0], size[:, 1]
    matrices[:, :, 2] = (torch.rand(n, 2) * 2 - 1) * (1 - size)
    # Frames of a clip are channels of one picture: they are all cut alike.
    grid = functional.affine_grid(matrices.to(values.device), [n, 1, side, side], align_corners=False)
    cut = functional.grid_sample(
        values.flatten(1, 2), grid, mode="bilinear", padding_mode="border", align_corners=False
    )
    return cut.view(n, n_frames, 3, side, side)
