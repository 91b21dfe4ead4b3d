"""Labelled items as the two files that commands read: a Karpathy json and a label file."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from explorer.datasets.karpathy import SENTENCES_PER_IMAGE
from explorer.datasets.labelled import LabelledItems
from explorer.datasets.labels import item_names, write_labels
from explorer.errors import DatasetError

_SPLIT = "all"


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written.

    Attributes:
        images_folder: the folder that all photos are below, to be named with ``--images``.
        n_items: how many items the json has.
        n_without_text: how many were left out because they have no sentence.
    """

    images_folder: Path
    n_items: int
    n_without_text: int


def write_as_karpathy(
    items: LabelledItems, path: Path, labels_path: Path, *, splits: Sequence[str] | None = None
) -> Exported:
    """Write the items that have a sentence, in their order, and the labels of these items.

    Parameters
    ----------
    items
        with photos and texts; of an item's texts the first five are written, because no more are read.
    path
        the json to write.
    labels_path
        the label file to write.
    splits
        of each item; by default one split ``all``.

    Raises
    ------
    DatasetError
        the items have no photos or no texts, two photos have one file name, or a file cannot be written.
    """
    if items.image_paths is None or items.texts is None:
        missing = "photos" if items.image_paths is None else "sentences"
        raise DatasetError(
            f"{items.name} comes without {missing}, and a Karpathy json needs photos with sentences.",
            "Give the folder of its photos, or choose another data set.",
        )
    kept = [row for row, texts in enumerate(items.texts) if texts]
    if not kept:
        raise DatasetError(f"No item of {items.name} has a sentence.", "Choose another data set.")
    chosen = items.at(kept)
    assert chosen.image_paths is not None
    assert chosen.texts is not None
    item_names(chosen.image_paths)  # refuses photos of one name, which labels could not tell apart
    folder = Path(os.path.commonpath([image.absolute().parent for image in chosen.image_paths]))
    images = [
        _image(row, image.absolute().relative_to(folder), texts, _SPLIT if splits is None else splits[kept[row]])
        for row, (image, texts) in enumerate(zip(chosen.image_paths, chosen.texts, strict=True))
    ]
    try:
        path.write_bytes(msgspec.json.encode({"dataset": items.name, "images": images}) + b"\n")
    except OSError as error:
        raise DatasetError(f"{path} cannot be written: {error.strerror or error}.", "Name another file.") from error
    write_labels(labels_path, chosen.to_label_file())
    return Exported(folder, len(kept), len(items) - len(kept))


def _image(row: int, place: Path, texts: tuple[str, ...], split: str) -> dict[str, Any]:
    sentences = [
        {"raw": text, "tokens": text.lower().split(), "imgid": row, "sentid": row * SENTENCES_PER_IMAGE + number}
        for number, text in enumerate(texts[:SENTENCES_PER_IMAGE])
    ]
    return {
        "filepath": "" if place.parent == Path() else place.parent.as_posix(),
        "filename": place.name,
        "imgid": row,
        "split": split,
        "sentids": [sentence["sentid"] for sentence in sentences],
        "sentences": sentences,
    }
