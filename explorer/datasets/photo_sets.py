"""All photos of a data set with their sentences, splits and labels, whatever its form; what models are trained on.

Files need not be there: who trains decides what to do without them. Forms that have sentences about photos are read:

* a json in Karpathy's form, COCO's ``captions_<split>.json``, ``captions.json``;
* a folder that holds one of these; of COCO the sentences of both splits are read, ``annotations/captions_*.json``;
* ``iaprtc12`` (with ``saiaprtc12ok/benchmark`` beside it), the unpacked Web Queries;
* hashing papers' ``.mat``: a file with its pixels, or a folder with ``imgList*.mat``; tags become sentences.

Clips are left out and counted. Files that hold features alone are refused with a sentence, and so is MSR-VTT.
"""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from explorer.cancellation import CancellationToken
from explorer.datasets.captioned import form_of, read_coco_captions
from explorer.datasets.clips import CAPTIONS_FILE, WHOLE_SPLIT, read_clips, splits_by_name
from explorer.datasets.coco_labels import read_instance_labels
from explorer.datasets.feature_folder import is_feature_folder
from explorer.datasets.hashing_mat import read_dcmh, read_mat_lists, write_mat_photos
from explorer.datasets.iapr import read_iapr
from explorer.datasets.karpathy import SENTENCES_PER_IMAGE, CaptionedImages, read_whole_karpathy
from explorer.datasets.labelled import LabelledItems
from explorer.datasets.labels import LabelFile
from explorer.datasets.msr_vtt import is_msr_vtt_folder
from explorer.datasets.tags import with_tag_sentences
from explorer.datasets.web_queries import read_web_queries
from explorer.errors import DatasetError
from explorer.media.item import display_path

_COCO_PREFIX = "captions_"
_SPLIT_OF_FILE = re.compile(r"(train|val|test)(?=\d*$)")
_IAPR_ANNOTATIONS, _IAPR_LABELS = "annotations_complete_eng", "saiaprtc12ok/benchmark"
_NEEDS_PHOTOS = "To train, name a json of photos with sentences, a folder that has one, or a library."


@dataclass(frozen=True, slots=True)
class PhotoSet:
    """All photos of a data set.

    Attributes:
        photos: in the order of the data set, with up to five sentences each.
        split_of: the split of each photo; empty where the data set does not say.
        read_labels: reads what the data set says about classes; items are called by the ends of the photos' paths, file
            names or more (:func:`photo_name`). None where it says nothing.
        notes: what a person should know, sentences: what was left out, and why.
        packed: the pixels are inside of the data set's file, and the photos' files are yet to be written.
    """

    photos: CaptionedImages
    split_of: tuple[str, ...]
    read_labels: Callable[[], LabelFile] | None = None
    notes: tuple[str, ...] = ()
    packed: bool = False

    @property
    def splits(self) -> tuple[str, ...]:
        """Names of the splits, as they first come."""
        return tuple(dict.fromkeys(name for name in self.split_of if name))

    def of_split(self, name: str) -> CaptionedImages:
        """The photos of a split, or of several joined by plus signs, in the order of the data set.

        Raises
        ------
        DatasetError
            there is no such split.
        """
        wanted = set(name.split("+"))
        unknown = sorted(wanted.difference(self.splits))
        if unknown:
            raise DatasetError(
                f"{self.photos.name} has no split called {' or '.join(unknown)!r}.",
                f"It has {', '.join(sorted(self.splits))}." if self.splits else "It has no splits.",
            )
        return self.photos.at([row for row, own in enumerate(self.split_of) if own in wanted], split=name)


def photo_name(path: Path) -> str:
    """What labels call a photo that is known by its path: the whole path as people read it, with ``/``."""
    return display_path(os.fsencode(path.absolute().as_posix()))


