"""COCO's instances become labels, with photos, with sentences, or alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.datasets.coco import read_instances
from explorer.datasets.coco_classes import COCO_THING_IDS, COCO_THINGS
from explorer.datasets.coco_labels import read_coco_items, read_instance_labels
from explorer.errors import DatasetError

CATEGORIES = [
    {"id": 18, "name": "dog"},
    {"id": 1, "name": "person", "supercategory": "person"},
    {"id": 90, "name": "é"},
]


def photo(number: int) -> dict[str, Any]:
    return {"id": number, "file_name": f"COCO val2014_{number}.jpg", "height": 4, "width": 6}


def instance(photo_id: int, category_id: int, **more: Any) -> dict[str, Any]:
    return {"image_id": photo_id, "category_id": category_id, "bbox": [0, 0, 1, 1], "segmentation": [], **more}


FULL = {
    "info": {},
    "images": [photo(9), photo(2), photo(5)],
    "annotations": [instance(5, 90), instance(9, 1, iscrowd=1), instance(9, 18), instance(9, 18)],
    "categories": CATEGORIES,
}


def write(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_classes_in_the_order_of_the_file(tmp_path: Path) -> None:
    labels = read_instance_labels([write(tmp_path / "instances_val2014.json", FULL)])
    assert labels.names == ("dog", "person", "é")
    assert list(labels.items.items()) == [
        ("COCO val2014_9.jpg", (0, 1)),
        ("COCO val2014_2.jpg", ()),
        ("COCO val2014_5.jpg", (2,)),
    ]


def test_two_files_are_one_data_set(tmp_path: Path) -> None:
    val = write(tmp_path / "instances_val2014.json", FULL)
    train = write(tmp_path / "instances_train2014.json", FULL | {"images": [photo(7)], "annotations": [instance(7, 1)]})
    assert list(read_instance_labels([train, val]).items) == [f"COCO val2014_{n}.jpg" for n in (7, 9, 2, 5)]
    with pytest.raises(DatasetError, match="as another file does"):
        read_instance_labels([val, write(tmp_path / "copy.json", FULL)])
    other = write(tmp_path / "other.json", FULL | {"categories": CATEGORIES[::-1]})
    with pytest.raises(DatasetError, match="have different classes"):
        read_instance_labels([train, other])
    with pytest.raises(DatasetError, match="No instances file"):
        read_instance_labels([])


def test_items_with_sentences_have_the_captions_order(tmp_path: Path) -> None:
    instances = write(tmp_path / "annotations" / "instances_val2014.json", FULL)
    sentences = [{"image_id": n, "caption": f" ein Café {n}"} for n in (2, 9, 9)]
    captions = write(
        tmp_path / "annotations" / "captions_val2014.json", {"images": [photo(2), photo(9)], "annotations": sentences}
    )
    for number in (2, 9):
        (tmp_path / "val2014").mkdir(exist_ok=True)
        (tmp_path / "val2014" / f"COCO val2014_{number}.jpg").touch()
    items = read_coco_items(instances, captions=captions)
    assert items.filenames == ("COCO val2014_2.jpg", "COCO val2014_9.jpg")
    assert items.texts == (("ein Café 2",), ("ein Café 9", "ein Café 9"))
    assert items.image_paths == tuple(tmp_path / "val2014" / name for name in items.filenames)
    np.testing.assert_array_equal(items.labels, [[False] * 3, [True, True, False]])

    alone = read_coco_items(instances)
    assert (alone.image_paths, alone.texts, len(alone)) == (None, None, 3)
    with pytest.raises(DatasetError, match="1 of 3 photos of the split instances_val2014 are missing"):
        read_coco_items(instances, images_folder=tmp_path / "val2014")


def test_captions_of_other_photos(tmp_path: Path) -> None:
    instances = write(tmp_path / "instances_val2014.json", FULL)
    captions = write(
        tmp_path / "captions_val2014.json", {"images": [photo(3)], "annotations": [{"image_id": 3, "caption": "x"}]}
    )
    (tmp_path / "COCO val2014_3.jpg").touch()
    with pytest.raises(DatasetError, match=r"do not speak of 1 of 1 items \(COCO val2014_3\.jpg\)"):
        read_coco_items(instances, captions=captions, images_folder=tmp_path)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"annotations": [instance(5, 3)]}, "class 3 in photo 5"),
        ({"annotations": [instance(4, 1)]}, "class 1 in photo 4"),
        ({"images": [photo(5), photo(9), photo(5)]}, "names a photo twice"),
        ({"images": []}, "holds no images"),
        ({"categories": None}, "not in COCO's instances form"),
        ({"annotations": [{"image_id": 5, "caption": "x"}]}, "not in COCO's instances form"),
    ],
)
def test_wrong_files_are_one_sentence(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        read_instance_labels([write(tmp_path / "x.json", FULL | changed)])


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_instance_labels([tmp_path / "none.json"])
    whole = write(tmp_path / "x.json", FULL).read_bytes()
    for content in (b"", whole[:-9], b"\xff" + whole):
        (tmp_path / "x.json").write_bytes(content)
        with pytest.raises(DatasetError, match="not valid JSON"):
            read_instance_labels([tmp_path / "x.json"])


def test_the_real_file(shared_data: Path) -> None:
    path, photos = shared_data / "coco" / "instances_val2017.json", shared_data / "coco" / "images" / "val2017"
    items = read_coco_items(path, images_folder=photos)
    assert items.label_names == COCO_THINGS
    images = read_instances(path, photos)
    assert items.image_paths == tuple(image.image_path for image in images)
    # What the other reader finds drawn in each photo, by COCO's own numbers.
    for row, image in zip(items.labels, images, strict=True):
        assert {COCO_THING_IDS[number] for number in np.flatnonzero(row)} == {
            thing.category_id for thing in image.instances
        }
