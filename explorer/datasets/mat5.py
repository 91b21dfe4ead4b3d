"""MATLAB files of versions 5 to 7, as the format's description has them: arrays of numbers, of text, and cells of text.

``scipy.io.loadmat`` reads more, but ends the whole process where a damaged file names a type that does not exist (found
by changing single bytes); here every length is checked against what there is. A file is a header of 128 bytes and a row
of elements: type and length, content, padding to eight bytes. A matrix is an element of elements: flags, sizes, name,
content; it may stand inside a compressed element.
"""

import math
import mmap
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

_HEADER_BYTES = 128
_HEAD_BYTES = 4096
_MOST_BYTES = (1 << 31) + _HEAD_BYTES  # of one variable; the format has no more
_MATRIX, _COMPRESSED, _UTF8 = 14, 15, 16
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "u1", 2: "u1", 4: "u2", 17: "u2"}
_CELL_CLASS, _CHAR_CLASS, _OPAQUE_CLASS = 1, 4, 17
_NUMBER_CLASSES = range(6, 16)
_COMPLEX = 0x08


class NotThisKindError(Exception):
    """A variable is something else than what was asked for, for example a struct."""


class _Element(NamedTuple):
    type: int
    content: memoryview
    following: int


class _Matrix(NamedTuple):
    class_: int
    is_complex: bool
    sizes: tuple[int, ...]
    name: str
    body: memoryview


