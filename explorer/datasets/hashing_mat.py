"""The ``.mat`` files that cross-modal hashing papers hand around: tags and labels as matrices, sometimes pixels.

Two layouts, as public code reads them:

* DCMH (Jiang and Li 2017): one file of MATLAB's version 7.3, ``FLICKR-25K.mat``, with ``images`` (height, width, 3, n),
  ``YAll`` (n, n_tags) and ``LAll`` (n, c). Its order is the split: the first 2,000 rows are queries, the next 10,000
  are trained on.
* three files in a folder (WangGodder's collection): ``imgList.mat``, ``tagList.mat`` and ``labelList.mat``. For
  MIRFLICKR their variables are ``FAll``, ``YAll`` and ``LAll``, for the other sets ``imgs``, ``tags`` and ``labels``;
  NUS-WIDE's files are called ``imgList21.mat`` and so on, and its file names stand in two columns, folder and name.

Neither names its labels. Rows stay in the order of the file, because the splits are drawn from it. Their tags become
sentences (``tags.py``), a DCMH file's pixels photos (:func:`write_mat_photos`).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path, PurePosixPath

import h5py
import numpy as np

from explorer.cancellation import CancellationToken
from explorer.datasets.karpathy import require_photos
from explorer.datasets.labelled import LabelledItems
from explorer.datasets.mat_file import MatFile, damage_told, dataset_of, open_hdf5, open_mat
from explorer.errors import DatasetError
from explorer.media.image import encode_jpeg

_PHOTOS = ("FAll", "imgs")
_TAGS = ("YAll", "tags")
_LABELS = ("LAll", "labels")
_PHOTO_QUALITY = 95


class MatPhotos:
    """The pixels of a file of version 7.3, read row by row: all of MIRFLICKR's are 3 GB."""

    def __init__(self, path: Path, stored: h5py.Dataset) -> None:
        self._path = path
        self._stored = stored
        n_photos, _, self.width_px, self.height_px = stored.shape
        self._n_photos = int(n_photos)

    def __len__(self) -> int:
        return self._n_photos

    def read(self, rows: Sequence[int] | np.ndarray) -> np.ndarray:
        """These photos, rows counted from 0: uint8 RGB (n, height_px, width_px, 3).

        Raises
        ------
        DatasetError
            the file is damaged there, or holds something else than pixels from 0 to 255.
        """
        pixels = np.empty((len(rows), self.height_px, self.width_px, 3), np.uint8)
        for place, row in enumerate(rows):
            with damage_told(self._path):
                photo = self._stored[int(row)].transpose(2, 1, 0)
            # The comparison is false for NaN, too.
            if photo.dtype != np.uint8 and not ((photo >= 0) & (photo <= 255)).all():
                raise DatasetError(
                    f"Photo {int(row)} of {self._path.name} has values that are not between 0 and 255.",
                    "Are the pixels normalised? Export them as they are.",
                )
            pixels[place] = np.rint(photo)
        return pixels


@contextmanager
def open_mat_photos(path: Path, variable: str = "images") -> Iterator[MatPhotos]:
    """Open the pixels of a DCMH file.

    Parameters
    ----------
    path
        a file of version 7.3.
    variable
        what they are called; ``IAll`` where they have a file of their own.

    Raises
    ------
    DatasetError
        the file is missing, damaged or of an older version, has no such variable, or one of another shape.
    """
    with open_hdf5(path) as file:
        with damage_told(path):
            stored = dataset_of(file, variable, path)
        if stored.ndim != 4 or stored.shape[1] != 3 or stored.dtype.kind not in "fiu":
            raise DatasetError(
                f"{variable} of {path.name} has the shape {stored.shape[::-1]} and holds {stored.dtype}, "
                "expected pixels (height, width, 3, n).",
                "Is it the right file?",
            )
        yield MatPhotos(path, stored)


def read_dcmh(path: Path) -> LabelledItems:
    """Read tags and labels of a DCMH file; its photos have no names, so the rows are named by their numbers.

    Raises
    ------
    DatasetError
        the file is missing or damaged, ``YAll`` or ``LAll`` is not there or of another form, or they do not fit.
    """
    with open_mat(path) as file:
        tags = file.numbers(_one_of(file, _TAGS, path))
        labels = _labels(file, path)
    return LabelledItems(
        name=path.stem.lower(),
        filenames=tuple(map(str, range(len(labels)))),
        label_names=_unnamed(labels),
        labels=labels,
        tags=tags,
    )


