"""Where the region features of a feature folder are: all in one array, or one file an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.datasets.array_file import FLOATS, open_array, read_rows
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
        missing = [path.name for path in self._paths if not path.is_file()]
        if missing:
            named = ", ".join(missing[:_N_NAMED]) + (", ..." if len(missing) > _N_NAMED else "")
            raise DatasetError(
                f"{len(missing)} of {len(ids)} files of region features are missing in {folder} ({named}).",
                "Extract or download them.",
            )
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
