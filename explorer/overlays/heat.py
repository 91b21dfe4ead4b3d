"""Heat maps as small images: colour by value, and more of the picture seen where the value is low."""

import numpy as np

from explorer.overlays.colour_maps import colour_table
from explorer.overlays.interpolation import enlarge_smoothly
from explorer.overlays.overlay import HeatOverlay

HEAT_EDGE = 112
"""Pixels along the longer edge of what is painted: a threshold has a clean edge, and painting stays cheap."""

_FLAT = 1e-6
_FADE = 0.6


def heat_range(overlay: HeatOverlay) -> tuple[float, float]:
    """The raw values that the two ends of the colour map stand for (low, high); equal if the map is flat."""
    finite = overlay.values[np.isfinite(overlay.values)]
    if finite.size == 0:
        return 0.0, 0.0
    return float(finite.min()), float(finite.max())


def heat_values(overlay: HeatOverlay) -> np.ndarray:
    """The map stretched to [0, 1] by its own range, float32 (h, w); zeros if it is flat; nan counts as low."""
    low, high = heat_range(overlay)
    if high - low <= _FLAT * abs(high):
        return np.zeros_like(overlay.values)
    finite = np.nan_to_num(overlay.values, nan=low, posinf=high, neginf=low)
    stretched: np.ndarray = ((finite - low) / (high - low)).astype(np.float32)
    return stretched


def heat_alpha(values: np.ndarray, threshold: float) -> np.ndarray:
    """How much of the overlay is seen at each stretched value, float32 in [0, 1]; nothing below the threshold.

    It grows with the value, so that the picture stays to be seen where the model did not look.
    """
    alpha = values**_FADE
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
    alpha = heat_alpha(values, overlay.threshold)
    colours = colour_table(overlay.colour_map)[np.rint(values * 255).astype(np.uint8)]
    rgba = np.empty((*values.shape, 4), np.uint8)
    rgba[..., :3] = np.rint(colours * alpha[..., None])
    rgba[..., 3] = np.rint(alpha * 255)
    return rgba