def read_photo_set(
    path: Path,
    *,
    images_folder: Path | None = None,
    photos_folder: Path | None = None,
    token: CancellationToken | None = None,
) -> PhotoSet:
    """Read all that a data set says; no photo is opened.

    Parameters
    ----------
    path
        a file or folder of one of this module's forms.
    images_folder
        where the photos are, if not where the form has them.
    photos_folder
        where the pixels of a ``.mat`` file go; None leaves them where they are (:attr:`PhotoSet.packed`).
    token
        stops writing these.

    Raises
    ------
    DatasetError
        it is of another form, or does not say what it should.
    Cancelled
        a stop was asked for.
    """
    if path.is_dir():
        return _read_folder(path, images_folder)
    if path.suffix.lower() == ".mat":
        return _read_dcmh(path, photos_folder, token)
    if path.suffix.lower() in (".npy", ".tsv"):
        raise _features_only(path)
    path, form = form_of(path)
    if form in ("msr-vtt", "csv"):
        raise _clips_only(path)
    if form == "captions":
        return _read_captions_file(path, images_folder)
    if form == "coco":
        return _read_coco(_with_siblings(path), images_folder)
    photos, split_of = read_whole_karpathy(path, images_folder=images_folder)
    return PhotoSet(photos, split_of)


def _read_folder(folder: Path, images_folder: Path | None) -> PhotoSet:
    if (folder / CAPTIONS_FILE).is_file():
        return _read_captions_file(folder / CAPTIONS_FILE, images_folder)
    if is_feature_folder(folder):
        raise _features_only(folder)
    if is_msr_vtt_folder(folder):
        raise _clips_only(folder)
    coco = [file for place in (folder, folder / "annotations") for file in sorted(place.glob(f"{_COCO_PREFIX}*.json"))]
    if coco:
        return _read_coco(coco, images_folder)
    iapr = next((each for each in (folder, folder / "iaprtc12") if (each / _IAPR_ANNOTATIONS).is_dir()), None)
    if iapr is not None:
        return _of_items(read_iapr(_with_images(iapr, images_folder), _iapr_labels(iapr), whole=False))
    if (folder / "queries_en_trans.txt").is_file():
        return _of_items(read_web_queries(_with_images(folder, images_folder), whole=False))
    if any(folder.glob("imgList*.mat")):
        place = folder / "images" if images_folder is None else images_folder
        return _of_items(with_tag_sentences(read_mat_lists(folder, images_folder=place, whole=False)))
    karpathy = sorted(folder.glob("dataset*.json")) or sorted(folder.glob("*.json"))
    if len(karpathy) == 1:
        return read_photo_set(karpathy[0], images_folder=images_folder)
    if karpathy:
        named = ", ".join(file.name for file in karpathy[:5])
        raise DatasetError(f"{folder} holds several json files: {named}.", "Name one of them.")
    raise DatasetError(f"{folder} holds no data set of photos with sentences.", _NEEDS_PHOTOS)


def _read_captions_file(path: Path, images_folder: Path | None) -> PhotoSet:
    found = read_clips(path, folder=images_folder, whole=False)
    split_of = splits_by_name(path)
    rows = [row for row, is_video in enumerate(found.are_videos) if not is_video]
    if not rows:
        raise _clips_only(path)
    n_clips = len(found) - len(rows)
    photos, labels = found.at(rows, split=WHOLE_SPLIT), found.labels
    notes = [f"Clips are left out, because this trains on photos: {n_clips:,}."] if n_clips else []
    return PhotoSet(
        _first_five(photos),
        tuple(split_of.get(name, "") for name in photos.names),
        None if labels is None else lambda: labels,
        tuple(notes),
    )


def _first_five(found: CaptionedImages) -> CaptionedImages:
    return CaptionedImages(
        found.name,
        found.split,
        found.image_paths,
        tuple(own[:SENTENCES_PER_IMAGE] for own in found.sentences),
        found.image_ids,
        tuple(own[:SENTENCES_PER_IMAGE] for own in found.sent_ids),
    )


def _with_siblings(path: Path) -> list[Path]:
    """``captions_train2014.json`` and the ``captions_val2014.json`` beside it, the one that was named first."""
    found = _SPLIT_OF_FILE.search(path.stem)
    if found is None:
        return [path]
    stems = [_SPLIT_OF_FILE.sub(other, path.stem) for other in ("train", "val")]
    return [path, *(other for stem in stems if (other := path.with_stem(stem)) != path and other.is_file())]


