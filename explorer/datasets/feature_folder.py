"""Folders of pre-computed features in the layouts that are passed around in the field.

* VSE++ and SCAN: ``{split}_ims.npy`` (N, 36, 2048) or (N, D), ``{split}_caps.txt``, ``{split}_ids.txt``;
* 3SHNet adds ``{split}_segmentations.npy`` (N, C, 7, 7), ``{split}_seg_maps.npy`` (N, 64, 64) and
  ``{split}_cat_onehots.npy`` (N, C); for COCO its regions are one ``.npy`` an image, named by the ids.

A file has a row for each image (five captions each) or for each caption; anything else does not fit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.datasets.array_file import FLOATS, NUMBERS, open_array, read_rows
from explorer.datasets.class_maps import PUBLISHED_CLASSES, holds_class_ids, normalise_class_ids
from explorer.datasets.region_files import RegionArray, RegionFiles, Regions, RegionTable
from explorer.datasets.text_lines import read_text_lines
from explorer.errors import DatasetError

CAPTIONS_PER_IMAGE = 5
DEV_CAPTIONS = 5_000
"""The split ``dev`` ends here, as published: COCO's would make validation slow."""

_CAPTIONS = "_caps.txt"
_REGION_FOLDERS = ("coco_region_features", "region_features", "regions")
_N_COMPARED = 64


@dataclass(frozen=True, slots=True)
class FeatureBatch:
    """Some images, in memory.

    Attributes:
        regions: float32 (b, most, D), zeros behind each image's own.
        lengths: int64 (b,), regions of each image; may be 0.
        semantic_scores: float32 (b, C, s, s), or None where the folder has none.
        class_maps: float32 (b, m, m), normalised, or None.
        presence: float32 (b, C), or None.
    """

    regions: np.ndarray
    lengths: np.ndarray
    semantic_scores: np.ndarray | None
    class_maps: np.ndarray | None
    presence: np.ndarray | None

    def parts(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray | None]:
        """All five, in the order in which encoders take them."""
        return self.regions, self.lengths, self.semantic_scores, self.class_maps, self.presence


@dataclass(frozen=True, slots=True)
class _Extra:
    """One of 3SHNet's files; image i has row ``i * step``."""

    path: Path
    array: np.ndarray
    step: int

    def read(self, images: np.ndarray) -> np.ndarray:
        return read_rows(self.array, images * self.step, path=self.path)


class FeatureFolder:
    """One split of a feature folder, open: files are mapped, and only what a batch asks for is read.

    Attributes:
        name: the folder's name.
        split: for example ``"testall"``.
        sentences: the captions of each image, in file order.
        image_ids: of each image, as ``*_ids.txt`` has them; row numbers where there is no such file.
        n_classes: channels of scores and presence; 133 where the folder does not say.
        raw_maps: whether the class maps are raw ids that are normalised on the way.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        sentences: tuple[tuple[str, ...], ...],
        image_ids: tuple[str, ...],
        regions: Regions,
        extras: dict[str, _Extra],
    ) -> None:
        self.name, self.split = folder.name, split
        self.sentences, self.image_ids = sentences, image_ids
        self._regions, self._extras = regions, extras
        classes = [extras[name].array.shape[1] for name in ("segmentations", "cat_onehots") if name in extras]
        self.n_classes = int(classes[0]) if classes else PUBLISHED_CLASSES
        self.raw_maps = "seg_maps" in extras and holds_class_ids(extras["seg_maps"].array)

    def __len__(self) -> int:
        return len(self.sentences)

    @property
    def visual_dim(self) -> int:
        """Width of one region's features."""
        return self._regions.visual_dim

    def batch(self, rows: slice | Sequence[int] | np.ndarray) -> FeatureBatch:
        """These images (rows count images, from 0).

        Raises
        ------
        DatasetError
            a number is not finite, a class id is none, an image's file is missing or damaged; names file and row.
        """
        images = np.arange(len(self))[rows if isinstance(rows, slice) else np.asarray(rows, dtype=np.int64)]
        own = self._regions.read(images)
        regions = np.zeros((len(own), max([len(part) for part in own], default=0), self.visual_dim), np.float32)
        for target, part in zip(regions, own, strict=True):
            target[: len(part)] = part
        return FeatureBatch(
            regions=regions,
            lengths=np.array([len(part) for part in own], dtype=np.int64),
            semantic_scores=self._read("segmentations", images),
            class_maps=self._class_maps(images),
            presence=self._read("cat_onehots", images),
        )

    def _read(self, name: str, images: np.ndarray) -> np.ndarray | None:
        extra = self._extras.get(name)
        return None if extra is None else extra.read(images)

    def _class_maps(self, images: np.ndarray) -> np.ndarray | None:
        maps = self._read("seg_maps", images)
        if maps is None or not self.raw_maps:
            return maps
        extra = self._extras["seg_maps"]
        return normalise_class_ids(maps, n_classes=self.n_classes, rows=images * extra.step, path=extra.path)


