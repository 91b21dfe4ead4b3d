"""Outlines fill exactly the pixels whose centres they hold."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets.polygons import rasterise_polygons

COORDINATES = st.floats(-3, 15, allow_nan=False, width=32)


def inside(x: float, y: float, polygon: list[tuple[float, float]]) -> bool:
    """Even-odd rule, one centre at a time."""
    odd = False
    for (x0, y0), (x1, y1) in zip(polygon, polygon[1:] + polygon[:1], strict=True):
        if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * ((x1 - x0) / (y1 - y0)) <= x:
            odd = not odd
    return odd


@given(st.lists(st.lists(st.tuples(COORDINATES, COORDINATES), max_size=7), max_size=3))
def test_mask_equals_asking_every_centre(polygons: list[list[tuple[float, float]]]) -> None:
    height, width = 9, 12
    mask = rasterise_polygons([[c for point in polygon for c in point] for polygon in polygons], height, width)
    assert mask.shape == (height, width)
    for y in range(height):
        for x in range(width):
            assert mask[y, x] == any(inside(x + 0.5, y + 0.5, polygon) for polygon in polygons)


def test_rectangle_on_pixel_edges_fills_its_area() -> None:
    mask = rasterise_polygons([[2, 1, 5, 1, 5, 3, 2, 3]], 4, 6)
    expected = np.zeros((4, 6), bool)
    expected[1:3, 2:5] = True
    np.testing.assert_array_equal(mask, expected)


def test_no_area_fills_nothing() -> None:
    assert not rasterise_polygons([], 3, 3).any()
    assert not rasterise_polygons([[], [1, 1], [0, 0, 2, 2]], 3, 3).any()