def _read_coco(files: Sequence[Path], images_folder: Path | None) -> PhotoSet:
    """The sentences of one or more of COCO's files; a file ``captions_train2014.json`` is the split ``train``."""
    parts = [read_coco_captions(file, images_folder=images_folder, whole=False) for file in files]
    photos = parts[0]
    for other in parts[1:]:
        photos = CaptionedImages(
            photos.name, WHOLE_SPLIT, photos.image_paths + other.image_paths, photos.sentences + other.sentences,
            photos.image_ids + other.image_ids, photos.sent_ids + other.sent_ids,
        )
    split_of = [name for file, part in zip(files, parts, strict=True) for name in [_split_name(file)] * len(part)]
    instances = [file.with_name(file.name.replace(_COCO_PREFIX, "instances_", 1)) for file in files]
    labelled = all(file != own and own.is_file() for file, own in zip(files, instances, strict=True))
    return PhotoSet(photos, tuple(split_of), (lambda: read_instance_labels(instances)) if labelled else None)


def _split_name(file: Path) -> str:
    found = _SPLIT_OF_FILE.search(file.stem)
    return found[1] if found else ""


def _with_images(folder: Path, images_folder: Path | None) -> Path:
    """The folder itself; these data sets have their photos in ``images`` of it, wherever that leads."""
    if images_folder is not None and images_folder != folder / "images":
        raise DatasetError(
            f"The photos of {folder.name} are looked for in {folder / 'images'}, not in {images_folder}.",
            "Leave out the folder of the photos, or put a link there.",
        )
    return folder


def _iapr_labels(folder: Path) -> Path:
    places = (folder.parent / _IAPR_LABELS, folder / _IAPR_LABELS)
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise DatasetError(
            f"The labels of IAPR TC-12 are not beside {folder}.",
            f"Unpack the segmented extension so that there is {places[0]}.",
        )
    return found


def _read_dcmh(path: Path, photos_folder: Path | None, token: CancellationToken | None) -> PhotoSet:
    items = with_tag_sentences(read_dcmh(path))
    if photos_folder is None:
        names = tuple(f"{row:06}.jpg" for row in range(len(items)))
        items = replace(items, filenames=names, image_paths=tuple(path.parent / "images" / name for name in names))
    else:
        items = write_mat_photos(items, path, photos_folder, token=token)
    found = _of_items(items)
    note = (
        f"{path.name} does not say which photos papers ask about: to keep these apart, write its published splits with "
        "`retrieval-explorer convert dcmh --preset`, and train on what that wrote."
    )
    return replace(found, notes=(*found.notes, note), packed=photos_folder is None)


def _of_items(items: LabelledItems) -> PhotoSet:
    """Items with photos that have a sentence, and their labels."""
    assert items.image_paths is not None
    assert items.texts is not None
    said = [tuple(text for text in own if text.strip())[:SENTENCES_PER_IMAGE] for own in items.texts]
    rows = [row for row, own in enumerate(said) if own]
    if not rows:
        raise DatasetError(f"No item of {items.name} has a sentence.", "Choose another data set.")
    chosen = items.at(rows)
    assert chosen.image_paths is not None
    names = [photo_name(path) for path in chosen.image_paths]
    by_name = dict(zip(names, chosen.to_label_file().items.values(), strict=True))
    photos = CaptionedImages(
        items.name,
        WHOLE_SPLIT,
        chosen.image_paths,
        tuple(said[row] for row in rows),
        tuple(rows),
        tuple(tuple(row * SENTENCES_PER_IMAGE + n for n in range(len(said[row]))) for row in rows),
    )
    n_silent = len(items) - len(rows)
    notes = (f"Photos without a sentence are left out: {n_silent:,}.",) if n_silent else ()
    return PhotoSet(photos, ("",) * len(rows), lambda: LabelFile(items.label_names, by_name), notes)


def _features_only(path: Path) -> DatasetError:
    return DatasetError(
        f"{path} holds features that somebody computed, and no photos: published models can be measured on it "
        "(`retrieval-explorer evaluate`), but a model that sees photos cannot be trained on it.",
        _NEEDS_PHOTOS,
    )


def _clips_only(path: Path) -> DatasetError:
    return DatasetError(f"{path} speaks of clips only, and this trains on photos.", _NEEDS_PHOTOS)
