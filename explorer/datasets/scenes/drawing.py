"""Arrays to draw with: smooth noise, blurring, halving, and reading a turned and scaled square out of an array.

Everything is elementwise or a sum in fixed order: the same numbers give the same pixels on any number of threads.
"""

import math
from dataclasses import dataclass

import numpy as np


def value_noise(shape: tuple[int, int], cells: tuple[float, float], seed: int) -> np.ndarray:
    """Smooth random hills in 0..1, float32 of ``shape``; ``cells`` of them lie along height and width.

    The hills stay where they are when the resolution changes.
    """
    n_rows, n_columns = int(np.ceil(cells[0])) + 2, int(np.ceil(cells[1])) + 2
    heights = np.random.default_rng(seed).random((n_rows, n_columns), dtype=np.float32)
    rows, row_shares = _between(shape[0], cells[0])
    columns, column_shares = _between(shape[1], cells[1])
    across = heights[:, columns] * (1 - column_shares) + heights[:, columns + 1] * column_shares
    row_shares = row_shares[:, None]
    return np.asarray(across[rows] * (1 - row_shares) + across[rows + 1] * row_shares)


def cloud_noise(shape: tuple[int, int], cells: tuple[float, float], seed: int, n_octaves: int = 4) -> np.ndarray:
    """Hills with smaller hills on them, float32 in 0..1 around 0.5."""
    total = np.zeros(shape, np.float32)
    weight = sum_of_weights = 1.0
    for octave in range(n_octaves):
        weight = 0.5**octave
        sum_of_weights += weight if octave else 0.0
        scale = 2.0**octave
        total += np.float32(weight) * value_noise(shape, (cells[0] * scale, cells[1] * scale), seed + 7919 * octave)
    return total / np.float32(sum_of_weights)


def _between(n: int, cells: float) -> tuple[np.ndarray, np.ndarray]:
    at = (np.arange(n) + 0.5) / n * cells
    whole = np.floor(at).astype(np.intp)
    share = (at - whole).astype(np.float32)
    return whole, share * share * (3 - 2 * share)


def smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below ``low``, 1 above ``high``, smooth between; falls instead of rising if high is below low."""
    t = np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


def mix(a: np.ndarray, b: np.ndarray, share: np.ndarray) -> np.ndarray:
    """``a`` where the share is 0, ``b`` where it is 1."""
    return np.asarray(a + (b - a) * share)


def blur(values: np.ndarray, radius_px: int) -> np.ndarray:
    """Three passes of a moving mean over rows and columns, much like a Gaussian; zeros lie outside."""
    for _ in range(3):
        for axis in (0, 1):
            padding = [(0, 0)] * values.ndim
            padding[axis] = (radius_px + 1, radius_px)
            sums = np.cumsum(np.pad(values, padding), axis=axis, dtype=np.float64)
            n = values.shape[axis]
            upper = np.take(sums, np.arange(2 * radius_px + 1, 2 * radius_px + 1 + n), axis=axis)
            lower = np.take(sums, np.arange(n), axis=axis)
            values = ((upper - lower) / (2 * radius_px + 1)).astype(np.float32)
    return values


def halve(values: np.ndarray) -> np.ndarray:
    """Means of 2 x 2 pixels."""
    rows = values[0::2] + values[1::2]
    return np.asarray((rows[:, 0::2] + rows[:, 1::2]) * np.float32(0.25))


def enlarge(values: np.ndarray, factor: int) -> np.ndarray:
    """A square array ``factor`` times as large, linear between the centres of its pixels."""
    n = len(values)
    at = np.clip((np.arange(n * factor) + 0.5) / factor - 0.5, 0, n - 1)
    low = np.minimum(at.astype(np.intp), n - 2)
    share = (at - low).astype(np.float32)
    rows = values[low] * (1 - share[:, None]) + values[low + 1] * share[:, None]
    return np.asarray(rows[:, low] * (1 - share) + rows[:, low + 1] * share)


@dataclass(frozen=True, slots=True)
class Placed:
    """A square as it lies on a picture, in pixels.

    Attributes:
        centre_px: x, y.
        half_px: half its side.
        angle_rad: clockwise.
        mirrored: left and right change places before it is turned.
    """

    centre_px: tuple[float, float]
    half_px: float
    angle_rad: float = 0.0
    mirrored: bool = False

    def window(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of the picture that it may touch."""
        reach = self.half_px * (abs(math.cos(self.angle_rad)) + abs(math.sin(self.angle_rad)))
        (x, y) = self.centre_px
        left, top = max(0, math.floor(x - reach)), max(0, math.floor(y - reach))
        right, bottom = min(width, math.ceil(x + reach)), min(height, math.ceil(y + reach))
        return slice(top, max(top, bottom)), slice(left, max(left, right))

    def read(self, values: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
        """What lies on each pixel of a window: (n, n, C) float32 linearly between its pixels, (h, w, C).

        The outermost pixels of ``values`` must be empty: what is outside reads as they do.
        """
        n = len(values)
        scale = n / (2 * self.half_px)
        cos, sin = math.cos(self.angle_rad) * scale, math.sin(self.angle_rad) * scale
        sign, middle = -1.0 if self.mirrored else 1.0, n / 2 - 0.5
        dx = np.arange(window[1].start, window[1].stop) + 0.5 - self.centre_px[0]
        dy = np.arange(window[0].start, window[0].stop) + 0.5 - self.centre_px[1]
        # Turned about the middle, a row's share and a column's share of each coordinate add up.
        u = (sign * cos * dx + middle).astype(np.float32) + (sign * sin * dy).astype(np.float32)[:, None]
        v = (middle - sin * dx).astype(np.float32) + (cos * dy).astype(np.float32)[:, None]
        last = np.float32(n - 1.001)
        np.clip(u, 0, last, out=u)
        np.clip(v, 0, last, out=v)
        column, row = u.astype(np.int32), v.astype(np.int32)
        right, low = (u - column)[..., None], (v - row)[..., None]
        flat, first = values.reshape(n * n, -1), row * n + column
        upper = flat.take(first, axis=0)
        upper += (flat.take(first + 1, axis=0) - upper) * right
        lower = flat.take(first + n, axis=0)
        lower += (flat.take(first + n + 1, axis=0) - lower) * right
        lower -= upper
        lower *= low
        upper += lower
        return np.asarray(upper)
