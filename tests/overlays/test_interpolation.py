import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.overlays.interpolation import enlarge, enlarge_smoothly


def _bilinear_by_hand(values, height, width):
    """The textbook loop over places, cells at their centres, clamped at the borders."""
    h, w = values.shape
    result = np.zeros((height, width))
    for r in range(height):
        for c in range(width):
            y = min(max((r + 0.5) * h / height - 0.5, 0), h - 1)
            x = min(max((c + 0.5) * w / width - 0.5, 0), w - 1)
            top, left = int(y), int(x)
            bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
            dy, dx = y - top, x - left
            upper = values[top, left] * (1 - dx) + values[top, right] * dx
            lower = values[bottom, left] * (1 - dx) + values[bottom, right] * dx
            result[r, c] = upper * (1 - dy) + lower * dy
    return result


@pytest.mark.parametrize(("shape", "size"), [((7, 7), (28, 21)), ((1, 5), (4, 15)), ((3, 1), (9, 6)), ((2, 2), (2, 2))])
def test_bilinear_equals_the_textbook_loop(shape, size):
    values = np.random.default_rng(0).random(shape, np.float32)
    np.testing.assert_allclose(enlarge(values, *size), _bilinear_by_hand(values, *size), atol=1e-6)


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(0, 99))
def test_bicubic_goes_through_the_cells_and_never_beyond_their_range(h, w, half, seed):
    values = np.random.default_rng(seed).normal(size=(h, w)).astype(np.float32)
    grow = 2 * half + 1  # odd: one place lies on each cell's centre
    smooth = enlarge_smoothly(values, h * grow, w * grow)
    np.testing.assert_allclose(smooth[half::grow, half::grow], values, atol=1e-5)
    assert smooth.min() >= values.min()
    assert smooth.max() <= values.max()


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(2, 40))
def test_an_even_map_stays_even(n, size):
    np.testing.assert_allclose(enlarge_smoothly(np.full((n, n), 0.3, np.float32), size, size), 0.3, atol=1e-6)
