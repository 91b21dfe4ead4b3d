"""Signed distances to simple outlines: negative inside, in the unit of the coordinates; y points down.

Every function takes a :class:`Plane` of points and returns float32 distances of its shape. Straight shapes and circles
are exact, ellipses are close near their outline, and combined shapes are exact outside or inside, not both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Plane:
    """Points at which distances are wanted.

    Attributes:
        x, y: float32, of one shape.
    """

    x: np.ndarray
    y: np.ndarray

    @staticmethod
    def square(n_px: int, reach: float) -> "Plane":
        """Centres of n_px x n_px pixels that cover [-reach, reach] both ways."""
        line = (((np.arange(n_px) + 0.5) / n_px * 2 - 1) * reach).astype(np.float32)
        x, y = np.meshgrid(line, line)
        return Plane(x, y)

    def moved(self, dx: float, dy: float, angle_rad: float = 0.0) -> "Plane":
        """The same points as seen from a shape that was turned clockwise by an angle, then moved by (dx, dy)."""
        cos, sin = np.float32(np.cos(angle_rad)), np.float32(np.sin(angle_rad))
        x, y = self.x - np.float32(dx), self.y - np.float32(dy)
        return Plane(cos * x + sin * y, cos * y - sin * x)


def circle(plane: Plane, cx: float, cy: float, radius: float) -> np.ndarray:
    """Distance to a disc."""
    return np.asarray(np.hypot(plane.x - np.float32(cx), plane.y - np.float32(cy)) - np.float32(radius))


def ellipse(plane: Plane, cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
    """Distance to an ellipse with upright axes, to first order."""
    x, y = (plane.x - np.float32(cx)) / np.float32(rx), (plane.y - np.float32(cy)) / np.float32(ry)
    far = np.hypot(x, y)
    slope = np.maximum(np.hypot(x / np.float32(rx), y / np.float32(ry)), np.float32(1e-3))
    return np.asarray(np.maximum(far * (far - 1) / slope, np.float32(-min(rx, ry))))


def box(plane: Plane, cx: float, cy: float, half: tuple[float, float], rounding: float = 0.0) -> np.ndarray:
    """Distance to an upright rectangle of half width and half height ``half``, its corners rounded."""
    x = np.abs(plane.x - np.float32(cx)) - np.float32(half[0] - rounding)
    y = np.abs(plane.y - np.float32(cy)) - np.float32(half[1] - rounding)
    outside = np.hypot(np.maximum(x, 0), np.maximum(y, 0))
    return np.asarray(outside + np.minimum(np.maximum(x, y), 0) - np.float32(rounding))


def polygon(plane: Plane, points: Points, rounding: float = 0.0) -> np.ndarray:
    """Distance to a closed outline, grown by ``rounding``; where it crosses itself the even-odd rule decides."""
    nearest = np.full(plane.x.shape, np.inf, np.float32)
    inside = np.zeros(plane.x.shape, np.bool_)
    ends = np.asarray(points, np.float32)
    for (ax, ay), (bx, by) in zip(ends, np.roll(ends, -1, axis=0), strict=True):
        ex, ey = bx - ax, by - ay
        px, py = plane.x - ax, plane.y - ay
        along = np.clip((px * ex + py * ey) / max(ex * ex + ey * ey, np.float32(1e-12)), 0, 1)
        np.minimum(nearest, (px - along * ex) ** 2 + (py - along * ey) ** 2, out=nearest)
        if ey != 0:
            between = (plane.y >= min(ay, by)) & (plane.y < max(ay, by))
            inside ^= between & (plane.x < ax + (plane.y - ay) * (ex / ey))
    distance = np.sqrt(nearest)
    return np.asarray(np.where(inside, -distance, distance) - np.float32(rounding))


def stroke(plane: Plane, points: Points, radius: float) -> np.ndarray:
    """Distance to a line through these points, as thick as a round pen of that radius."""
    nearest = np.full(plane.x.shape, np.inf, np.float32)
    ends = np.asarray(points, np.float32)
    for (ax, ay), (bx, by) in pairwise(ends):
        ex, ey = bx - ax, by - ay
        px, py = plane.x - ax, plane.y - ay
        along = np.clip((px * ex + py * ey) / max(ex * ex + ey * ey, np.float32(1e-12)), 0, 1)
        np.minimum(nearest, (px - along * ex) ** 2 + (py - along * ey) ** 2, out=nearest)
    return np.asarray(np.sqrt(nearest) - np.float32(radius))


def join(*distances: np.ndarray) -> np.ndarray:
    """What any of the shapes covers."""
    return np.asarray(np.minimum.reduce(distances))


def within(distance: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """What all of the shapes cover."""
    return np.asarray(np.maximum.reduce([distance, *others]))


def without(distance: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A shape with a hole."""
    return np.asarray(np.maximum(distance, -hole))


def smooth_outline(points: Points, n_between: int = 5) -> list[tuple[float, float]]:
    """A closed outline that goes through these points without corners (Catmull-Rom)."""
    p = np.asarray(points, np.float64)
    before, after, beyond = np.roll(p, 1, axis=0), np.roll(p, -1, axis=0), np.roll(p, -2, axis=0)
    t = (np.arange(n_between) / n_between)[None, :, None]
    a, b, c, d = (part[:, None, :] for part in (before, p, after, beyond))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return [(float(x), float(y)) for x, y in curve.reshape(-1, 2)]


def mirrored(points: Points) -> list[tuple[float, float]]:
    """A left half from top to bottom, closed by its mirror image; points on the axis stand once."""
    right = [(-x, y) for x, y in reversed(points) if x != 0]
    return [*points, *right]


def ring_points(n: int, radius: float, turn_rad: float = 0.0) -> list[tuple[float, float]]:
    """Corners of a regular polygon, the first one at the top."""
    angles = 2 * np.pi * np.arange(n) / n - np.pi / 2 + turn_rad
    return [(float(radius * np.cos(a)), float(radius * np.sin(a))) for a in angles]


def star_points(n: int, outer: float, inner: float) -> list[tuple[float, float]]:
    """Corners of a star with n rays, one of them upwards."""
    tips, hollows = ring_points(n, outer), ring_points(n, inner, np.pi / n)
    return [corner for pair in zip(tips, hollows, strict=True) for corner in pair]
