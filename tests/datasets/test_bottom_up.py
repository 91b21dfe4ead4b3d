"""The TSV files of bottom-up attention, line by line or by picture."""

import base64
from pathlib import Path

import numpy as np
import pytest

from explorer.datasets.bottom_up import BottomUpFile, read_bottom_up
from explorer.errors import DatasetError


def encoded(values: np.ndarray) -> bytes:
    return base64.b64encode(values.astype("<f4").tobytes())


def line(image_id: str, n: int, *, seed: int = 0) -> tuple[bytes, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    boxes, features = random.uniform(0, 300, (n, 4)), random.standard_normal((n, 10))
    columns = [image_id.encode(), b"640", b"427.0", str(n).encode(), encoded(boxes), encoded(features)]
    return b"\t".join(columns) + b"\n", boxes.astype(np.float32), features.astype(np.float32)


def test_every_picture_in_order_and_by_its_number(tmp_path: Path) -> None:
    lines = [line("391895", 3, seed=1), line("60623", 36, seed=2), line("483108", 0, seed=3)]
    path = tmp_path / "karpathy_test.tsv.0"
    path.write_bytes(b"".join(text for text, _, _ in lines))
    file = BottomUpFile(path)
    assert file.image_ids == ("391895", "60623", "483108")
    assert len(file) == 3
    for read, image_id, (_, boxes, features) in zip(read_bottom_up(path), file.image_ids, lines, strict=True):
        for regions in (read, file.read(image_id)):
            assert (regions.image_id, regions.width_px, regions.height_px) == (image_id, 640, 427)
            assert np.array_equal(regions.boxes, boxes)
            assert np.array_equal(regions.features, features.reshape(regions.features.shape))
            assert len(regions.features) == len(boxes)


def columns(**change: bytes) -> bytes:
    fields = {"id": b"1", "w": b"640", "h": b"480", "n": b"2", "boxes": encoded(np.zeros((2, 4))),
              "features": encoded(np.ones((2, 10)))}
    return b"\t".join({**fields, **change}.values()) + b"\n"


def read_by_picture(path: Path) -> None:
    file = BottomUpFile(path)
    for image_id in file.image_ids:
        file.read(image_id)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"1\t640\t480\n", "Line 1 .* has 3 columns, expected 6"),
        (columns() + columns(id=b"2", n=b"three"), r"Line 2 of x\.tsv \(picture 2\) cannot be read"),
        (columns(n=b"3"), "8 numbers do not make 3 boxes"),
        (columns(features=encoded(np.ones((1, 7)))), "7 numbers do not make 2 boxes"),
        (columns(features=encoded(np.array([[1.0, np.nan]]))), "not finite"),
        (columns(boxes=b"!!"), "cannot be read"),
        (columns(w=b"inf"), "cannot be read"),
        (columns() + columns()[:-60], "twice, again in line 2"),
        (columns() + columns(id=b"2")[:-60], "do not make|cannot be read"),
    ],
)
def test_damaged_lines_are_named(tmp_path: Path, content: bytes, says: str) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=says):
        read_by_picture(path)
    if content and "twice" not in says:
        with pytest.raises(DatasetError, match=says):
            list(read_bottom_up(path))


def test_no_such_file_or_picture(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        BottomUpFile(tmp_path / "none.tsv")
    (tmp_path / "x.tsv").write_bytes(columns())
    with pytest.raises(DatasetError, match="no picture 7"):
        BottomUpFile(tmp_path / "x.tsv").read("7")
