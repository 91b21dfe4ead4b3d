"""Regions as strokes to draw, and as the cover of the paper."""

from dataclasses import dataclass

import numpy as np

from explorer.overlays.heat import cover_rgba, heat_range, heat_values, region_table, strengths
from explorer.overlays.overlay import HeatOverlay, RegionOverlay, Style

COVER_EDGE = 448
"""Pixels along either edge of a cover made of regions; it is stretched over the picture."""

_NOTICED = 0.02
"""Of the largest: what lies less below zero is as good as zero."""


@dataclass(frozen=True, slots=True)
class RegionStroke:
    """One region as it is outlined.

    Attributes:
        place: its row in the overlay.
        box: xyxy normalised to the picture.
        colour: RGB.
        strength: in [0, 1]; stronger ones are drawn later and wider.
        negative: whether its weight lies below zero; such a one is outlined with dashes.
    """

    place: int
    box: tuple[float, float, float, float]
    colour: tuple[int, int, int]
    strength: float
    negative: bool = False

    @property
    def number(self) -> int:
        """What a person calls it: 1 is the most dominant."""
        return self.place + 1


def seen_regions(overlay: RegionOverlay) -> np.ndarray:
    """Rows of the regions that reach the threshold, the weakest first, int64."""
    strength = _strengths(overlay)
    order = np.argsort(strength, kind="stable")
    kept: np.ndarray = order[strength[order] >= overlay.threshold] if overlay.threshold > 0 else order
    return kept


def region_strokes(overlay: RegionOverlay) -> tuple[RegionStroke, ...]:
    """What is drawn, the weakest first so that the strongest lies on top."""
    stretched = heat_values(overlay)
    strength = strengths(overlay, stretched)
    values = np.nan_to_num(overlay.values)
    negative = values < -_NOTICED * np.abs(values).max(initial=0.0)
    colours = region_table(overlay.colour_map)[np.rint(stretched * 255).astype(np.uint8)].tolist()
    boxes = np.clip(overlay.boxes, 0, 1).tolist()
    return tuple(
        RegionStroke(
            place, tuple(boxes[place]), tuple(colours[place]), float(strength[place]), bool(negative[place])
        )
        for place in seen_regions(overlay).tolist()
    )


def region_saliency(overlay: RegionOverlay, *, edge: int = COVER_EDGE) -> np.ndarray:
    """The largest weight of the boxes that cover each pixel, 0 outside of all; float32 (edge, edge).

    Reconstructed from the caption of the paper's Fig. 5 (README.md 3.11).
    """
    saliency = np.zeros((edge, edge), np.float32)
    covered = np.clip(np.rint(overlay.boxes * edge), 0, edge).astype(np.int64)
    values = np.nan_to_num(overlay.values)
    for place in np.argsort(values, kind="stable"):
        left, top, right, bottom = covered[place]
        saliency[top:bottom, left:right] = values[place]
    return saliency


def region_cover_rgba(overlay: RegionOverlay, *, edge: int = COVER_EDGE) -> np.ndarray:
    """The cover as a premultiplied image, uint8 (edge, edge, 4); regions below the threshold are covered as well.

    Nothing if all weights are alike and there is nothing outside of the regions.
    """
    saliency = region_saliency(overlay, edge=edge)
    low, high = _cover_range(overlay, saliency)
    if not high > low:
        return np.zeros((edge, edge, 4), np.uint8)
    return cover_rgba(np.clip((saliency - low) / (high - low), 0, 1), overlay.threshold)


def _strengths(overlay: RegionOverlay) -> np.ndarray:
    """How much of each is to be seen, in [0, 1]: what the threshold is compared with."""
    low, high = bar_range(overlay)
    if overlay.style is not Style.COVER or not high > low:
        return strengths(overlay, heat_values(overlay))
    strength: np.ndarray = np.clip((np.nan_to_num(overlay.values) - low) / (high - low), 0, 1)
    return strength


def bar_range(overlay: HeatOverlay | RegionOverlay) -> tuple[float, float]:
    """The raw values at the two ends of the colour bar; under a cover of regions what is outside of them counts too."""
    if isinstance(overlay, RegionOverlay) and overlay.style is Style.COVER:
        return region_cover_range(overlay)
    return heat_range(overlay)


def region_cover_range(overlay: RegionOverlay) -> tuple[float, float]:
    """The raw values under the darkest and the clearest part of the cover (low, high); outside of regions it is 0."""
    return _cover_range(overlay, region_saliency(overlay))


def _cover_range(overlay: RegionOverlay, saliency: np.ndarray) -> tuple[float, float]:
    if overlay.span is not None:
        low, high = overlay.span
        return min(low, 0.0), high
    return float(saliency.min()), float(saliency.max())
