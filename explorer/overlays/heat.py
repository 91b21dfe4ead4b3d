"""Heat maps as small images: colour by value, and more of the picture seen where the value is low.

The cover style of the paper (README.md 3.11: "the more salient, the more transparent") is the opposite way to say the
same: a dark layer that opens where the value is high.
"""

import numpy as np

from explorer.overlays.colour_maps import ColourMap, colour_table
from explorer.overlays.interpolation import enlarge_smoothly
from explorer.overlays.overlay import HeatOverlay, RegionOverlay, Style

HEAT_EDGE = 112
"""Pixels along the longer edge of what is painted: a threshold has a clean edge, and painting stays cheap."""

COVER_CAP = 0.75
"""The cover never hides the picture (reconstructed: the paper gives no number)."""

_FLAT = 1e-6
_FADE = 0.6
_FADE_BY_SIGN = 1.2
"""Above 1, so that what is near zero fades without a bright line where the sign changes."""


def heat_range(overlay: HeatOverlay | RegionOverlay) -> tuple[float, float]:
    """The raw values that the two ends of the colours stand for (low, high); equal if all values are.

    Colours with a sign have zero in their middle; under a cover the ends are the lowest and the highest value.
    """
    if overlay.span is not None:
        return overlay.span
    finite = overlay.values[np.isfinite(overlay.values)]
    if finite.size == 0:
        return 0.0, 0.0
    low, high = float(finite.min()), float(finite.max())
    if has_sign(overlay):
        furthest = max(abs(low), abs(high))
        return -furthest, furthest
    return low, high


def has_sign(overlay: HeatOverlay | RegionOverlay) -> bool:
    """Whether the colours tell values below zero from values above."""
    return overlay.colour_map.has_sign and overlay.style is not Style.COVER


def heat_values(overlay: HeatOverlay | RegionOverlay) -> np.ndarray:
    """The values stretched from :func:`heat_range` to [0, 1], float32 of their shape; nan counts as low, or as zero.

    Where all are alike they are zeros (the middle, of colours with a sign).
    """
    low, high = heat_range(overlay)
    signed = has_sign(overlay)
    if high - low <= _FLAT * abs(high):
        return np.full_like(overlay.values, 0.5 if signed else 0.0)
    finite = np.nan_to_num(overlay.values, nan=0.0 if signed else low, posinf=high, neginf=low)
    stretched: np.ndarray = np.clip((finite - low) / (high - low), 0, 1).astype(np.float32)
    return stretched


def strengths(overlay: HeatOverlay | RegionOverlay, stretched: np.ndarray) -> np.ndarray:
    """How much each stretched value is to be seen, in [0, 1]: itself, or its distance from zero in either direction."""
    return np.abs(2 * stretched - 1) if has_sign(overlay) else stretched


def heat_alpha(values: np.ndarray, threshold: float, *, by_sign: bool = False) -> np.ndarray:
    """How much of the overlay is seen at each strength, float32 in [0, 1]; nothing below the threshold.

    It grows with the strength, so that the picture stays to be seen where the model did not look. ``by_sign``: the
    colours have a sign, and the strength is a distance from zero.
    """
    alpha = values ** (_FADE_BY_SIGN if by_sign else _FADE)
    if threshold > 0:
        alpha = np.where(values >= threshold, alpha, 0.0)
    return np.asarray(alpha, np.float32)


def heat_rgba(overlay: HeatOverlay, *, edge: int = HEAT_EDGE) -> np.ndarray:
    """The map as a premultiplied image, uint8 (h', w', 4); ``overlay.opacity`` is left to whoever paints."""
    h, w = overlay.values.shape
    grow = max(1, edge // max(h, w))
    values = heat_values(overlay)
    if grow > 1:
        values = enlarge_smoothly(values, h * grow, w * grow)
    if overlay.style is Style.COVER:
        low, high = heat_range(overlay)
        return cover_rgba(values, overlay.threshold) if high > low else np.zeros((*values.shape, 4), np.uint8)
    alpha = heat_alpha(strengths(overlay, values), overlay.threshold, by_sign=has_sign(overlay))
    colours = colour_table(overlay.colour_map)[np.rint(values * 255).astype(np.uint8)]
    rgba = np.empty((*values.shape, 4), np.uint8)
    rgba[..., :3] = np.rint(colours * alpha[..., None])
    rgba[..., 3] = np.rint(alpha * 255)
    return rgba


def cover_rgba(stretched: np.ndarray, threshold: float) -> np.ndarray:
    """A black layer, clear where the value is highest, as dark as it gets where it is low; uint8 (h, w, 4)."""
    alpha = np.minimum(1 - stretched, COVER_CAP)
    if threshold > 0:
        alpha = np.where(stretched >= threshold, alpha, COVER_CAP)
    rgba = np.zeros((*stretched.shape, 4), np.uint8)
    rgba[..., 3] = np.rint(alpha * 255)
    return rgba


def bar_colours(overlay: HeatOverlay | RegionOverlay) -> np.ndarray:
    """What the colours mean from low to high, premultiplied uint8 (256, 4): for a colour bar."""
    if overlay.style is Style.COVER:
        return cover_rgba(np.linspace(0, 1, 256, dtype=np.float32), 0.0)
    table = region_table(overlay.colour_map) if isinstance(overlay, RegionOverlay) else colour_table(overlay.colour_map)
    return np.concatenate([table, np.full((256, 1), 255, np.uint8)], axis=1)


_DARK_END = 77


def region_table(colour_map: ColourMap) -> np.ndarray:
    """The colours of outlines, uint8 (256, 3): without the dark end, which a thin line in a dark picture would lose.

    Colours with a sign keep their dark middle: what is there is next to nothing.
    """
    table = colour_table(colour_map)
    if colour_map.has_sign:
        return table
    return table[np.rint(np.linspace(_DARK_END, 255, 256)).astype(np.int64)]
