"""Region features as bottom-up attention writes them: a TSV file, without a header, a line a picture.

Columns: ``image_id``, ``image_w``, ``image_h``, ``num_boxes``, ``boxes``, ``features``; the last two are base64 of
float32, (num_boxes, 4) and (num_boxes, D). Boxes are x1, y1, x2, y2 in pixels of the original picture. The columns are
those of SCAN's converter; the order within a box is reconstructed.
"""

import base64
import binascii
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.errors import DatasetError

_N_COLUMNS = 6


@dataclass(frozen=True, slots=True)
class PictureRegions:
    """The regions of one picture.

    Attributes:
        image_id: as the file has it.
        width_px: of the original picture.
        height_px: of the original picture.
        boxes: float32 (n, 4), x1, y1, x2, y2 in pixels.
        features: float32 (n, D).
    """

    image_id: str
    width_px: int
    height_px: int
    boxes: np.ndarray
    features: np.ndarray


class BottomUpFile:
    """A TSV file of many gigabytes: where each picture's line begins is known, and a line is read when asked for.

    Attributes:
        image_ids: in file order.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._starts: dict[str, tuple[int, int]] = {}
        for number, (start, line) in enumerate(_lines(path), start=1):
            image_id = _image_id(path, number, line)
            if image_id in self._starts:
                raise DatasetError(f"{path.name} has the picture {image_id} twice, again in line {number}.")
            self._starts[image_id] = start, number
        if not self._starts:
            raise DatasetError(f"{path.name} is empty.", "Download it again.")
        self.image_ids = tuple(self._starts)

    def __len__(self) -> int:
        return len(self.image_ids)

    def read(self, image_id: str) -> PictureRegions:
        """The regions of one picture.

        Raises
        ------
        DatasetError
            there is no such picture, or its line is damaged.
        """
        if image_id not in self._starts:
            raise DatasetError(f"{self.path.name} has no picture {image_id}.", "Check the picture's number.")
        start, number = self._starts[image_id]
        try:
            with self.path.open("rb") as file:
                file.seek(start)
                return _decode(self.path, number, file.readline())
        except OSError as error:
            raise _unreadable(self.path, error) from error


def read_bottom_up(path: Path) -> Iterator[PictureRegions]:
    """All pictures of a TSV file in order, one at a time in memory; :class:`DatasetError` names a damaged line."""
    for number, (_, line) in enumerate(_lines(path), start=1):
        yield _decode(path, number, line)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Every line that is not empty, with the byte it begins at."""
    start = 0
    try:
        with path.open("rb") as file:
            for line in file:
                if line.strip():
                    yield start, line
                start += len(line)
    except OSError as error:
        raise _unreadable(path, error) from error


def _image_id(path: Path, number: int, line: bytes) -> str:
    columns = line.rstrip(b"\r\n").split(b"\t")
    if len(columns) != _N_COLUMNS:
        raise DatasetError(
            f"Line {number} of {path.name} has {len(columns)} columns, expected {_N_COLUMNS}.",
            "It is no file of bottom-up attention, or it was cut off.",
        )
    return columns[0].decode("ascii", errors="replace")


def _decode(path: Path, number: int, line: bytes) -> PictureRegions:
    image_id = _image_id(path, number, line)
    _, width, height, n_boxes, boxes, features = line.rstrip(b"\r\n").split(b"\t")
    try:
        n = int(n_boxes)
        return PictureRegions(
            image_id=image_id,
            # Some extractors write sizes as 640.0.
            width_px=int(float(width)),
            height_px=int(float(height)),
            boxes=_floats(boxes, n, 4),
            features=_floats(features, n, None),
        )
    except (ValueError, OverflowError, binascii.Error) as error:
        raise DatasetError(
            f"Line {number} of {path.name} (picture {image_id}) cannot be read: {error}.", "Download it again."
        ) from error


def _floats(encoded: bytes, n_rows: int, width: int | None) -> np.ndarray:
    """Base64 of little-endian float32 as (n_rows, width); a width of None is whatever the bytes give."""
    values = np.frombuffer(base64.b64decode(encoded, validate=True), dtype="<f4")
    columns = width if width is not None else len(values) // max(n_rows, 1)
    if n_rows < 0 or n_rows * columns != len(values):
        raise ValueError(f"{len(values)} numbers do not make {n_rows} boxes")
    if not np.isfinite(values).all():
        raise ValueError("a number is not finite")
    return values.reshape(n_rows, columns).astype(np.float32)


def _unreadable(path: Path, error: OSError) -> DatasetError:
    return DatasetError(f"{path} cannot be read: {error.strerror or error}.", "Check the path.")
