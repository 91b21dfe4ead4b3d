"""Where the region features of a feature folder are: all in one array, one file an image, or a table of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.datasets.array_file import FLOATS, open_array, read_rows
from explorer.datasets.bottom_up import BottomUpFile
from explorer.errors import DatasetError

_N_NAMED = 3


@dataclass(frozen=True, slots=True)
class RegionArray:
    """One array (N, n, D), or (N, D) for a single vector an image; image i has row ``i * step``.

    Attributes:
        path: its file.
        array: mapped.
        step: rows of each image.
    """

    path: Path
    array: np.ndarray
    step: int

    @property
    def visual_dim(self) -> int:
        """Width of one region's features."""
        return int(self.array.shape[-1])

    def read(self, images: np.ndarray) -> list[np.ndarray]:
        """Regions (n, D) of each of these images, float32; :class:`DatasetError` where a number is not finite."""
        block = read_rows(self.array, images * self.step, path=self.path)
        return list(block if block.ndim == 3 else block[:, None])


class RegionFiles:
    """One file ``{id}.npy`` an image, (n, D) with as many regions as it has.

    Attributes:
        visual_dim: width of one region's features, as the first file has it.
    """

    def __init__(self, folder: Path, ids: Sequence[str]) -> None:
        self._paths = [folder / f"{image_id}.npy" for image_id in ids]
        _require_all([path.name for path in self._paths if not path.is_file()], len(ids), folder)
        self.visual_dim = int(open_array(self._paths[0], n_axes=(2,), kinds=FLOATS).shape[1])

    def read(self, images: np.ndarray) -> list[np.ndarray]:
        """Regions (n, D) of each of these images, float32.

        Raises
        ------
        DatasetError
            a file is damaged, of another width, or holds a number that is not finite.
        """
        return [self._read_one(self._paths[image]) for image in images]

    def _read_one(self, path: Path) -> np.ndarray:
        array = open_array(path, n_axes=(2,), kinds=FLOATS)
        if array.shape[1] != self.visual_dim:
            raise DatasetError(
                f"{path.name} has features of {array.shape[1]} numbers, {self._paths[0].name} has {self.visual_dim}.",
                "They come from different extractors.",
            )
        return read_rows(array, np.arange(len(array)), path=path)


class RegionTable:
    """The table of bottom-up attention, a line an image, with as many regions as it has.

    Attributes:
        visual_dim: width of one region's features, as the first image that has any.
    """

    def __init__(self, path: Path, ids: Sequence[str]) -> None:
        self._file, self._ids = BottomUpFile(path), ids
        known = set(self._file.image_ids)
        _require_all([image_id for image_id in ids if image_id not in known], len(ids), path)
        widths = (int(self._file.read(image_id).features.shape[1]) for image_id in ids)
        self.visual_dim = next((width for width in widths if width), 0)

    def read(self, images: np.ndarray) -> list[np.ndarray]:
        """Regions (n, D) of each of these images, float32.

        Raises
        ------
        DatasetError
            a line is damaged, of another width, or holds a number that is not finite.
        """
        return [self._read_one(self._ids[image]) for image in images]

    def _read_one(self, image_id: str) -> np.ndarray:
        features = self._file.read(image_id).features
        if len(features) and features.shape[1] != self.visual_dim:
            raise DatasetError(
                f"{image_id} in {self._file.path.name} has features of {features.shape[1]} numbers, "
                f"the images before have {self.visual_dim}.",
                "They come from different extractors.",
            )
        return features.reshape(len(features), self.visual_dim)


Regions = RegionArray | RegionFiles | RegionTable


def _require_all(missing: Sequence[str], n_wanted: int, place: Path) -> None:
    if missing:
        named = ", ".join(missing[:_N_NAMED]) + (", ..." if len(missing) > _N_NAMED else "")
        raise DatasetError(
            f"{len(missing)} of {n_wanted} images have no region features in {place} ({named} missing).",
            "Extract or download them.",
        )
