"""MATLAB files of both kinds: versions 5 to 7, and version 7.3, which is HDF5.

Only arrays of numbers and of text are read; nothing is run or unpickled. An HDF5 file that takes its numbers from other
files is refused.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import h5py
import numpy as np

from explorer.datasets.mat5 import Mat5File, NotThisKindError
from explorer.errors import DatasetError

_BLOCK_BYTES = 64 << 20

# What h5py raises for damage depends on where it is.
_DAMAGE = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    OSError,
    RuntimeError,
    MemoryError,
    zlib.error,
)


class MatFile(Protocol):
    """An open MATLAB file. Shapes are MATLAB's: rows first, whichever way the file stores them."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of the variables."""

    def numbers(self, name: str) -> np.ndarray:
        """A matrix (rows, columns): uint8 if all its numbers are whole and from 0 to 255, float32 otherwise."""

    def texts(self, name: str) -> np.ndarray:
        """Text of each row of a cell or char array, without blanks around it, str (rows, columns)."""


@contextmanager
def open_mat(path: Path) -> Iterator[MatFile]:
    """Open a MATLAB file of either kind, told by its content.

    Raises
    ------
    DatasetError
        it is missing, cut off, damaged or no MATLAB file; and from the methods: a variable is missing, or not of the
        kind that is asked for.
    """
    with damage_told(path):
        is_hdf5 = _is_hdf5(path)
    if not is_hdf5:
        with damage_told(path):
            old = _OldMatFile(path)
        yield old
        return
    with open_hdf5(path) as file:
        with damage_told(path):
            new = _Hdf5MatFile(path, file)
        yield new


@contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file of version 7.3 for reading; :class:`~explorer.errors.DatasetError` if it cannot be."""
    with damage_told(path):
        if not _is_hdf5(path):
            raise DatasetError(
                f"{path.name} is not of MATLAB's version 7.3, so its pictures cannot be read in parts.",
                "Save it again with -v7.3.",
            )
        file = h5py.File(path, "r")
    with file:
        yield file


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn what a bad file makes the readers raise into one sentence."""
    try:
        yield
    except DatasetError:
        raise
    except FileNotFoundError as error:
        raise DatasetError(f"The file {path} is missing.", "Put it there, or choose another folder.") from error
    except PermissionError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error
    except IsADirectoryError as error:
        raise DatasetError(f"{path} is a folder.", "Give the .mat file itself.") from error
    except _DAMAGE as error:
        raise DatasetError(
            f"{path.name} is no MATLAB file, cut off, or damaged.", "Download or export it again."
        ) from error


