"""COCO's own captions are read beside Karpathy's form, whichever it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.datasets.captioned import read_all_captioned, read_captioned, read_coco_captions
from explorer.datasets.karpathy import read_karpathy
from explorer.errors import DatasetError


def image(number: int) -> dict[str, Any]:
    return {"id": number, "file_name": f"COCO val2014_{number:012d}.jpg", "height": 4, "width": 6, "license": 1}


def caption(number: int, owner: int, text: str = "ein Café 🐕 ") -> dict[str, Any]:
    return {"id": number, "image_id": owner, "caption": f"{text}{number}"}


def write(folder: Path, content: Any, *, photos: str = "annotations/images") -> Path:
    path = folder / "annotations" / "captions_val2014.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    for entry in content["images"] if isinstance(content, dict) and "images" in content else ():
        photo = folder / photos / entry["file_name"]
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.touch()
    return path


TWO = {
    "info": {},
    "images": [image(391895), image(60623)],
    # Sentences of COCO are not in order of their photos, and a photo may have six.
    "annotations": [caption(n, owner) for n, owner in enumerate([60623, 391895, 60623] + [391895] * 6, start=770337)],
}


@pytest.mark.parametrize("photos", ["annotations/images", "annotations/val2014", "val2014"])
def test_photos_in_order_of_images_with_their_first_five_sentences(tmp_path: Path, photos: str) -> None:
    read = read_captioned(write(tmp_path, TWO, photos=photos), split="ignored")
    assert (read.name, read.split, read.image_ids) == ("coco", "val2014", (391895, 60623))
    assert read.sent_ids == ((770338, 770340, 770341, 770342, 770343), (770337, 770339))
    assert read.sentences[1] == ("ein Café 🐕 770337", "ein Café 🐕 770339")
    assert read.image_paths[0] == tmp_path / photos / "COCO val2014_000000391895.jpg"


def test_one_file_of_coco_is_one_split(tmp_path: Path) -> None:
    path = write(tmp_path, TWO)
    assert read_all_captioned(path) == read_captioned(path, split="ignored")


def test_karpathy_files_are_read_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "dataset_toy.json"
    entry = {"filename": "a.jpg", "split": "val", "sentences": [{"raw": "x"}], "imgid": 3}
    path.write_text(json.dumps({"dataset": "toy", "images": [entry]}))
    (tmp_path / "a.jpg").touch()
    read = read_captioned(path, split="val", images_folder=tmp_path)
    assert read == read_karpathy(path, split="val", images_folder=tmp_path)
    with pytest.raises(DatasetError, match="no split called 'test'"):
        read_captioned(path, split="test", images_folder=tmp_path)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ({"images": [image(1)], "annotations": []}, "no sentence for COCO val2014_000000000001.jpg"),
        ({"images": [image(1)], "annotations": [caption(1, 2)]}, "belongs to photo 2"),
        ({"images": [image(1), image(1)], "annotations": [caption(1, 1)]}, "names a photo twice"),
        ({"images": [], "annotations": []}, "holds no images"),
        ({"images": [image(1)], "annotations": [{"image_id": 1, "bbox": []}]}, "not in the form of COCO captions"),
    ],
)
def test_wrong_files_are_one_sentence(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        read_captioned(write(tmp_path, content), split="val")


def test_missing_photos_and_broken_files(tmp_path: Path) -> None:
    path = write(tmp_path, TWO)
    (tmp_path / "annotations" / "images" / "COCO val2014_000000060623.jpg").unlink()
    with pytest.raises(DatasetError, match="1 of 2 photos of the split val2014 are missing"):
        read_coco_captions(path)
    for content in (b"{", b"\xff", b""):
        path.write_bytes(content)
        with pytest.raises(DatasetError, match="not valid JSON"):
            read_coco_captions(path)
        with pytest.raises(DatasetError, match=r"captions_val2014\.json"):
            read_captioned(path, split="val")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_captioned(tmp_path / "none.json", split="val")
