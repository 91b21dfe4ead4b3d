"""The first thing that a run does: take what it is trained on, and keep it.

Photos are read from the data set or the library, divided where they come without splits, looked at, labelled, and
written into the run's folder (``snapshot.py``). From then on the run sees these and no others: who resumes it gets the
same photos in the same order, whatever became of the library, the label file or the program's rules.
"""

import hashlib
from collections.abc import Generator, Iterator

from explorer.cancellation import CancellationToken
from explorer.protocol.runs import Noted, RunEvent
from explorer.training.config import expand_path
from explorer.training.hashing_config import LabelSection
from explorer.training.label_sources import find_labels, require_labels, shared_class_note
from explorer.training.preparation import TrainingPlaces
from explorer.training.readable import mark_of, with_readable_photos
from explorer.training.reading import TrainingPhotos, read_photos, require_trainable
from explorer.training.sections import DatasetSection
from explorer.training.snapshot import dataset_path, write_snapshot

_RECORD = "readable"


def take_photos(
    dataset: DatasetSection, labels: LabelSection | None, places: TrainingPlaces, token: CancellationToken
) -> Iterator[RunEvent]:
    """Take what the recipe's sections mean into the run's folder; nothing, where that was done before.

    Raises
    ------
    ConfigError, DatasetError, LibraryError
        the data or the labels are not as they should be, or nothing can be learnt from them.
    Cancelled
        a stop was asked for; the next time begins anew, but no photo is looked at twice.
    OSError
        the run's folder, or that of the features, cannot be written.
    """
    yield from places.compute.led(_take(dataset, labels, places, token))


def _take(
    dataset: DatasetSection, labels: LabelSection | None, places: TrainingPlaces, token: CancellationToken
) -> Iterator[RunEvent]:
    if dataset_path(places.run.folder).is_file():
        return
    photos = yield from _read(dataset, places, token)
    for note in photos.notes:
        yield Noted(text=note)
    require_trainable(*photos.splits)
    photos = yield from with_readable_photos(photos, places.features_folder / _RECORD, token)
    require_trainable(*photos.splits)
    found = None
    if labels is not None:
        found = find_labels(labels, photos.splits, places.recipe_folder, photos.read_labels, token)
        require_labels(found, photos.splits)
        if note := shared_class_note(found, photos.splits[0]):
            yield Noted(text=note)
    write_snapshot(places.run.folder, photos.splits, found, divided=photos.divided)


def _read(
    dataset: DatasetSection, places: TrainingPlaces, token: CancellationToken
) -> Generator[RunEvent, None, TrainingPhotos]:
    """What there is; pixels that are inside of a file are written out once, beside the features."""
    photos = read_photos(dataset, places.recipe_folder)
    if not photos.packed:
        return photos
    yield Noted(text="The photos are inside of the data set's file and are written out, which takes a while.")
    mark = mark_of(expand_path(dataset.annotations, places.recipe_folder)) or b""
    folder = places.features_folder / f"photos-{hashlib.sha256(mark).hexdigest()[:16]}"
    return read_photos(dataset, places.recipe_folder, photos_folder=folder, token=token)
