"""Arrays on disk that are filled a few rows at a time."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike


def make_row_map(path: Path, shape: tuple[int, ...], dtype: DTypeLike) -> np.memmap:
    """A new array at ``path``, of zeros, whose room is taken at once.

    On a full disk, writing into a map kills the process instead of raising.

    Raises
    ------
    OSError
        there is no room for it.
    """
    array = np.lib.format.open_memmap(path, mode="w+", dtype=dtype, shape=shape)
    if hasattr(os, "posix_fallocate"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    return array
