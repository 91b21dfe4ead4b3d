"""What silhouettes are made of."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer.datasets.scenes.distances import Plane


@dataclass(frozen=True, eq=False)
class Part:
    """One piece of a silhouette; later pieces lie on earlier ones.

    Attributes:
        distance: float32 (n, n), signed, in units of the silhouette's radius; negative inside.
        paint: ``main`` bears the thing's colour and texture, ``light`` and ``deep`` are tones of it without texture;
            the others are fixed paints of ``looks.PAINTS``.
        bevel: how far from its edge the piece is rounded; as much as half its width makes it a cushion.
    """

    distance: np.ndarray
    paint: str = "main"
    bevel: float = 0.25


Drawing = Callable[[Plane], tuple[Part, ...]]
"""Draws a silhouette on a plane on which it has the radius 1."""
