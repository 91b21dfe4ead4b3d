"""Views of a training photo: itself, mirrored, and crops with changed colours (reconstructed; not in the paper)."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from explorer.media.image import squash

_CROP_AREA = (0.45, 1.0)
_CROP_ASPECT = (0.8, 1.25)
_BRIGHTNESS = (0.7, 1.3)
_CONTRAST = (0.7, 1.3)
_SATURATION = (0.6, 1.4)
_LUMINANCE = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at every photo of a split.

    Attributes:
        kind: what is done.
        seed: of the crops; the same seed gives the same crop of the same photo.
    """

    kind: Literal["photo", "mirrored", "crop"]
    seed: int = 0

    @property
    def name(self) -> str:
        """For file names and messages."""
        return f"{self.kind}{self.seed}" if self.kind == "crop" else self.kind

    def of(self, square: np.ndarray, photo: int) -> np.ndarray:
        """The view of photo number ``photo``: uint8 RGB (side, side, 3) in, the same out."""
        if self.kind == "photo":
            return square
        if self.kind == "mirrored":
            return np.ascontiguousarray(square[:, ::-1])
        return _crop(square, np.random.default_rng((self.seed, photo)))


def training_views(n_crops: int, flip: bool, seed: int) -> list[View]:
    """The photo itself first, then what the recipe asks for."""
    mirrored = [View("mirrored")] if flip else []
    return [View("photo"), *mirrored, *(View("crop", seed * 100 + i) for i in range(n_crops))]


def _crop(square: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    side = len(square)
    area = rng.uniform(*_CROP_AREA)
    aspect = np.exp(rng.uniform(*np.log(_CROP_ASPECT)))
    width = min(side, int(side * np.sqrt(area * aspect)))
    height = min(side, int(side * np.sqrt(area / aspect)))
    left, top = rng.integers(0, side - width + 1), rng.integers(0, side - height + 1)
    view = squash(np.ascontiguousarray(square[top : top + height, left : left + width]), side)
    if rng.random() < 0.5:
        view = view[:, ::-1]
    return change_colours(view, rng)


def change_colours(view: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Brightness, contrast and saturation changed at random; uint8 RGB (h, w, 3) in, the same out."""
    pixels = view.astype(np.float32) * rng.uniform(*_BRIGHTNESS)
    mean = pixels.mean()
    pixels = (pixels - mean) * rng.uniform(*_CONTRAST) + mean
    grey = (pixels @ _LUMINANCE)[..., None]
    pixels = (pixels - grey) * rng.uniform(*_SATURATION) + grey
    changed: np.ndarray = np.clip(pixels, 0, 255).astype(np.uint8)
    return changed
