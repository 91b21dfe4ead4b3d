"""Photos with their sentences, in the json form of Karpathy and Fei-Fei (``dataset_flickr8k.json`` and its siblings).

The file holds ``dataset`` and ``images``; an image has ``filename``, ``split``, ``sentences[].raw`` and, for COCO,
``filepath``, the folder inside the images folder. Files that this program writes may add ``path_bytes``: base64 of a
path that is not UTF-8, which counts in the place of the names.
"""

import base64
import binascii
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from explorer.errors import DatasetError

SENTENCES_PER_IMAGE = 5
"""Further sentences of an image are left out, as everybody who reports on these data sets does (vsepp)."""

_N_NAMED = 3


@dataclass(frozen=True, slots=True)
class CaptionedImages:
    """One split: photos, each with its own sentences.

    Attributes:
        name: the data set's name, for example ``"flickr8k"``.
        split: for example ``"val"``.
        image_paths: a file for each photo.
        sentences: for each photo one to five sentences.
        image_ids: the data set's number of each photo (``cocoid`` where there is one, else ``imgid``).
        sent_ids: for each photo the data set's numbers of its sentences.
    """

    name: str
    split: str
    image_paths: tuple[Path, ...]
    sentences: tuple[tuple[str, ...], ...]
    image_ids: tuple[int, ...]
    sent_ids: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.image_paths)

    def at(self, rows: Sequence[int] | np.ndarray, *, split: str) -> "CaptionedImages":
        """These photos with their sentences, rows counted from 0, in the order given, under a split's name."""
        chosen = [int(row) for row in rows]
        return CaptionedImages(
            name=self.name,
            split=split,
            image_paths=tuple(self.image_paths[row] for row in chosen),
            sentences=tuple(self.sentences[row] for row in chosen),
            image_ids=tuple(self.image_ids[row] for row in chosen),
            sent_ids=tuple(self.sent_ids[row] for row in chosen),
        )


class _Sentence(msgspec.Struct):
    raw: str
    sentid: int | None = None


class _Image(msgspec.Struct):
    filename: str
    split: str
    sentences: list[_Sentence]
    filepath: str = ""
    path_bytes: str = ""
    imgid: int | None = None
    cocoid: int | None = None

    def place(self, folder: Path) -> Path:
        """Where its photo is."""
        if self.path_bytes:
            return Path(os.fsdecode(base64.b64decode(self.path_bytes, validate=True)))
        return folder / self.filepath / self.filename


class _File(msgspec.Struct):
    images: list[_Image]
    dataset: str = ""


def read_karpathy(path: Path, *, split: str, images_folder: Path | None = None) -> CaptionedImages:
    """Read one split of a Karpathy json, in file order, and see that its photos are there.

    Parameters
    ----------
    path
        the json file.
    split
        its name; several are joined by a plus sign. COCO's training photos are ``"train+restval"``.
    images_folder
        where the photos are; ``images`` beside the json by default.

    Raises
    ------
    DatasetError
        the file cannot be read or is not of this form; there is no such split or it is empty; an image has no
        sentence; photos are missing.
    """
    content = _decode(path)
    folder = images_folder if images_folder is not None else path.parent / "images"
    found = _captioned(path, content.dataset, _of_split(content.images, split, path), split, folder)
    require_photos(found.image_paths, folder, split)
    return found


def read_whole_karpathy(path: Path, *, images_folder: Path | None = None) -> tuple[CaptionedImages, tuple[str, ...]]:
    """All photos in file order, whether their files are there or not, and the split of each; for training.

    Raises
    ------
    DatasetError
        as :func:`read_karpathy`, but for photos that are missing.
    """
    content = _decode(path)
    if not content.images:
        raise DatasetError(f"{path.name} holds no images.", "Choose another data set.")
    folder = images_folder if images_folder is not None else path.parent / "images"
    found = _captioned(path, content.dataset, content.images, "", folder)
    return found, tuple(image.split for image in content.images)


def _captioned(path: Path, name: str, images: Sequence[_Image], split: str, folder: Path) -> CaptionedImages:
    for image in images:
        if not image.sentences:
            raise DatasetError(f"{path.name} has no sentence for {image.filename}.", "Every photo needs at least one.")
    kept = [image.sentences[:SENTENCES_PER_IMAGE] for image in images]
    try:
        image_paths = tuple(image.place(folder) for image in images)
    except binascii.Error as error:
        raise DatasetError(f"{path.name} has path_bytes that are no base64.", "Write it again.") from error
    return CaptionedImages(
        name=name or path.stem,
        split=split,
        image_paths=image_paths,
        sentences=tuple(tuple(sentence.raw for sentence in sentences) for sentences in kept),
        image_ids=tuple(_first_number(image.cocoid, image.imgid, row) for row, image in enumerate(images)),
        sent_ids=tuple(
            tuple(_first_number(sentence.sentid, row * SENTENCES_PER_IMAGE + n) for n, sentence in enumerate(sentences))
            for row, sentences in enumerate(kept)
        ),
    )


def karpathy_splits(path: Path) -> tuple[str, ...]:
    """Names of the splits of a Karpathy json, as they first come; raises as :func:`read_karpathy` does."""
    return tuple(dict.fromkeys(image.split for image in _decode(path).images))


def _decode(path: Path) -> _File:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(
            f"The data set {path} cannot be read: {error.strerror or error}.", "Check the path of the json file."
        ) from error
    try:
        return msgspec.json.decode(content, type=_File)
    except msgspec.ValidationError as error:
        raise DatasetError(
            f"{path.name} is not in Karpathy's form: {error}.",
            "It needs images, each with filename, split and sentences that have a raw text.",
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(f"{path.name} is not valid JSON: {error}.", "Download or export it again.") from error


def _of_split(images: Sequence[_Image], split: str, path: Path) -> list[_Image]:
    if not images:
        raise DatasetError(f"{path.name} holds no images.", "Choose another data set.")
    present = dict.fromkeys(image.split for image in images)
    wanted = split.split("+")
    unknown = [name for name in wanted if name not in present]
    if unknown:
        raise DatasetError(
            f"{path.name} has no split called {' or '.join(unknown)!r}.", f"It has {', '.join(sorted(present))}."
        )
    return [image for image in images if image.split in wanted]


def require_photos(paths: Sequence[Path], folder: Path, split: str) -> None:
    """See that the photos of a split are there; :class:`~explorer.errors.DatasetError` names those that are not."""
    missing = [path for path in paths if not path.is_file()]
    if missing:
        names = ", ".join(
            str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path) for path in missing[:_N_NAMED]
        )
        more = ", ..." if len(missing) > _N_NAMED else ""
        raise DatasetError(
            f"{len(missing)} of {len(paths)} photos of the split {split} are missing in {folder} ({names}{more}).",
            "Give the folder of the photos with --images.",
        )


def _first_number(*candidates: int | None) -> int:
    return next(number for number in candidates if number is not None)
