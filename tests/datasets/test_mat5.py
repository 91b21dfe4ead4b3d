"""Our reader of MATLAB's versions 5 to 7 against scipy's, and against files put together by hand."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from explorer.datasets.mat5 import Mat5File, NotThisKindError

DTYPES = ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8")
CELL, STRUCT, CHAR, OPAQUE, DOUBLE, INT16 = 1, 2, 4, 17, 6, 10


def element(kind: int, content: bytes, order: str = "<") -> bytes:
    return struct.pack(f"{order}II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(class_: int, sizes: tuple[int, ...], name: str, body: bytes, *, order: str = "<", flags: int = 0) -> bytes:
    parts = element(6, struct.pack(f"{order}II", flags << 8 | class_, 0), order)
    parts += element(5, struct.pack(f"{order}{len(sizes)}i", *sizes), order)
    return element(14, parts + element(1, name.encode(), order) + body, order)


def file_of(path: Path, *elements: bytes, order: str = "<") -> Path:
    mark = struct.pack(f"{order}HH", 0x0100, 0x4D49)
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + mark + b"".join(elements))
    return path


arrays = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=4, max_side=6), elements={})
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)


@given(arrays, st.booleans())
@settings(max_examples=40, deadline=None)
def test_numbers_as_scipy_writes_and_reads_them(
    tmp_path_factory: pytest.TempPathFactory, array: np.ndarray, packed: bool
) -> None:
    path = tmp_path_factory.getbasetemp() / "a.mat"
    scipy.io.savemat(path, {"first": 1, "array": array, "last": "x"}, do_compression=packed)
    file = Mat5File(path)
    assert file.names == ("first", "array", "last")
    np.testing.assert_array_equal(file.numbers("array"), array)
    np.testing.assert_array_equal(file.numbers("array"), scipy.io.loadmat(path)["array"])


@given(st.lists(texts, min_size=1, max_size=6), st.booleans())
@settings(max_examples=40, deadline=None)
def test_texts_as_scipy_writes_them(tmp_path_factory: pytest.TempPathFactory, lines: list[str], packed: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "a.mat"
    cells = np.empty((1, len(lines)), object)
    cells[0] = lines
    longest = max(1, *map(len, lines))
    scipy.io.savemat(path, {"cells": cells, "chars": np.array(lines, f"U{longest}")}, do_compression=packed)
    file = Mat5File(path)
    assert file.texts("cells").tolist() == [lines]
    # Where all are empty scipy writes no characters at all.
    assert file.texts("chars").tolist() == ([line.ljust(longest) for line in lines] if any(lines) else [])


def test_what_matlab_writes_otherwise(tmp_path: Path) -> None:
    path = file_of(
        tmp_path / "x.mat",
        # Doubles are stored in the smallest type that holds them; up to four bytes stand in the tag.
        matrix(DOUBLE, (1, 3), "small", struct.pack("<HH", 2, 3) + b"\x01\x02\xff\x00"),
        # UTF-16, and UTF-8 whose sizes count UTF-16 units; a column of characters is rows of one each.
        matrix(CHAR, (1, 3), "dog", element(17, "é🐕".encode("utf-16-le"))),
        matrix(CHAR, (1, 3), "hound", element(16, "é🐕".encode())),
        matrix(CHAR, (2, 2), "rows", element(4, "acbd".encode("utf-16-le"))),
        matrix(CHAR, (0, 0), "empty", element(4, b"")),
        element(6, bytes(8)),  # no matrix: left out
        element(14, element(6, struct.pack("<II", OPAQUE, 0)) + element(1, b"table") + element(1, b"MCOS")),
    )
    file = Mat5File(path)
    assert file.names == ("small", "dog", "hound", "rows", "empty")
    assert file.numbers("small").tolist() == [[1, 2, 255]]
    assert [file.texts(name).tolist() for name in ("dog", "hound")] == [["é🐕"], ["é🐕"]]
    assert file.texts("rows").tolist() == ["ab", "cd"]
    assert file.texts("empty").tolist() == []


def test_the_other_byte_order(tmp_path: Path) -> None:
    content = np.array([[1, -2], [300, 4]], ">i2")
    elements = [
        matrix(INT16, (2, 2), "n", element(3, content.tobytes(order="F"), ">"), order=">"),
        matrix(CHAR, (1, 2), "t", element(4, "ü!".encode("utf-16-be"), ">"), order=">"),
    ]
    file = Mat5File(file_of(tmp_path / "x.mat", *elements, order=">"))
    np.testing.assert_array_equal(file.numbers("n"), content)
    assert file.texts("t").tolist() == ["ü!"]
    np.testing.assert_array_equal(scipy.io.loadmat(tmp_path / "x.mat")["n"], content)


@pytest.mark.parametrize(
    "wrong",
    [
        matrix(DOUBLE, (2, 2), "x", element(9, bytes(24))),  # fewer numbers than the sizes say
        matrix(DOUBLE, (2, -2), "x", element(9, bytes(32))),
        matrix(DOUBLE, (1 << 30, 1 << 30), "x", element(9, bytes(8))),
        matrix(DOUBLE, (1, 1), "x", element(99, bytes(8))),  # scipy's reader ends the process here
        matrix(DOUBLE, (1, 1), "x", struct.pack("<II", 9, 1 << 30)),
        matrix(DOUBLE, (1, 1), "x", struct.pack("<HH", 9, 8) + bytes(8)),
        matrix(DOUBLE, (1, 1), "x", b""),
        matrix(CHAR, (1, 2), "x", element(16, b"\xff\xff")),
        matrix(CHAR, (1, 2), "x", element(9, bytes(16))),
        matrix(CELL, (1, 1), "x", element(9, bytes(8))),
        matrix(CELL, (1 << 30, 1 << 30), "x", b""),
        element(15, b"no deflate"),
        element(14, bytes(8)),
    ],
)
def test_lengths_are_checked(tmp_path: Path, wrong: bytes) -> None:
    path = file_of(tmp_path / "x.mat", wrong)
    for read in (Mat5File.numbers, Mat5File.texts):
        with pytest.raises((ValueError, MemoryError, zlib.error, NotThisKindError)):
            read(Mat5File(path), "x")


@pytest.mark.parametrize("value", [{"a": 1}, np.array([[1 + 2j]]), "text", np.array([["a", {}]], object)])
def test_other_kinds_are_told(tmp_path: Path, value: Any) -> None:
    scipy.io.savemat(tmp_path / "x.mat", {"x": value, "n": np.ones((2, 2))})
    with pytest.raises(NotThisKindError):
        Mat5File(tmp_path / "x.mat").numbers("x")
    with pytest.raises(NotThisKindError):
        Mat5File(tmp_path / "x.mat").texts("n")
    with pytest.raises(KeyError):
        Mat5File(tmp_path / "x.mat").numbers("none")
