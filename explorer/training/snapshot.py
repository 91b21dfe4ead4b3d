"""What a run is trained on, kept in its folder when it first begins, so that a resumed run sees the same.

``dataset.json`` is in Karpathy's form with absolute paths (``datasets/karpathy.py``); its splits are ``train`` and
``val``, whatever the data called them. ``labels.json`` is a label file that knows photos by their whole paths.
"""

import base64
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from explorer.datasets.json_file import decode_json, read_json_bytes
from explorer.datasets.karpathy import CaptionedImages, read_whole_karpathy
from explorer.datasets.labels import LabelFile, read_labels, write_labels
from explorer.errors import DatasetError
from explorer.media.item import display_path

_ROLES = ("train", "val")


def dataset_path(run_folder: Path) -> Path:
    """Where a run keeps its photos, sentences and splits."""
    return run_folder / "dataset.json"


def labels_path(run_folder: Path) -> Path:
    """Where a run keeps its labels."""
    return run_folder / "labels.json"


class Origin(msgspec.Struct, frozen=True):
    """Where a run's photos came from.

    Attributes:
        dataset: name of the data set, or of the library's folder.
        divided: it came without splits.
    """

    dataset: str
    divided: bool = False


def write_snapshot(
    run_folder: Path, splits: Sequence[CaptionedImages], labels: LabelFile | None, *, divided: bool = False
) -> None:
    """Keep training photos and validation photos, and their labels; whole or not at all.

    Raises
    ------
    DatasetError
        the labels cannot be written.
    OSError
        the data set cannot, for example because the disk is full.
    """
    if labels is not None:
        write_labels(labels_path(run_folder), labels)
    images = [
        _image(part, row, role) for role, part in zip(_ROLES, splits, strict=True) for row in range(len(part))
    ]
    path = dataset_path(run_folder)
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(msgspec.json.encode({"dataset": splits[0].name, "divided": divided, "images": images}) + b"\n")
    partial.replace(path)


def read_snapshot(run_folder: Path) -> list[CaptionedImages] | None:
    """Training photos and validation photos of a run; None where it has none yet.

    The photos' files need not be there any more: what was computed from them may be.

    Raises
    ------
    DatasetError
        the file is damaged.
    """
    path = dataset_path(run_folder)
    if not path.is_file():
        return None
    try:
        photos, roles = read_whole_karpathy(path)
    except DatasetError as error:
        raise DatasetError(f"The run's own data set is damaged: {error.message}", "Begin a new run.") from error
    return [photos.at([row for row, own in enumerate(roles) if own == role], split=role) for role in _ROLES]


def read_origin(run_folder: Path) -> Origin | None:
    """Where a run's photos came from; None where it keeps none. Raises as :func:`read_snapshot`."""
    path = dataset_path(run_folder)
    if not path.is_file():
        return None
    return decode_json(read_json_bytes(path), Origin, path, needs="Begin a new run.")


def read_kept_labels(run_folder: Path) -> LabelFile | None:
    """The labels of a run's photos by their paths; None where it keeps none. Raises as :func:`read_snapshot`."""
    path = labels_path(run_folder)
    return read_labels(path) if path.is_file() else None


def _image(part: CaptionedImages, row: int, role: str) -> dict[str, Any]:
    place = part.image_paths[row].absolute()
    path = os.fsencode(place)
    image = {
        "filepath": display_path(os.fsencode(place.parent)),
        "filename": display_path(os.fsencode(place.name)),
        "split": role,
        "imgid": part.image_ids[row],
        "sentences": [
            {"raw": text, "sentid": number}
            for text, number in zip(part.sentences[row], part.sent_ids[row], strict=True)
        ],
    }
    if display_path(path) != os.fsdecode(path):
        image["path_bytes"] = base64.b64encode(path).decode("ascii")
    return image
