"""Small maps made larger, with the cells where they belong: the value of a cell sits at its centre."""

from functools import lru_cache

import numpy as np


@lru_cache(maxsize=32)
def linear_weights(n_in: int, n_out: int) -> np.ndarray:
    """Weights that interpolate ``n_in`` cells at ``n_out`` places, float32 (n_out, n_in).

    Places are the centres of ``n_out`` equal cells over the same length; beyond the outermost centres the value stays.
    """
    place = np.clip((np.arange(n_out) + 0.5) * n_in / n_out - 0.5, 0, n_in - 1)
    left = np.minimum(place.astype(np.int64), max(n_in - 2, 0))
    right = np.minimum(left + 1, n_in - 1)
    part = (place - left).astype(np.float32)
    weights = np.zeros((n_out, n_in), np.float32)
    rows = np.arange(n_out)
    np.add.at(weights, (rows, left), 1 - part)
    np.add.at(weights, (rows, right), part)
    return weights


@lru_cache(maxsize=32)
def cubic_weights(n_in: int, n_out: int) -> np.ndarray:
    """Like :func:`linear_weights`, through the same values without kinks (Catmull-Rom), float32 (n_out, n_in)."""
    place = np.clip((np.arange(n_out) + 0.5) * n_in / n_out - 0.5, 0, n_in - 1)
    left = np.floor(place).astype(np.int64)
    t = place - left
    parts = (
        -0.5 * t + t**2 - 0.5 * t**3, 1 - 2.5 * t**2 + 1.5 * t**3, 0.5 * t + 2 * t**2 - 1.5 * t**3, -0.5 * t**2 + 0.5 * t**3,
    )
    weights = np.zeros((n_out, n_in), np.float32)
    for offset, part in zip((-1, 0, 1, 2), parts, strict=True):
        np.add.at(weights, (np.arange(n_out), np.clip(left + offset, 0, n_in - 1)), part.astype(np.float32))
    return weights


def enlarge(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bilinear, float32 (height, width)."""
    enlarged: np.ndarray = linear_weights(values.shape[0], height) @ values @ linear_weights(values.shape[1], width).T
    return enlarged


def enlarge_smoothly(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Bicubic, never beyond the range of ``values``; float32 (height, width)."""
    enlarged = cubic_weights(values.shape[0], height) @ values @ cubic_weights(values.shape[1], width).T
    return np.clip(enlarged, values.min(), values.max())