class Mat5File:
    """An open file; :attr:`names` are its variables in file order.

    Raises
    ------
    OSError, ValueError, zlib.error, MemoryError
        the file cannot be read, or is cut off, damaged or no file of this kind; from all methods.
    NotThisKindError
        a variable is not of the kind that is asked for; from :meth:`numbers` and :meth:`texts`.
    KeyError
        there is no such variable.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._buffer = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        orders = {b"IM": "<", b"MI": ">"}
        mark = bytes(self._buffer[126:_HEADER_BYTES])
        if mark not in orders:
            raise ValueError("no header of MATLAB's version 5")
        self._order = orders[mark]
        self._variables: dict[str, _Element] = {}
        offset = _HEADER_BYTES
        while offset < len(self._buffer):
            element = self._element(self._buffer, offset)
            head = self._unpacked(element, _HEAD_BYTES)
            if head is not None:
                with suppress(NotThisKindError):
                    self._variables[self._matrix(head).name] = element
            offset = element.following
        self.names = tuple(self._variables)

    def numbers(self, name: str) -> np.ndarray:
        """A full array of real numbers, in its own shape and type."""
        matrix = self._load(name)
        if matrix.class_ not in _NUMBER_CLASSES or matrix.is_complex:
            raise NotThisKindError(name)
        element = self._element(matrix.body, 0)
        if element.type not in _NUMBERS:
            raise ValueError(f"no numbers of type {element.type}")
        flat = np.frombuffer(element.content, np.dtype(self._order + _NUMBERS[element.type]))
        return flat.reshape(matrix.sizes, order="F")

    def texts(self, name: str) -> np.ndarray:
        """Text of each row of a char array, or of each place of a cell array: str, in MATLAB's order."""
        matrix = self._load(name)
        if matrix.class_ == _CHAR_CLASS:
            return self._chars(matrix)
        if matrix.class_ != _CELL_CLASS:
            raise NotThisKindError(name)
        cells = [self._cell(cell) for cell in self._inner(matrix)]
        return np.array(cells, np.str_).reshape(matrix.sizes, order="F")

    def _cell(self, content: memoryview) -> str:
        cell = self._matrix(content)
        if cell.class_ != _CHAR_CLASS:
            raise NotThisKindError
        rows = self._chars(cell)
        if rows.size > 1:
            raise NotThisKindError
        return str(rows.flat[0]) if rows.size else ""

    def _inner(self, matrix: _Matrix) -> Iterator[memoryview]:
        offset = 0
        for _ in range(math.prod(matrix.sizes)):
            element = self._element(matrix.body, offset)
            if element.type != _MATRIX:
                raise ValueError("a cell that is no array")
            yield element.content
            offset = element.following

    def _chars(self, matrix: _Matrix) -> np.ndarray:
        element = self._element(matrix.body, 0)
        n_units = math.prod(matrix.sizes)
        if element.type == _UTF8:
            text = bytes(element.content).decode()
            # MATLAB counts UTF-16 units, scipy characters.
            units = np.frombuffer(text.encode("utf-32-le"), "<u4")
            if len(units) != n_units:
                units = np.frombuffer(text.encode("utf-16-le"), "<u2")
        elif element.type in _TEXTS:
            units = np.frombuffer(element.content, np.dtype(self._order + _TEXTS[element.type]))
        else:
            raise ValueError(f"no text of type {element.type}")
        rows = units.reshape(matrix.sizes, order="F")
        codec, kind = ("utf-32-le", "<u4") if units.dtype.itemsize == 4 else ("utf-16-le", "<u2")
        lines = rows.reshape(math.prod(matrix.sizes[:-1]), matrix.sizes[-1]).astype(kind)
        return np.array([line.tobytes().decode(codec) for line in lines], np.str_).reshape(matrix.sizes[:-1])

    def _load(self, name: str) -> _Matrix:
        content = self._unpacked(self._variables[name], _MOST_BYTES)
        if content is None:
            raise ValueError("no array")
        return self._matrix(content)

    def _unpacked(self, element: _Element, most_bytes: int) -> memoryview | None:
        """Content of a matrix, or its beginning where it is compressed; None for an element that is no matrix."""
        if element.type == _MATRIX:
            return element.content
        if element.type != _COMPRESSED:
            return None
        stream = zlib.decompressobj()
        unpacked = memoryview(stream.decompress(element.content, most_bytes))
        whole = most_bytes == _MOST_BYTES
        if whole and not stream.eof:
            raise ValueError("cut off")
        inner = self._element(unpacked, 0, may_be_cut=not whole)
        return inner.content if inner.type == _MATRIX else None

    def _matrix(self, content: memoryview) -> _Matrix:
        flags = self._element(content, 0)
        if len(flags.content) == 8 and self._word(flags) & 0xFF == _OPAQUE_CLASS:
            raise NotThisKindError  # an object of a class; it has no sizes
        sizes = self._element(content, flags.following)
        name = self._element(content, sizes.following)
        if len(flags.content) != 8 or len(sizes.content) % 4 or len(sizes.content) < 8:
            raise ValueError("no array")
        word = self._word(flags)
        counts = tuple(np.frombuffer(sizes.content, self._order + "i4").tolist())
        if min(counts) < 0:
            raise ValueError(f"sizes {counts}")
        body = content[min(name.following, len(content)) :]
        return _Matrix(word & 0xFF, bool(word >> 8 & _COMPLEX), counts, bytes(name.content).decode("latin-1"), body)

    def _word(self, flags: _Element) -> int:
        return int.from_bytes(flags.content[:4], "little" if self._order == "<" else "big")

    def _element(self, buffer: memoryview, offset: int, *, may_be_cut: bool = False) -> _Element:
        if offset + 8 > len(buffer):
            raise ValueError("cut off")
        first, length = np.frombuffer(buffer[offset : offset + 8], self._order + "u4").tolist()
        start = offset + 8
        if first >> 16:  # up to four bytes stand in the tag itself
            first, length, start = first & 0xFFFF, first >> 16, offset + 4
            if length > 4:
                raise ValueError(f"{length} bytes where there is room for four")
        end = start + length
        if end > len(buffer) and not may_be_cut:
            raise ValueError("cut off")
        padded = end if first == _COMPRESSED else end + -end % 8
        return _Element(first, buffer[start:end], padded)
