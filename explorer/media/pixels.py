"""From a decoder's pixel modes to upright 8-bit RGB."""

import numpy as np
from PIL import Image

_WHITE = 255


def to_rgb(image: Image.Image, min_edge_px: int | None) -> np.ndarray:
    """A loaded picture as uint8 RGB (h, w, 3), C-contiguous; reduced by a whole factor while its short edge allows.

    Modes: grey, palette, alpha (on white), CMYK, 16 and 32 bit and floating point (scaled, never clipped).
    """
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_to_rgb(_reduced_array(np.asarray(image), min_edge_px))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        return on_white(np.asarray(_reduced(image, min_edge_px)))
    if image.mode in ("P", "1"):
        image = image.convert("RGB")
    return np.ascontiguousarray(_reduced(image, min_edge_px).convert("RGB"))


def orient(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Apply an EXIF orientation (1..8): what the camera recorded to what it saw."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.transpose(1, 0, 2)
    # After the transposition of 5..8, mirroring the new x axis makes 6, the new y axis 8, both 7.
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def _factor(width_px: int, height_px: int, min_edge_px: int | None) -> int:
    return 1 if min_edge_px is None else max(1, min(width_px, height_px) // min_edge_px)


def _reduced(image: Image.Image, min_edge_px: int | None) -> Image.Image:
    factor = _factor(*image.size, min_edge_px)
    return image if factor == 1 else image.reduce(factor)


def _reduced_array(values: np.ndarray, min_edge_px: int | None) -> np.ndarray:
    height, width = values.shape
    factor = _factor(width, height, min_edge_px)
    return values[::factor, ::factor]


def on_white(rgba: np.ndarray) -> np.ndarray:
    """Composite uint8 RGBA on white, rounded: 16-bit sums are enough, 255 * 255 + 127 fits."""
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3] * alpha + _WHITE * (_WHITE - alpha) + np.uint16(127)
    return (mixed // 255).astype(np.uint8)


def _deep_to_rgb(values: np.ndarray) -> np.ndarray:
    """Grey of more than 8 bits, scaled by what its type can hold (floats and 32 bit: by what they do hold)."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        # 65535 / 257 = 255, so that white stays white.
        grey = (values.astype(np.uint32) + 128) // 257
    else:
        finite = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
        low, high = min(0.0, float(finite.min())), float(finite.max())
        top = next((limit for limit in _natural_tops(values.dtype) if high <= limit), high)
        grey = np.rint((finite - low) * (255.0 / max(top - low, 1e-12)))
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def _natural_tops(dtype: np.dtype) -> tuple[float, ...]:
    """Values that are likely meant as white: 1 for floats, the top of 8, 16 and 32 bits for integers."""
    return (1.0, 255.0, 65535.0) if dtype.kind == "f" else (65535.0, 4294967295.0)
