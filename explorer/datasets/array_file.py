"""One ``.npy`` file, mapped and not read: the published feature files are as large as 33 GB."""

import tokenize
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from explorer.errors import DatasetError

FLOATS = "f"
NUMBERS = "fiub"
_KIND_NAMES = {FLOATS: "floating point numbers", NUMBERS: "numbers"}

# What numpy raises for a damaged header depends on where it is damaged.
_DAMAGE = (ValueError, EOFError, TypeError, SyntaxError, ArithmeticError, MemoryError, tokenize.TokenError)


def open_array(path: Path, *, n_axes: Sequence[int], kinds: str) -> np.ndarray:
    """Map an array for reading.

    Parameters
    ----------
    path
        the file.
    n_axes
        how many axes it may have.
    kinds
        :data:`FLOATS` or :data:`NUMBERS`, numpy's one-letter kinds of element types.

    Raises
    ------
    DatasetError
        the file is missing, cut off, no ``.npy`` or one that holds Python objects; it has another element type or
        another number of axes.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that Python 2 wrote a header, as it did for SCAN's files
            array: np.ndarray = np.lib.format.open_memmap(path, mode="r")
    except FileNotFoundError as error:
        raise DatasetError(f"The file {path} is missing.", "Put it there, or choose another folder.") from error
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror or error}.", "Check its permissions.") from error
    except _DAMAGE as error:
        raise _unreadable(path, str(error)) from error
    if array.dtype.kind not in kinds:
        raise DatasetError(
            f"{path.name} holds elements of type {array.dtype}, expected {_KIND_NAMES[kinds]}.",
            "Is it the right file?",
        )
    if array.ndim not in n_axes:
        expected = " or ".join(map(str, n_axes))
        raise DatasetError(
            f"{path.name} has the shape {array.shape}, expected {expected} axes.", "Is it the right file?"
        )
    return array


def read_rows(array: np.ndarray, rows: np.ndarray, *, path: Path) -> np.ndarray:
    """These rows as float32, in memory.

    Raises
    ------
    DatasetError
        a number is not finite; names the first row that has one, counted from 0.
    """
    with np.errstate(over="ignore"):  # what single precision cannot hold becomes infinite, and is told below
        block = np.ascontiguousarray(array[rows], dtype=np.float32)
    bad = ~np.isfinite(block).all(axis=tuple(range(1, block.ndim)))
    if bad.any():
        raise DatasetError(
            f"Row {int(rows[int(bad.argmax())])} of {path.name} holds numbers that are not finite (NaN or infinite).",
            "Download or extract the features again.",
        )
    return block


def _unreadable(path: Path, reason: str) -> DatasetError:
    if "Python objects" in reason:
        return DatasetError(
            f"{path.name} holds Python objects, which could run code; only arrays of numbers are read.",
            "Save the features as one array of floats.",
        )
    if "greater than file size" in reason:
        return DatasetError(f"{path.name} is shorter than its header says; it was cut off.", "Download it again.")
    if "empty file" in reason:
        return DatasetError(f"{path.name} has no rows.", "Download it again.")
    return DatasetError(f"{path.name} is no .npy file, or damaged.", "Download it again.")