def is_feature_folder(path: Path) -> bool:
    """Whether this is a folder with captions beside features, rather than an annotation file."""
    return path.is_dir() and bool(_splits(path))


def open_feature_folder(
    folder: Path, *, split: str, regions_folder: Path | None = None, truncate_dev: bool = True
) -> FeatureFolder:
    """Open one split; see that all files are there and that their counts fit.

    Parameters
    ----------
    folder
        where the files are.
    split
        what stands before the first underscore of the files' names: ``train``, ``dev``, ``test``, ``testall``.
    regions_folder
        where there is one ``.npy`` an image, or the table (TSV) of bottom-up attention; by default
        ``coco_region_features``, ``region_features`` or ``regions`` inside. Read only where there is no
        ``{split}_ims.npy``.
    truncate_dev
        cut the split ``dev`` to its first 5,000 captions, as published.

    Raises
    ------
    DatasetError
        no such folder or split; a file is missing, cut off or of another type; counts do not fit.
    """
    if not folder.is_dir():
        raise DatasetError(f"There is no folder {folder}.", "Check the path.")
    if split not in _splits(folder):
        known = ", ".join(_splits(folder)) or "none"
        raise DatasetError(f"{folder} has no split {split}: {split}{_CAPTIONS} is missing.", f"Its splits: {known}.")
    captions = read_text_lines(folder / f"{split}{_CAPTIONS}")
    if not captions:
        raise DatasetError(f"{split}{_CAPTIONS} of {folder} is empty.", "Download it again.")
    ids_path = folder / f"{split}_ids.txt"
    ids = read_text_lines(ids_path) if ids_path.is_file() else None
    images_path = folder / f"{split}_ims.npy"
    regions: Regions
    if images_path.is_file():
        regions, n_images = _open_region_array(images_path, captions, ids)
    else:
        regions, n_images = _open_region_files(folder, split, captions, ids, regions_folder)
    image_ids = _ids_of_images(ids_path, ids, n_images, len(captions))
    extras = _open_extras(folder, split, n_images, len(captions))
    per_image = len(captions) // n_images
    if split == "dev" and truncate_dev:
        captions = captions[:DEV_CAPTIONS]
    sentences = tuple(tuple(captions[i : i + per_image]) for i in range(0, len(captions), per_image))
    return FeatureFolder(folder, split, sentences, image_ids[: len(sentences)], regions, extras)


def _splits(folder: Path) -> list[str]:
    return sorted(path.name.removesuffix(_CAPTIONS) for path in folder.glob(f"*{_CAPTIONS}"))


def _open_region_array(path: Path, captions: Sequence[str], ids: Sequence[str] | None) -> tuple[RegionArray, int]:
    array = open_array(path, n_axes=(2, 3), kinds=FLOATS)
    _require_fit(path.name, len(array), len(captions))
    repeated = len(array) == len(captions) and _in_fives(array, ids)
    step = CAPTIONS_PER_IMAGE if repeated else 1
    return RegionArray(path, array, step), len(array) // step


