"""Which classes the photos of a run have: from a label file, from their sentences, or as the data set says.

All three come out as one label file that knows photos by their paths, so that two photos of one name are told apart,
and a run keeps it (``snapshot.py``).
"""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

import torch
from torch import Tensor

from explorer.cancellation import CancellationToken
from explorer.datasets.coco_classes import COCO_THINGS
from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile, read_labels
from explorer.datasets.naming import labels_from_sentences
from explorer.datasets.photo_sets import photo_name
from explorer.errors import ConfigError, DatasetError
from explorer.training.config import expand_path
from explorer.training.hashing_config import LabelSection
from explorer.training.preparation import TrainingPlaces
from explorer.training.snapshot import read_kept_labels

_MOST_PARTS = 8
_PHOTOS_PER_LOOK = 1000
_N_NAMED = 3
_MOST_SHARED = 2 / 3
"""Share of the labelled photos. Codes of 450 photos, 78 % of the labelled ones with people, told people only."""


def read_split_labels(
    section: LabelSection | None, captioned: Sequence[CaptionedImages], places: TrainingPlaces
) -> list[Tensor]:
    """Which classes each photo of each split has, bool (n, C); C is 0 where the recipe names no labels.

    captioned: as :func:`~explorer.training.preparation.read_splits` gives them.

    Raises
    ------
    ConfigError
        the section's path has a variable that is not set; labels of the data are wanted, and the run keeps none.
    DatasetError
        the labels cannot be read, do not speak of a photo, or no photo of a split has one.
    """
    if section is None:
        return [torch.zeros(len(part), 0, dtype=torch.bool) for part in captioned]
    labels = read_kept_labels(places.run.folder)
    if labels is None:
        labels = find_labels(section, captioned, places.recipe_folder, None)
    require_labels(labels, captioned)
    return [torch.from_numpy(labels.matrix([photo_name(path) for path in part.image_paths])) for part in captioned]


def find_labels(
    section: LabelSection,
    captioned: Sequence[CaptionedImages],
    recipe_folder: Path,
    read_carried: Callable[[], LabelFile] | None,
    token: CancellationToken | None = None,
) -> LabelFile:
    """The labels of these photos, by :func:`~explorer.datasets.photo_sets.photo_name`.

    read_carried: reads what the data set says; None where it says nothing.   token: stops reading sentences.

    Raises
    ------
    ConfigError, DatasetError
        as :func:`read_split_labels` does.
    """
    if section.source == "sentences":
        return _from_sentences(captioned, token or CancellationToken()).without(section.without)
    if section.source == "data":
        if read_carried is None:
            raise ConfigError(
                "The data says nothing about what is in its photos.",
                'Say source = "sentences" in [labels], or name a label file.',
            )
        given = read_carried()
    else:
        given = read_labels(expand_path(section.file, recipe_folder))
    return _of_photos(given, captioned).without(section.without)


def require_labels(labels: LabelFile, captioned: Sequence[CaptionedImages]) -> None:
    """See that every split has a photo with a class; :class:`DatasetError` names the one that has none."""
    for part in captioned:
        if not any(labels.items.get(photo_name(path)) for path in part.image_paths):
            raise DatasetError(
                f"None of the {len(part):,} photos of the split {part.split} has a label.",
                "Codes are learnt from photos that share a label: name other labels, or leave out fewer classes.",
            )


def shared_class_note(labels: LabelFile, train: CaptionedImages) -> str:
    """What to say where most labelled training photos share a class; empty where none is so common.

    Photos that share a class count as alike, so codes learn that class and tell little else apart.
    """
    matrix = labels.matrix([photo_name(path) for path in train.image_paths])
    n_labelled = int(matrix.any(axis=1).sum())
    common = [place for place, n in enumerate(matrix.sum(axis=0)) if n > _MOST_SHARED * n_labelled]
    if not common:
        return ""
    said = ", ".join(f"{labels.names[place]} ({matrix[:, place].sum() / n_labelled:.0%})" for place in common)
    names = ", ".join(f'"{labels.names[place]}"' for place in common)
    return (
        f"Most labelled training photos share a class: {said}. All of these count as alike, and codes then tell little "
        f"else apart; leave it out: [labels] without = [{names}]."
    )


def _from_sentences(captioned: Sequence[CaptionedImages], token: CancellationToken) -> LabelFile:
    items: dict[str, tuple[int, ...]] = {}
    for part in captioned:
        for start in range(0, len(part), _PHOTOS_PER_LOOK):
            token.check()
            rows = slice(start, start + _PHOTOS_PER_LOOK)
            items |= labels_from_sentences(list(map(photo_name, part.image_paths[rows])), part.sentences[rows]).items
    return LabelFile(COCO_THINGS, items)


def _of_photos(given: LabelFile, captioned: Sequence[CaptionedImages]) -> LabelFile:
    """The labels of these photos by their paths.

    A label file knows a photo by the end of its path: its name, or some of its folders and its name. The longest that
    the file has counts.
    """
    found: dict[str, str] = {}
    missing = []
    for part in captioned:
        for path in part.image_paths:
            name = photo_name(path)
            key = next((end for end in _ends(name) if end in given.items), None)
            if key is None:
                missing.append(PurePosixPath(name).name)
            else:
                found[name] = key
    if missing:
        named = ", ".join(missing[:_N_NAMED]) + (", ..." if len(missing) > _N_NAMED else "")
        raise DatasetError(
            f"The labels do not speak of {len(missing):,} of {sum(map(len, captioned)):,} photos ({named}).",
            "Write labels for all of them with `retrieval-explorer labels`.",
        )
    owners: dict[str, str] = {}
    for name, key in found.items():
        if owners.setdefault(key, name) != name:
            raise DatasetError(
                f"Two photos are called {key}, and the labels know photos by this: {owners[key]} and {name}.",
                'Give each photo a name of its own, or say source = "sentences".',
            )
    return LabelFile(given.names, {name: given.items[key] for name, key in found.items()})


def _ends(name: str) -> list[str]:
    """The whole name and its ends of whole parts, the longest first."""
    parts = PurePosixPath(name).parts
    return [name, *("/".join(parts[-n:]) for n in range(min(len(parts), _MOST_PARTS), 0, -1))]
