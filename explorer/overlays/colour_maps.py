"""Perceptually even colour maps as lookup tables, so that the window need not import matplotlib.

``colour_maps.npy`` holds magma and viridis (Smith and van der Walt 2015, CC0) and managua the other way round (Crameri
2018, Scientific colour maps, MIT) as matplotlib samples them at 256 steps.
"""

from enum import StrEnum
from functools import cache
from pathlib import Path

import numpy as np

_TABLES = Path(__file__).with_name("colour_maps.npy")


class ColourMap(StrEnum):
    """Even maps; the order is that of the stored tables.

    The lightness of magma and viridis grows with the value. Managua has a sign: light blue is far below zero, light
    orange far above, both alike in lightness, dark between them; blue and orange differ for every kind of colour
    vision.
    """

    MAGMA = "magma"
    VIRIDIS = "viridis"
    MANAGUA = "managua_r"

    @property
    def has_sign(self) -> bool:
        """Whether its middle stands for zero."""
        return self is ColourMap.MANAGUA


@cache
def _tables() -> np.ndarray:
    return np.asarray(np.load(_TABLES, allow_pickle=False))


def colour_table(colour_map: ColourMap) -> np.ndarray:
    """RGB of 256 even steps from low to high, uint8 (256, 3)."""
    table: np.ndarray = _tables()[list(ColourMap).index(colour_map)]
    return table
