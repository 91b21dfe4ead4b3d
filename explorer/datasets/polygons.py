"""Outlines to masks."""

from collections.abc import Sequence

import numpy as np


def rasterise_polygons(polygons: Sequence[Sequence[float]], height_px: int, width_px: int) -> np.ndarray:
    """Fill outlines, bool (height_px, width_px): a pixel belongs to a polygon that holds its centre.

    Each polygon is a flat list x0, y0, x1, y1, ... in pixels, (0, 0) being the outer corner of the first pixel. Where
    one outline crosses itself the even-odd rule decides; what several polygons cover is covered. Two points or fewer
    fill nothing.
    """
    mask = np.zeros((height_px, width_px), np.bool_)
    for polygon in polygons:
        mask |= _fill(np.asarray(polygon, np.float64).reshape(-1, 2), height_px, width_px)
    return mask


def _fill(points: np.ndarray, height_px: int, width_px: int) -> np.ndarray:
    x0, y0 = points.T[:, :, None]
    x1, y1 = np.roll(points, -1, axis=0).T[:, :, None]
    centres = np.arange(height_px) + 0.5
    # An edge crosses a row of centres if its ends lie on different sides; half-open, so that a corner counts once.
    edges, rows = np.nonzero((y0 <= centres) != (y1 <= centres))
    slopes = (x1[edges, 0] - x0[edges, 0]) / (y1[edges, 0] - y0[edges, 0])
    crossings = x0[edges, 0] + (centres[rows] - y0[edges, 0]) * slopes
    # Right of a crossing inside and outside change places: count the crossings left of each centre.
    first = np.clip(np.ceil(crossings - 0.5), 0, width_px).astype(np.int64)
    n_left = np.zeros((height_px, width_px + 1), np.int32)
    np.add.at(n_left, (rows, first), 1)
    return np.asarray(np.cumsum(n_left, axis=1)[:, :width_px] % 2 == 1)
