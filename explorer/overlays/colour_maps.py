"""Perceptually even colour maps as lookup tables, so that the window need not import matplotlib.

``colour_maps.npy`` holds magma and viridis (Smith and van der Walt 2015, CC0) as matplotlib samples them at 256 steps.
"""

from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np

_TABLES = Path(__file__).with_name("colour_maps.npy")


class ColourMap(StrEnum):
    """Maps whose lightness grows evenly with the value; the order is that of the stored tables."""

    MAGMA = "magma"
    VIRIDIS = "viridis"


@cache
def _tables() -> np.ndarray:
    return np.asarray(np.load(_TABLES, allow_pickle=False))


def colour_table(colour_map: ColourMap) -> np.ndarray:
    """RGB of 256 even steps from low to high, uint8 (256, 3)."""
    table: np.ndarray = _tables()[list(ColourMap).index(colour_map)]
    return table
