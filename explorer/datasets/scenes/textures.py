"""Patterns that things bear, as shares of a second tone."""

from collections.abc import Callable, Mapping

import numpy as np

from explorer.datasets.scenes.distances import Plane
from explorer.datasets.scenes.drawing import cloud_noise, smoothstep

_SOFT = 0.03


def pattern(texture: str, plane: Plane, seed: int) -> np.ndarray:
    """How much of the second tone each point has, float32 in 0..1, less than half of the whole on average.

    ``seed`` turns, shifts and scales the pattern.
    """
    rng = np.random.default_rng(seed)
    dx, dy, angle = rng.uniform((-0.2, -0.2, -0.5), (0.2, 0.2, 0.5)).tolist()
    turned = plane.moved(dx, dy, angle)
    return _PATTERNS[texture](turned, float(rng.uniform(0.85, 1.2)), seed)


def _plain(plane: Plane, _scale: float, _seed: int) -> np.ndarray:
    return np.zeros(plane.x.shape, np.float32)


def _stripes(plane: Plane, scale: float, _seed: int) -> np.ndarray:
    wave = np.abs(np.mod((plane.x + 0.6 * plane.y) * np.float32(2.6 * scale), 1) - 0.5)
    return smoothstep(wave, 0.33 - _SOFT, 0.33 + _SOFT)


def _dots(plane: Plane, scale: float, _seed: int) -> np.ndarray:
    size = np.float32(0.36 / scale)
    row = np.floor(plane.y / size)
    across = plane.x / size + 0.5 * np.mod(row, 2)
    far = np.hypot(np.mod(across, 1) - 0.5, np.mod(plane.y / size, 1) - 0.5)
    return smoothstep(far, 0.3 + _SOFT, 0.3 - _SOFT)


def _speckles(plane: Plane, scale: float, seed: int) -> np.ndarray:
    noise = cloud_noise((plane.x.shape[0], plane.x.shape[1]), (16 * scale, 16 * scale), seed, 1)
    return 0.8 * smoothstep(noise, 0.68, 0.76)


def _fading(plane: Plane, _scale: float, _seed: int) -> np.ndarray:
    return 0.85 * smoothstep(plane.y, 0.15, -1.0)


def _chequers(plane: Plane, scale: float, _seed: int) -> np.ndarray:
    waves = np.sin(plane.x * np.float32(8 * scale)) * np.sin(plane.y * np.float32(8 * scale))
    return 0.85 * smoothstep(waves, -0.06, 0.06)


def _zigzag(plane: Plane, scale: float, _seed: int) -> np.ndarray:
    bent = plane.y + 0.16 * np.abs(np.mod(plane.x * np.float32(2.5 * scale), 2) - 1)
    return smoothstep(np.abs(np.mod(bent * np.float32(2.4 * scale), 1) - 0.5), 0.33 - _SOFT, 0.33 + _SOFT)


def _waves(plane: Plane, scale: float, _seed: int) -> np.ndarray:
    bent = plane.y + 0.07 * np.sin(plane.x * np.float32(7 * scale))
    return smoothstep(np.abs(np.mod(bent * np.float32(3.2 * scale), 1) - 0.5), 0.32 - _SOFT, 0.32 + _SOFT)


def _brushed(plane: Plane, scale: float, seed: int) -> np.ndarray:
    noise = cloud_noise((plane.x.shape[0], plane.x.shape[1]), (30 * scale, 3.0), seed, 2)
    return 0.8 * smoothstep(noise, 0.45, 0.8)


_PATTERNS: Mapping[str, Callable[[Plane, float, int], np.ndarray]] = {
    "plain": _plain,
    "stripes": _stripes,
    "dots": _dots,
    "speckles": _speckles,
    "fading": _fading,
    "chequers": _chequers,
    "zigzag": _zigzag,
    "waves": _waves,
    "brushed": _brushed,
}
