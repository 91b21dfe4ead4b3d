"""Small maps made larger, with the cells where they belong: the value of a cell sits at its centre.

Sums of shifted arrays rather than matrix products: a product wakes the threads of the linear algebra library, which on
a busy machine wait for each other a hundred times longer than such a small product takes.
"""

from functools import lru_cache

import numpy as np

Taps = tuple[tuple[np.ndarray, np.ndarray], ...]
"""For each place of the result, pairs of an input cell (int64) and its weight (float32); weights sum to 1."""


def _places(n_in: int, n_out: int) -> tuple[np.ndarray, np.ndarray]:
    """The cell whose centre is left of each of ``n_out`` centres over the same length, and how far beyond it."""
    place = np.clip((np.arange(n_out) + 0.5) * n_in / n_out - 0.5, 0, n_in - 1)
    left = np.floor(place).astype(np.int64)
    return left, place - left


@lru_cache(maxsize=32)
def linear_taps(n_in: int, n_out: int) -> Taps:
    """Straight lines between cell centres; beyond the outermost the value stays."""
    left, t = _places(n_in, n_out)
    right = np.minimum(left + 1, n_in - 1)
    return (left, (1 - t).astype(np.float32)), (right, t.astype(np.float32))


@lru_cache(maxsize=32)
def cubic_taps(n_in: int, n_out: int) -> Taps:
    """Through the same values without kinks (Catmull and Rom 1974)."""
    left, t = _places(n_in, n_out)
    weights = (
        -0.5 * t + t**2 - 0.5 * t**3,
        1 - 2.5 * t**2 + 1.5 * t**3,
        0.5 * t + 2 * t**2 - 1.5 * t**3,
        -0.5 * t**2 + 0.5 * t**3,
    )
    return tuple(
        (np.clip(left + offset, 0, n_in - 1), weight.astype(np.float32))
        for offset, weight in zip((-1, 0, 1, 2), weights, strict=True)
    )


def _applied(values: np.ndarray, down: Taps, across: Taps) -> np.ndarray:
    narrow = np.zeros((values.shape[0], across[0][0].size), np.float32)
    for cells, weights in across:
        narrow += values[:, cells] * weights
    full = np.zeros((down[0][0].size, narrow.shape[1]), np.float32)
    for cells, weights in down:
        full += narrow[cells] * weights[:, None]
    return full


def enlarge(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear, float32 (height, width)."""
    return _applied(values, linear_taps(values.shape[0], height), linear_taps(values.shape[1], width))


def enlarge_smoothly(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bicubic, never beyond the range of ``values``; float32 (height, width)."""
    full = _applied(values, cubic_taps(values.shape[0], height), cubic_taps(values.shape[1], width))
    np.clip(full, values.min(), values.max(), out=full)
    return full
