"""Places of a layer that can be pointed at: the cells of a heat map row by row, or the boxes of a region layer."""

from dataclasses import replace

import numpy as np

from explorer.overlays.colour_maps import ColourMap
from explorer.overlays.overlay import AnyOverlay, ClassOverlay, HeatOverlay, PointedOverlay, RegionOverlay, Style
from explorer.overlays.regions import seen_regions

PlacedOverlay = HeatOverlay | RegionOverlay
NOWHERE = -1


def has_places(overlay: AnyOverlay) -> bool:
    """Whether it can be pointed at; what is shown *for* a place has none of its own."""
    return not isinstance(overlay, ClassOverlay | PointedOverlay)


def same_places(overlay: PlacedOverlay, other: PlacedOverlay) -> bool:
    """Whether both weigh the same cells or the same boxes."""
    if isinstance(overlay, RegionOverlay) and isinstance(other, RegionOverlay):
        return np.array_equal(overlay.boxes, other.boxes)
    return isinstance(overlay, HeatOverlay) and isinstance(other, HeatOverlay) and (
        overlay.values.shape == other.values.shape)


def place_at(overlay: PlacedOverlay, x: float, y: float) -> int:
    """The place at picture coordinates in [0, 1], or :data:`NOWHERE`; of several boxes the smallest that is seen."""
    if isinstance(overlay, HeatOverlay):
        h, w = _cells(overlay)
        return min(h - 1, max(0, int(y * h))) * w + min(w - 1, max(0, int(x * w)))
    seen = seen_regions(overlay)
    left, top, right, bottom = overlay.boxes[seen].T
    inside = seen[(left <= x) & (x <= right) & (top <= y) & (y <= bottom)]
    if inside.size == 0:
        return NOWHERE
    left, top, right, bottom = overlay.boxes[inside].T
    return int(inside[np.argmin((right - left) * (bottom - top))])


def _cells(overlay: HeatOverlay) -> tuple[int, int]:
    return int(overlay.values.shape[0]), int(overlay.values.shape[1])


def place_box(overlay: PlacedOverlay, place: int) -> tuple[float, float, float, float]:
    """Where a place is, xyxy normalised to the picture."""
    if isinstance(overlay, RegionOverlay):
        x0, y0, x1, y1 = np.clip(overlay.boxes[place], 0, 1).tolist()
        return x0, y0, x1, y1
    h, w = overlay.values.shape
    row, column = divmod(place, w)
    return column / w, row / h, (column + 1) / w, (row + 1) / h


def place_name(overlay: PlacedOverlay, place: int) -> str:
    """What a person calls it: the label of a region, or row and column of a cell, from 1."""
    if isinstance(overlay, RegionOverlay):
        return overlay.labels[place] or f"region {place + 1}"
    row, column = divmod(place, overlay.values.shape[1])
    return f"row {row + 1}, column {column + 1}"


def place_value(overlay: PlacedOverlay, place: int) -> float:
    """Its raw weight."""
    return float(overlay.values.flat[place])


def next_place(overlay: PlacedOverlay, place: int, dx: int, dy: int) -> int:
    """The place one step further: the cell beside, or the next stronger (right, up) or weaker (left, down) region."""
    if isinstance(overlay, HeatOverlay):
        h, w = _cells(overlay)
        row, column = divmod(place, w) if place != NOWHERE else (h // 2, w // 2)
        return min(h - 1, max(0, row + dy)) * w + min(w - 1, max(0, column + dx))
    order = seen_regions(overlay).tolist()
    if not order:
        return NOWHERE
    at = order.index(place) if place in order else len(order) - 1
    return int(order[min(len(order) - 1, max(0, at + dx - dy))])


def with_values(overlay: PlacedOverlay, values: np.ndarray) -> PlacedOverlay:
    """The same places with other values, which may be negative: colours with a sign, all of them shown.

    Raises:
        ValueError: there is not one value for each place.
    """
    if values.size != overlay.values.size:
        raise ValueError(f"{overlay.name!r} has {overlay.values.size} places, got {values.size} values")
    shaped = np.asarray(values, np.float32).reshape(overlay.values.shape)
    return replace(
        overlay, values=shaped, colour_map=ColourMap.MANAGUA, style=Style.HEAT, threshold=0.0, visible=True,
        opacity=max(0.75, overlay.opacity), span=None,
    )


def at_place(overlay: PointedOverlay, place: int) -> PointedOverlay:
    """The map of one place instead of the average, on a scale of its own."""
    return replace(overlay, values=overlay.maps[place].astype(np.float32), span=None)