def dataset_of(file: h5py.File, name: str, path: Path) -> h5py.Dataset:
    """A variable of an HDF5 file as it is stored, not read.

    Raises
    ------
    DatasetError
        there is none of this name, or it is a struct or a link to another file.
    """
    if name not in file:
        raise _no_variable(path, name, tuple(file))
    link = file.get(name, getlink=True)
    found = file[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(found, h5py.Dataset) or found.external or found.is_virtual:
        raise DatasetError(
            f"{name} of {path.name} is not an array of its own, but a struct, a sparse matrix or a link.",
            "Save it as a full array.",
        )
    return found


class _OldMatFile:
    """Version 5 to 7. A variable is read as a whole; the format holds no more than 2 GB in one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = Mat5File(path)
        self.names = self._file.names

    def numbers(self, name: str) -> np.ndarray:
        self._require(name)
        with damage_told(self._path):
            try:
                matrix = self._file.numbers(name)
            except NotThisKindError as error:
                raise DatasetError(
                    f"{name} of {self._path.name} is no matrix of numbers.", "Is it the right file? Is it sparse?"
                ) from error
            _require_numbers(self._path, name, matrix.dtype, matrix.ndim)
            return _compact([matrix], matrix.shape, self._path, name)

    def texts(self, name: str) -> np.ndarray:
        self._require(name)
        with damage_told(self._path):
            try:
                found = self._file.texts(name)
            except NotThisKindError as error:
                raise _no_texts(self._path, name) from error
            return np.char.strip(found.reshape(len(found), -1))

    def _require(self, name: str) -> None:
        if name not in self.names:
            raise _no_variable(self._path, name, self.names)


class _Hdf5MatFile:
    """Version 7.3. HDF5 counts axes the other way round: what MATLAB calls (n, d) is stored as (d, n)."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self._path = path
        self._file = file
        self.names = tuple(name for name in file if not name.startswith("#"))

    def numbers(self, name: str) -> np.ndarray:
        with damage_told(self._path):
            stored = dataset_of(self._file, name, self._path)
            _require_numbers(self._path, name, stored.dtype, stored.ndim)
            n_columns, n_rows = stored.shape
            step = max(1, _BLOCK_BYTES // max(1, n_rows * stored.dtype.itemsize))
            blocks = (stored[first : first + step].T for first in range(0, n_columns, step))
            return _compact(blocks, (n_rows, n_columns), self._path, name)

    def texts(self, name: str) -> np.ndarray:
        with damage_told(self._path):
            stored = dataset_of(self._file, name, self._path)
            if h5py.check_ref_dtype(stored.dtype) is h5py.Reference and stored.ndim == 2:
                rows = [[self._cell(name, reference) for reference in row] for row in stored[()].T]
                return np.array(rows, np.str_).reshape(stored.shape[::-1])
            if not _is_text(stored) or stored.ndim not in (2, 3):
                raise _no_texts(self._path, name)
            # (length, n), or (length, k, n) for k texts a row; the characters stand first.
            texts = stored[()].reshape(len(stored), -1)
            decoded = [_from_utf16(texts[:, column]) for column in range(texts.shape[1])]
            return np.array(decoded, np.str_).reshape(stored.shape[1:]).T.reshape(stored.shape[-1], -1)

    def _cell(self, name: str, reference: h5py.Reference) -> str:
        cell = self._file[reference] if reference else None
        if not isinstance(cell, h5py.Dataset) or not _is_text(cell) or cell.external or cell.is_virtual:
            raise _no_texts(self._path, name)
        # An empty text is stored as its two sizes.
        return "" if cell.attrs.get("MATLAB_empty", 0) else _from_utf16(cell[()].reshape(-1))


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        file.read(1)  # a missing or forbidden file is told here; h5py only says no
    return bool(h5py.is_hdf5(path))


def _is_text(stored: h5py.Dataset) -> bool:
    kind = stored.attrs.get("MATLAB_class", b"")
    return kind in (b"char", "char") and stored.dtype.kind == "u" and stored.dtype.itemsize <= 2


def _from_utf16(units: np.ndarray) -> str:
    return units.astype("<u2").tobytes().decode("utf-16-le").rstrip("\0").strip()


def _compact(blocks: Iterable[np.ndarray], shape: tuple[int, ...], path: Path, name: str) -> np.ndarray:
    """Blocks of columns as one matrix, uint8 as long as that holds them; the larger type only when it is needed."""
    matrix = np.zeros(shape, np.uint8)
    first = 0
    for block in blocks:
        if matrix.dtype == np.uint8 and not _fits_uint8(block):
            matrix = matrix.astype(np.float32)
        with np.errstate(over="ignore"):  # what single precision cannot hold becomes infinite, and is told below
            matrix[:, first : first + block.shape[1]] = block
        first += block.shape[1]
    if matrix.dtype != np.uint8 and not np.isfinite(matrix).all():
        row = int(np.argmin(np.isfinite(matrix).all(axis=1)))
        raise DatasetError(
            f"Row {row} of {name} in {path.name} holds numbers that are not finite (NaN or infinite).",
            "Download or export it again.",
        )
    return matrix


def _fits_uint8(block: np.ndarray) -> bool:
    if block.dtype.kind == "b" or block.size == 0:
        return True
    whole = block.dtype.kind != "f" or bool((block == np.rint(block)).all())
    return whole and bool(block.min() >= 0 and block.max() <= 255)


def _require_numbers(path: Path, name: str, dtype: np.dtype[Any], n_axes: int) -> None:
    if dtype.kind not in "fiub" or n_axes != 2:
        raise DatasetError(
            f"{name} of {path.name} is no matrix of numbers: {n_axes} axes of {dtype}.", "Is it the right file?"
        )


def _no_variable(path: Path, name: str, present: Sequence[str]) -> DatasetError:
    listed = ", ".join(present) or "none"
    return DatasetError(f"{path.name} has no variable {name}.", f"Its variables: {listed}.")


def _no_texts(path: Path, name: str) -> DatasetError:
    return DatasetError(f"{name} of {path.name} is no list of texts.", "It needs a cell array or a char array.")
