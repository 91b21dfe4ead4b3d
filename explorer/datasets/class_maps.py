"""The class maps of 3SHNet's files: raw class ids or already normalised, told apart by what they hold.

The published maps come normalised, ``(id / 133 - 0.3342) / 0.0621``; that a map of whole numbers is raw is inferred
(reconstructed), for no normalised map consists of whole numbers.
"""

from pathlib import Path

import numpy as np

from explorer.errors import DatasetError

PUBLISHED_CLASSES = 133
MAP_MEAN, MAP_STD = 0.3342, 0.0621
_N_LOOKED_AT = 16


def holds_class_ids(maps: np.ndarray) -> bool:
    """Whether maps (N, h, w) are raw class ids; looks at some rows, evenly spread."""
    if maps.dtype.kind in "iub":
        return True
    rows = np.unique(np.linspace(0, len(maps) - 1, _N_LOOKED_AT).astype(np.int64))
    some = np.asarray(maps[rows], dtype=np.float64)
    return bool((some >= 0).all() and (some == np.floor(some)).all())


def normalise_class_ids(ids: np.ndarray, *, n_classes: int, rows: np.ndarray, path: Path) -> np.ndarray:
    """Class ids (b, h, w), the given rows of a file, as the published network reads them, float32.

    Raises
    ------
    DatasetError
        an id is no class; names the first row that has one, counted from 0.
    """
    wrong = (ids < 0) | (ids >= n_classes) | (ids != np.floor(ids))
    if wrong.any():
        first = int(wrong.reshape(len(ids), -1).any(axis=1).argmax())
        raise DatasetError(
            f"Row {int(rows[first])} of {path.name} holds {float(ids[first][wrong[first]][0]):g}, "
            f"which is none of the class ids 0 to {n_classes - 1}.",
            "The map must hold a class of the segmenter everywhere, without instances and without void.",
        )
    return np.asarray((ids / n_classes - MAP_MEAN) / MAP_STD, dtype=np.float32)