def write_mat_photos(
    items: LabelledItems,
    path: Path,
    folder: Path,
    *,
    token: CancellationToken | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> LabelledItems:
    """Write the pixels of a DCMH file as photos called by the numbers of their rows; those that are there stay.

    Parameters
    ----------
    items
        what :func:`read_dcmh` read of it.
    path
        the file.
    folder
        where the photos go; it is made.
    token
        looked at before every photo.
    on_progress
        hears how many photos are there, and how many there will be.

    Returns
    -------
    LabelledItems
        the items with their photos.

    Raises
    ------
    DatasetError
        as :func:`open_mat_photos`, there are more or fewer photos than items, or the folder cannot be written.
    Cancelled
        a stop was asked for.
    """
    names = tuple(f"{number:06}.jpg" for number in range(len(items)))
    with open_mat_photos(path) as photos:
        if len(photos) != len(items):
            raise DatasetError(
                f"{path.name} has {len(photos):,} photos and labels of {len(items):,} items.", "Is it a whole file?"
            )
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for row, name in enumerate(names):
                if token is not None:
                    token.check()
                if not (folder / name).is_file():
                    partial = folder / f".{name}.part"
                    partial.write_bytes(encode_jpeg(photos.read([row])[0], _PHOTO_QUALITY))
                    partial.replace(folder / name)
                if on_progress is not None:
                    on_progress(row + 1, len(names))
        except OSError as error:
            raise DatasetError(
                f"{folder} cannot be written: {error.strerror or error}.", "Name another folder, or make room."
            ) from error
    return replace(items, filenames=names, image_paths=tuple(folder / name for name in names))


def read_mat_lists(folder: Path, *, images_folder: Path | None = None, whole: bool = True) -> LabelledItems:
    """Read the three files of one data set.

    Parameters
    ----------
    folder
        where ``imgList*.mat``, ``tagList*.mat`` and ``labelList*.mat`` are, one of each; its name is the data set's.
    images_folder
        where the photos are; without it the items have none.
    whole
        whether all of these must be there.

    Raises
    ------
    DatasetError
        a file is missing, there twice or damaged; a variable is not there or of another form; numbers of rows do not
        fit; a file name leaves the folder; photos are missing.
    """
    lists, tag_lists, label_lists = (_only(folder, prefix) for prefix in ("imgList", "tagList", "labelList"))
    with open_mat(lists) as file:
        names = _file_names(file.texts(_one_of(file, _PHOTOS, lists)), lists)
    with open_mat(tag_lists) as file:
        tags = file.numbers(_one_of(file, _TAGS, tag_lists))
    with open_mat(label_lists) as file:
        labels = _labels(file, label_lists)
    image_paths = None
    if images_folder is not None:
        image_paths = tuple(images_folder / name for name in names)
        if whole:
            require_photos(image_paths, images_folder, folder.name)
    short = tuple(PurePosixPath(name).name for name in names)
    return LabelledItems(
        name=folder.name,
        filenames=short if len(set(short)) == len(short) else names,
        label_names=_unnamed(labels),
        labels=labels,
        image_paths=image_paths,
        tags=tags,
    )


def _labels(file: MatFile, path: Path) -> np.ndarray:
    name = _one_of(file, _LABELS, path)
    numbers = file.numbers(name)
    if not np.isin(numbers, (0, 1)).all():
        raise DatasetError(
            f"{name} of {path.name} holds other numbers than 0 and 1.", "One column for each label is needed."
        )
    return numbers.astype(np.bool_)


def _unnamed(labels: np.ndarray) -> tuple[str, ...]:
    return tuple(f"label {number}" for number in range(1, labels.shape[1] + 1))


def _one_of(file: MatFile, names: Sequence[str], path: Path) -> str:
    found = [name for name in names if name in file.names]
    if not found:
        raise DatasetError(
            f"{path.name} has no variable {' or '.join(names)}.", f"Its variables: {', '.join(file.names) or 'none'}."
        )
    return found[0]


def _only(folder: Path, prefix: str) -> Path:
    found = sorted(folder.glob(f"{prefix}*.mat"))
    if len(found) != 1:
        listed = f"{len(found)} files" if found else "no file"
        raise DatasetError(
            f"{folder} has {listed} {prefix}*.mat.", "One data set needs a folder with one of each list."
        )
    return found[0]


def _file_names(texts: np.ndarray, path: Path) -> tuple[str, ...]:
    """Names with ``/`` from a column, from a row, or from two columns that hold folder and name."""
    rows = texts.reshape(-1, 1) if len(texts) == 1 else texts
    names = []
    for number, row in enumerate(rows):
        name = PurePosixPath(*(str(part).replace("\\", "/") for part in row))
        if name.is_absolute() or ".." in name.parts or not name.name or not all(row):
            raise DatasetError(
                f"Row {number} of {path.name} names no file of the data set: {'/'.join(row)!r}.",
                "Download or export it again.",
            )
        names.append(str(name))
    return tuple(names)
