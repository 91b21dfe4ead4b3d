"""``labels``: which things are in the photos of a data set, by its sentences or by the region proposer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer.cancellation import CancellationToken
from explorer.datasets.captioned import read_captioned
from explorer.datasets.clips import CaptionedClips
from explorer.datasets.coco_classes import COCO_THINGS
from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile, item_names
from explorer.datasets.naming import labels_from_sentences
from explorer.errors import DatasetError, MediaError, PackageError
from explorer.media.image import decode_image, squash
from explorer.media.item import read_content
from explorer.packages.finding import resolve_package
from explorer.vision import OBJECT_LABEL, Vision, load_vision

_BATCH_SIZE = 16

OnProgress = Callable[[int, int], None]
"""Hears how many photos are done, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelling:
    """What is to be labelled.

    Attributes:
        dataset: what :func:`~explorer.datasets.captioned.read_captioned` reads; of each photo the first five sentences
            count, of a clip all.
        split: of a data set that has splits.
        images_folder: where the photos or clips are, if not where that reader looks.
        without: names of classes that are left out.
    """

    dataset: Path
    split: str
    images_folder: Path | None = None
    without: tuple[str, ...] = ()

    def read(self) -> CaptionedImages:
        """The photos or clips with their sentences."""
        return read_captioned(self.dataset, split=self.split, images_folder=self.images_folder)


def label_by_sentences(wanted: Labelling) -> LabelFile:
    """Classes that the sentences name (:mod:`explorer.datasets.naming`).

    Raises
    ------
    DatasetError
        the data set cannot be read, two photos have the same file name, a class to leave out is unknown, or no item
        has a class.
    """
    LabelFile(COCO_THINGS, {}).without(wanted.without)
    captioned = wanted.read()
    names = captioned.names if isinstance(captioned, CaptionedClips) else item_names(captioned.image_paths)
    found = labels_from_sentences(names, captioned.sentences).without(wanted.without)
    return _some(found, "Write labels --from detections.")


def label_by_detections(
    wanted: Labelling, vision: Vision, *, min_score: float, token: CancellationToken, on_progress: OnProgress
) -> LabelFile:
    """Classes of which the region proposer finds a region with at least this score.

    vision: as :func:`load_proposing_vision` gives it.

    Raises
    ------
    DatasetError
        as :func:`label_by_sentences` does; a photo cannot be read.
    Cancelled
        a stop was asked for.
    """
    things = tuple(name for name in vision.region_names if name != OBJECT_LABEL)
    LabelFile(things, {}).without(wanted.without)
    captioned = wanted.read()
    if isinstance(captioned, CaptionedClips) and any(captioned.are_videos):
        raise DatasetError(
            f"{captioned.name} has clips, and detections are found in photos.", "Write labels --from sentences."
        )
    photos = captioned.image_paths
    names = item_names(photos)
    found: dict[str, tuple[int, ...]] = {}
    for start in range(0, len(photos), _BATCH_SIZE):
        batch = slice(start, start + _BATCH_SIZE)
        classes = _classes_in([_read_square(path, vision.side_px, token) for path in photos[batch]], vision, min_score)
        found.update(zip(names[batch], classes, strict=True))
        on_progress(len(found), len(photos))
    return _some(LabelFile(things, found).without(wanted.without), "Lower --min-score.")


def load_proposing_vision(name: str, *, model_folders: Sequence[Path], device: str) -> Vision:
    """The vision package of this name, one with a region proposer.

    Raises
    ------
    PackageError
        there is no such package, it is damaged, of another family, or proposes no regions.
    DeviceError
        there is no such device.
    """
    package = resolve_package(name, model_folders)
    vision = load_vision(package, device=device)
    if vision.proposer is None:
        raise PackageError(f"{package.name} proposes no regions.", "Name a vision package that does: vision-lite0.")
    return vision


def _classes_in(squares: Sequence[np.ndarray], vision: Vision, min_score: float) -> list[tuple[int, ...]]:
    """Of each square the numbers of its things, rising; "object" is none."""
    regions = vision(np.stack(squares), segment=False, propose=True).regions
    assert regions is not None
    labels, scores = regions.labels.cpu().numpy(), regions.scores.cpu().numpy()
    # Padding and the whole picture, where nothing was found, are "object", whatever the least score.
    counts = (scores >= min_score) & (labels < len(vision.region_names) - 1)
    return [tuple(np.unique(own[row]).tolist()) for own, row in zip(labels, counts, strict=True)]


def _read_square(path: Path, side_px: int, token: CancellationToken) -> np.ndarray:
    token.check()
    try:
        return squash(decode_image(read_content(bytes(path)), min_edge_px=side_px).pixels, side_px)
    except MediaError as error:
        raise DatasetError(
            f"{path}: {error.message}", error.remedy or "Replace the photo, or take it out of the data set."
        ) from error


def _some(labels: LabelFile, remedy: str) -> LabelFile:
    if not any(labels.items.values()):
        raise DatasetError(f"No class was found in any of {len(labels.items):,} items.", remedy)
    return labels
