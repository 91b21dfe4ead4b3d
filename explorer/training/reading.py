"""The photos, sentences and splits that a recipe's data section means, whether a data set or a library has them."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from explorer.cancellation import CancellationToken
from explorer.datasets.clips import WHOLE_SPLIT
from explorer.datasets.karpathy import SENTENCES_PER_IMAGE, CaptionedImages
from explorer.datasets.labels import LabelFile
from explorer.datasets.photo_sets import PhotoSet, read_photo_set
from explorer.errors import DatasetError
from explorer.library import open_library
from explorer.media.item import display_path
from explorer.training.config import expand_path
from explorer.training.division import validation_rows
from explorer.training.sections import DatasetSection

DIVIDED_TRAIN, DIVIDED_VAL = "train", "val"
"""What the splits are called that we made."""

_ADD_SENTENCES = "Take in a data set's sentences about them, scan its folders again, or choose other data."


@dataclass(frozen=True, slots=True)
class TrainingPhotos:
    """What a data section means; no file was looked at.

    Attributes:
        train: photos to train on.
        val: photos to choose on.
        others: splits that take no part.
        read_labels: as :class:`~explorer.datasets.photo_sets.PhotoSet` has it.
        notes: what a person should know, sentences.
        packed: the photos are yet to be written out of the data set's file.
        divided: the splits were made here (``division.py``).
    """

    train: CaptionedImages
    val: CaptionedImages
    others: tuple[CaptionedImages, ...] = ()
    read_labels: Callable[[], LabelFile] | None = None
    notes: tuple[str, ...] = ()
    packed: bool = False
    divided: bool = False

    @property
    def splits(self) -> tuple[CaptionedImages, CaptionedImages]:
        """Training photos, validation photos."""
        return self.train, self.val


def read_photos(
    section: DatasetSection,
    recipe_folder: Path,
    *,
    photos_folder: Path | None = None,
    token: CancellationToken | None = None,
) -> TrainingPhotos:
    """Read what there is, and divide it.

    Parameters
    ----------
    section
        of the recipe.
    recipe_folder
        where its relative paths start.
    photos_folder, token
        as :func:`~explorer.datasets.photo_sets.read_photo_set` has them.

    Raises
    ------
    ConfigError
        a path of the section has a variable that is not set.
    DatasetError, LibraryError
        the data is not as it should be.
    Cancelled
        a stop was asked for.
    """
    if section.library:
        found = read_library_photos(expand_path(section.library, recipe_folder))
    else:
        found = read_photo_set(
            expand_path(section.annotations, recipe_folder),
            images_folder=expand_path(section.images, recipe_folder) if section.images else None,
            photos_folder=photos_folder,
            token=token,
        )
    return _in_splits(found, section)


def read_library_photos(folder: Path) -> PhotoSet:
    """The photos of a library that have sentences, by folder and name; clips and missing files are left out.

    Raises
    ------
    LibraryError
        there is no library in this folder, or it cannot be read.
    DatasetError
        none of its photos has a sentence.
    """
    with open_library(folder, create=False) as library:
        items = library.sentences.said(SENTENCES_PER_IMAGE)
    photos = [item for item in items if item.kind == "image"]
    said = [item for item in photos if item.sentences]
    there = [item for item in said if not item.missing]
    if not there:
        raise DatasetError(_nothing_said(folder, n_photos=len(photos), n_said=len(said)), _ADD_SENTENCES)
    left_out = {
        "photos without a sentence": len(photos) - len(said),
        "photos that are gone or cannot be read": len(said) - len(there),
        "clips": sum(item.kind != "image" and bool(item.sentences) for item in items),
    }
    listed = ", ".join(f"{what} ({n:,})" for what, n in left_out.items() if n)
    ids = tuple(item.item_id for item in there)
    found = CaptionedImages(
        name=display_path(os.fsencode(folder.name)),
        split=WHOLE_SPLIT,
        image_paths=tuple(Path(os.fsdecode(item.path)) for item in there),
        sentences=tuple(item.sentences for item in there),
        image_ids=ids,
        sent_ids=tuple(
            tuple(number * SENTENCES_PER_IMAGE + n for n in range(len(item.sentences)))
            for number, item in zip(ids, there, strict=True)
        ),
    )
    notes = (f"Left out of the library: {listed}.",) if listed else ()
    return PhotoSet(found, ("",) * len(there), notes=notes)


def _nothing_said(folder: Path, *, n_photos: int, n_said: int) -> str:
    place = display_path(os.fsencode(folder))
    if not n_photos:
        return f"The library in {place} has no photos."
    if not n_said:
        return f"None of the {n_photos:,} photos of the library in {place} has a sentence."
    return f"All {n_said:,} photos of the library in {place} that have a sentence are gone or cannot be read."


def require_trainable(train: CaptionedImages, val: CaptionedImages) -> None:
    """See that something can be learnt from these photos.

    Raises
    ------
    DatasetError
        there are fewer than two training photos, or no validation photo; nothing is said of a split; everything that
        is said is the same.
    """
    if len(train) < 2 or not len(val):
        raise DatasetError(
            f"Photos to train on: {len(train):,}, to choose on: {len(val):,}.",
            "A model learns what tells photos apart: two photos to train on and one to choose on are the least.",
        )
    for part in (train, val):
        if not any(text.strip() for own in part.sentences for text in own):
            raise DatasetError(
                f"No photo of the split {part.split} has a sentence.", "Every photo needs at least one; add sentences."
            )
    different = {" ".join(text.split()).casefold() for own in train.sentences for text in own}
    if len(different) == 1:
        raise DatasetError(
            f'All sentences of the split {train.split} are the same: "{next(iter(different))}".',
            "Nothing in them tells one photo from another; give each photo sentences of its own.",
        )


def limited(part: CaptionedImages, n: int) -> CaptionedImages:
    """The first n photos; all, where n is 0."""
    return part.at(range(min(n, len(part))), split=part.split) if n else part


def _in_splits(found: PhotoSet, section: DatasetSection) -> TrainingPhotos:
    wanted = {*section.train_split.split("+"), *section.val_split.split("+")}
    photos, notes = found.photos, found.notes
    divided = len(set(found.split_of)) <= 1 and not wanted <= set(found.splits)
    if divided:
        train, val = _divided(photos, section.val_share)
        others: Sequence[CaptionedImages] = ()
        whose = "the library" if section.library else photos.name
        notes = (
            *notes,
            f"The photos of {whose} are not divided into splits: {len(val):,} of {len(photos):,}, chosen by a "
            "hash of their names, are kept for validation.",
        )
    else:
        train, val = found.of_split(section.train_split), found.of_split(section.val_split)
        others = tuple(found.of_split(name) for name in found.splits if name not in wanted)
    return TrainingPhotos(
        limited(train, section.max_photos),
        limited(val, section.max_photos),
        tuple(others),
        found.read_labels,
        notes,
        found.packed,
        divided,
    )


def _divided(photos: CaptionedImages, share: float) -> tuple[CaptionedImages, CaptionedImages]:
    if len(photos) < 2:
        raise DatasetError(
            f"{photos.name} has only one photo with a sentence.",
            "A model learns what tells photos apart, and one is kept for validation: three are the least.",
        )
    held = validation_rows(photos.image_paths, share)
    kept = sorted(set(range(len(photos))).difference(held))
    return photos.at(kept, split=DIVIDED_TRAIN), photos.at(held, split=DIVIDED_VAL)
