"""Small data sets of rendered photos in many forms, and a library of them; for tests of training."""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from explorer.cancellation import CancellationToken
from explorer.library import open_library
from explorer.media.image import encode_jpeg
from explorer.packages.reference import synthetic_picture

SIDE_PX = 32


def write_photo(path: Path, seed: int) -> Path:
    """A picture that its seed tells from others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(encode_jpeg(synthetic_picture(seed, SIDE_PX)))
    return path


def write_karpathy(folder: Path, splits: Sequence[str], *, photos: bool = True) -> Path:
    """``photos.json`` with a photo for each of these splits, two sentences each."""
    images = []
    for number, split in enumerate(splits):
        name = f"photo-{number:02}.jpg"
        if photos:
            write_photo(folder / "images" / name, number)
        sentences = [{"raw": f"a dog number {number}"}, {"raw": f"a red car, the {number}th"}]
        images.append({"filename": name, "split": split, "imgid": number, "sentences": sentences})
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "photos.json"
    path.write_text(json.dumps({"dataset": "tiny", "images": images}))
    return path


def write_library(folder: Path, photos_folder: Path, said: Mapping[bytes, Sequence[str]]) -> Path:
    """A library in ``folder`` of what lies in ``photos_folder``; ``said``: sentences by file name."""
    with open_library(folder) as library:
        library.add_source(photos_folder)
        list(library.scan(token=CancellationToken()))
        ids = {os.path.basename(row.path): int(row.item_id) for row in library.describe(library.item_ids().tolist())}
        library.sentences.replace({ids[name]: sentences for name, sentences in said.items()})
    return folder
