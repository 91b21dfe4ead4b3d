"""Class maps as small images with crisp borders, and their legend."""

from dataclasses import dataclass

import numpy as np

from explorer.overlays.class_colours import class_colours
from explorer.overlays.interpolation import enlarge, enlarge_smoothly
from explorer.overlays.overlay import ClassOverlay

CLASS_EDGE = 448
"""Pixels along the longer edge of what is painted."""

_FILL = 0.4
_LINE_PX = 2
_HAIR_ALPHA = 110


@dataclass(frozen=True, slots=True)
class LegendRow:
    """One class of the picture.

    Attributes:
        class_id: its id in the map.
        name: what the person reads.
        colour: RGB.
        share: part of the picture that it covers, in (0, 1], before any threshold.
        visible: whether it is painted.
    """

    class_id: int
    name: str
    colour: tuple[int, int, int]
    share: float
    visible: bool


def legend_rows(overlay: ClassOverlay) -> tuple[LegendRow, ...]:
    """The classes in the picture without the background, the largest first."""
    counts = np.bincount(overlay.class_ids.ravel(), minlength=len(overlay.names))
    counts[0] = 0
    present = sorted(np.flatnonzero(counts).tolist(), key=lambda class_id: (-int(counts[class_id]), class_id))
    colours = class_colours([*overlay.colour_order, *present])
    return tuple(
        LegendRow(
            class_id=class_id, name=overlay.names[class_id], colour=colours[class_id],
            share=float(counts[class_id]) / overlay.class_ids.size, visible=class_id not in overlay.hidden,
        )
        for class_id in present
    )


def index_map(overlay: ClassOverlay, *, edge: int = CLASS_EDGE) -> np.ndarray:
    """The class painted at each place, uint8 (h', w'); 0 where nothing is.

    Borders run where two classes weigh the same between the cell centres: no colours are mixed, and every cell keeps
    its own class at its centre. Hidden classes and what is less certain than the threshold become 0.
    """
    h, w = overlay.class_ids.shape
    grow = max(1, edge // max(h, w))
    ids, confident = overlay.class_ids, overlay.confidence.astype(np.float32)
    if grow > 1:
        ids, confident = _enlarged_ids(ids, h * grow, w * grow), enlarge(confident, h * grow, w * grow)
    kept = (confident >= overlay.threshold) & ~np.isin(ids, list(overlay.hidden))
    shown: np.ndarray = np.where(kept, ids, 0).astype(np.uint8)
    return shown


def _enlarged_ids(ids: np.ndarray, height: int, width: int) -> np.ndarray:
    """The class that weighs most at each place, uint8 (height, width)."""
    best = np.zeros((height, width), np.float32)
    enlarged = np.zeros((height, width), np.uint8)
    for class_id in np.unique(ids):
        weight = enlarge_smoothly(_softened((ids == class_id).astype(np.float32)), height, width)
        wins = weight > best
        enlarged[wins] = class_id
        best[wins] = weight[wins]
    return enlarged


def _softened(mask: np.ndarray) -> np.ndarray:
    """A little of each neighbour, so that slanting borders lose their stairs; a lone cell keeps 9/16 of itself."""
    for axis in (0, 1):
        padded = np.pad(mask, [(1, 1) if axis == other else (0, 0) for other in (0, 1)], mode="edge")
        before, after = (padded[:-2], padded[2:]) if axis == 0 else (padded[:, :-2], padded[:, 2:])
        mask = (before + 6 * mask + after) / 8
    return mask


def _near_border(ids: np.ndarray, distance_px: int) -> np.ndarray:
    """Where another class is at most this far away, bool of the shape of ``ids``."""
    padded = np.pad(ids, distance_px, mode="edge")
    h, w = ids.shape
    near = np.zeros(ids.shape, bool)
    reach = range(-distance_px, distance_px + 1)
    for dy, dx in ((dy, dx) for dy in reach for dx in reach if 0 < dy * dy + dx * dx <= distance_px**2 + 0.5):
        near |= padded[distance_px + dy : distance_px + dy + h, distance_px + dx : distance_px + dx + w] != ids
    return near


def class_rgba(overlay: ClassOverlay, *, edge: int = CLASS_EDGE) -> np.ndarray:
    """The map as a premultiplied image, uint8 (h', w', 4): light fill, firm outline, before any opacity.

    A dark hair line outside of the outline keeps it in sight on a ground of its own colour.
    """
    ids = index_map(overlay, edge=edge)
    fill, line = np.zeros((256, 4), np.uint8), np.zeros((256, 4), np.uint8)
    for row in legend_rows(overlay):
        line[row.class_id] = (*row.colour, 255)
        fill[row.class_id] = np.rint(line[row.class_id] * (_FILL if overlay.filled else 0.0))
    rgba: np.ndarray = fill[ids]
    if min(ids.shape) >= 4 * min(overlay.class_ids.shape):
        line[0] = (0, 0, 0, _HAIR_ALPHA)
        near = _near_border(ids, 1)
        near |= _near_border(ids, _LINE_PX) & (ids > 0)
        rgba[near] = line[ids[near]]
    return rgba