def _open_region_files(
    folder: Path, split: str, captions: Sequence[str], ids: Sequence[str] | None, regions_folder: Path | None
) -> tuple[RegionFiles | RegionTable, int]:
    candidates = [regions_folder] if regions_folder else [folder / name for name in _REGION_FOLDERS]
    found = next((candidate for candidate in candidates if candidate.exists()), None)
    if found is None or ids is None:
        missing = f"{split}_ids.txt" if found is not None else f"{split}_ims.npy"
        raise DatasetError(
            f"The file {folder / missing} is missing.",
            f"Region features come as {split}_ims.npy, or as one .npy an image or a TSV with {split}_ids.txt.",
        )
    _require_fit(f"{split}_ids.txt", len(ids), len(captions))
    if len(ids) == len(captions) and _ids_in_fives(ids):
        ids = ids[::CAPTIONS_PER_IMAGE]
    return RegionFiles(found, ids) if found.is_dir() else RegionTable(found, ids), len(ids)


def _require_fit(name: str, n_rows: int, n_captions: int, n_images: int | None = None) -> None:
    allowed = (n_captions, n_images) if n_images is not None else (n_captions, n_captions / CAPTIONS_PER_IMAGE)
    if n_rows == 0 or n_rows not in allowed:
        raise DatasetError(
            f"{name} has {n_rows} rows, which does not fit {n_captions} captions: one row for each caption, "
            f"or one for each {CAPTIONS_PER_IMAGE}.",
            "The files belong to different splits or are incomplete.",
        )


def _in_fives(array: np.ndarray, ids: Sequence[str] | None) -> bool:
    """Whether rows come five times each, as VSE++ has them; where ids do not tell, some rows are compared."""
    if len(array) % CAPTIONS_PER_IMAGE:
        return False
    if ids is not None and len(ids) == len(array):
        return _ids_in_fives(ids)
    n_groups = len(array) // CAPTIONS_PER_IMAGE
    for group in np.unique(np.linspace(0, n_groups - 1, _N_COMPARED).astype(np.int64)):
        rows = array[group * CAPTIONS_PER_IMAGE : (group + 1) * CAPTIONS_PER_IMAGE]
        if not (rows[1:] == rows[:1]).all():
            return False
    return True


def _ids_in_fives(ids: Sequence[str]) -> bool:
    groups = [ids[i : i + CAPTIONS_PER_IMAGE] for i in range(0, len(ids), CAPTIONS_PER_IMAGE)]
    return all(len(group) == CAPTIONS_PER_IMAGE and len(set(group)) == 1 for group in groups)


def _ids_of_images(path: Path, ids: Sequence[str] | None, n_images: int, n_captions: int) -> tuple[str, ...]:
    if ids is None:
        return tuple(map(str, range(n_images)))
    _require_fit(path.name, len(ids), n_captions, n_images)
    return tuple(ids[:: len(ids) // n_images])


def _open_extras(folder: Path, split: str, n_images: int, n_captions: int) -> dict[str, _Extra]:
    extras = {}
    for name, n_axes, kinds in (("segmentations", 4, FLOATS), ("seg_maps", 3, NUMBERS), ("cat_onehots", 2, NUMBERS)):
        path = folder / f"{split}_{name}.npy"
        if path.is_file():
            array = open_array(path, n_axes=(n_axes,), kinds=kinds)
            _require_fit(path.name, len(array), n_captions, n_images)
            extras[name] = _Extra(path, array, len(array) // n_images)
    if {"segmentations", "cat_onehots"} <= extras.keys():
        n_scores, n_onehot = (extras[name].array.shape[1] for name in ("segmentations", "cat_onehots"))
        if n_scores != n_onehot:
            raise DatasetError(
                f"{split}_segmentations.npy has {n_scores} classes, {split}_cat_onehots.npy {n_onehot}.",
                "They come from different segmenters.",
            )
    return extras
