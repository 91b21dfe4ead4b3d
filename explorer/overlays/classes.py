"""Class maps as small images with crisp borders, and their legend."""

from dataclasses import dataclass

import numpy as np

from explorer.overlays.class_colours import class_colours
from explorer.overlays.interpolation import enlarge
from explorer.overlays.overlay import ClassOverlay

CLASS_EDGE = 448
"""Pixels along the longer edge of what is painted."""

_FILL = 0.62
_LINE_PX = 2


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
    colours = class_colours(present)
    return tuple(
        LegendRow(
            class_id=class_id, name=overlay.names[class_id], colour=colours[class_id],
            share=float(counts[class_id]) / overlay.class_ids.size, visible=class_id not in overlay.hidden,
        )
        for class_id in present
    )


def index_map(overlay: ClassOverlay, *, edge: int = CLASS_EDGE) -> np.ndarray:
    """The class painted at each place, uint8 (h', w'); 0 where nothing is.

    Borders run where two classes weigh the same between the cell centres: no colours are mixed, and no stairs are drawn
    that the model did not see. Hidden classes and what is less certain than the threshold become 0.
    """
    h, w = overlay.class_ids.shape
    grow = max(1, edge // max(h, w))
    ids = overlay.class_ids
    confident = overlay.confidence
    if grow > 1:
        confident = enlarge(confident.astype(np.float32), h * grow, w * grow)
        best = np.zeros((h * grow, w * grow), np.float32)
        enlarged = np.zeros(best.shape, np.uint8)
        for class_id in np.unique(ids):
            weight = enlarge((ids == class_id).astype(np.float32), h * grow, w * grow)
            wins = weight > best
            enlarged[wins] = class_id
            best[wins] = weight[wins]
        ids = enlarged
    kept = (confident >= overlay.threshold) & ~np.isin(ids, list(overlay.hidden))
    return np.where(kept, ids, 0).astype(np.uint8)


def _border(ids: np.ndarray) -> np.ndarray:
    """Where a painted class ends, bool of the shape of ``ids``: drawn inside the class, so that both sides show."""
    padded = np.pad(ids, _LINE_PX, mode="edge")
    n = 2 * _LINE_PX
    h, w = ids.shape
    border = np.zeros(ids.shape, bool)
    for dy, dx in ((0, _LINE_PX), (n, _LINE_PX), (_LINE_PX, 0), (_LINE_PX, n)):
        border |= padded[dy : dy + h, dx : dx + w] != ids
    return border & (ids > 0)


def class_rgba(overlay: ClassOverlay, *, edge: int = CLASS_EDGE) -> np.ndarray:
    """The map as a premultiplied image, uint8 (h', w', 4): light fill, firm outline; opacity is left to whoever paints."""
    ids = index_map(overlay, edge=edge)
    table = np.zeros((256, 4), np.float32)
    for row in legend_rows(overlay):
        table[row.class_id] = (*row.colour, 255)
    strength = np.full(ids.shape, _FILL, np.float32)
    if max(ids.shape) > 4 * max(overlay.class_ids.shape):
        strength[_border(ids)] = 1.0
    return np.rint(table[ids] * strength[..., None]).astype(np.uint8)
