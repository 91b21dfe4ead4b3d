"""Karpathy jsons are read as they are, or a sentence says what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.datasets.captioned import read_all_captioned
from explorer.datasets.karpathy import karpathy_splits, read_karpathy
from explorer.errors import DatasetError


def image(name: str, split: str = "val", n_sentences: int = 5, **extra: Any) -> dict[str, Any]:
    sentences = [
        {"raw": f"{name} sätze {i} 🐕", "tokens": ["x"], "imgid": 0, "sentid": 100 + i} for i in range(n_sentences)
    ]
    return {"filename": name, "split": split, "sentids": [], "sentences": sentences, **extra}


def write(folder: Path, *images: dict[str, Any], photos: bool = True) -> Path:
    path = folder / "dataset_toy.json"
    path.write_text(json.dumps({"dataset": "toy", "images": list(images)}), encoding="utf-8")
    for entry in images if photos else ():
        photo = folder / "images" / str(entry.get("filepath", "")) / str(entry["filename"])
        photo.parent.mkdir(parents=True, exist_ok=True)
        photo.touch()
    return path


def test_split_is_read_in_file_order(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        image("b with space.jpg", imgid=7),
        image("a.jpg", "train", imgid=8),
        image("c.jpg", n_sentences=7, imgid=9, cocoid=42, filepath="val2014"),
        image("d.jpg", n_sentences=2),
    )
    read = read_karpathy(path, split="val")
    assert (read.name, read.split, len(read)) == ("toy", "val", 3)
    assert read.image_paths == tuple(tmp_path / "images" / n for n in ("b with space.jpg", "val2014/c.jpg", "d.jpg"))
    assert read.sentences[0] == tuple(f"b with space.jpg sätze {i} 🐕" for i in range(5))
    assert [len(sentences) for sentences in read.sentences] == [5, 5, 2]
    assert read.image_ids == (7, 42, 2)
    assert read.sent_ids == ((100, 101, 102, 103, 104), (100, 101, 102, 103, 104), (100, 101))


def test_rows_of_a_split_and_all_splits_together(tmp_path: Path) -> None:
    path = write(tmp_path, image("a.jpg", "train"), image("b.jpg", "val", 2), image("c.jpg", "train"))
    assert karpathy_splits(path) == ("train", "val")
    read = read_all_captioned(path)
    assert (read.split, [photo.name for photo in read.image_paths]) == ("train+val", ["a.jpg", "b.jpg", "c.jpg"])
    some = read.at([2, 1], split="queries")
    assert (some.name, some.split, some.image_ids) == ("toy", "queries", (2, 1))
    assert [photo.name for photo in some.image_paths] == ["c.jpg", "b.jpg"]
    assert [len(own) for own in some.sentences] == [len(own) for own in some.sent_ids] == [5, 2]


def test_two_splits_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, image("a.jpg", "train"), image("b.jpg", "val"), image("c.jpg", "restval"))
    read = read_karpathy(path, split="train+restval")
    assert [p.name for p in read.image_paths] == ["a.jpg", "c.jpg"]


def test_photos_elsewhere(tmp_path: Path) -> None:
    path = write(tmp_path, image("a.jpg"), photos=False)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "a.jpg").touch()
    assert read_karpathy(path, split="val", images_folder=tmp_path / "other").image_paths[0].is_file()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not valid JSON"),
        ("[]", "not in Karpathy's form: Expected `object`, got `array`"),
        ("{}", "missing required field `images`"),
        ('{"images": []}', "holds no images"),
        ('{"images": [{"filename": "a", "split": "val"}]}', r"`sentences` - at `\$\.images\[0\]`"),
        ('{"images": [{"filename": "a", "split": "val", "sentences": [{"raw": 5}]}]}', "Expected `str`, got `int`"),
        ('{"images": [{"filename": "a", "split": "val", "sentences": []}]}', "has no sentence for a"),
        ('{"x": ' + "[" * 100_000, "is not valid JSON"),
    ],
)
def test_wrong_file_is_a_sentence(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "dataset_toy.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=message):
        read_karpathy(path, split="val")


def test_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(b'{"dataset": "\xff\xfe", "images": []}')
    with pytest.raises(DatasetError, match=r"x\.json is not"):
        read_karpathy(tmp_path / "x.json", split="val")


def test_absent_file_and_folder_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"cannot be read: No such file or directory\. Check the path"):
        read_karpathy(tmp_path / "none.json", split="val")
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        read_karpathy(tmp_path, split="val")


def test_unknown_split_names_those_there_are(tmp_path: Path) -> None:
    path = write(tmp_path, image("a.jpg", "val"), image("b.jpg", "train"))
    with pytest.raises(DatasetError, match=r"no split called 'test'\. It has train, val\."):
        read_karpathy(path, split="test")


def test_missing_photos_are_counted_and_named(tmp_path: Path) -> None:
    path = write(tmp_path, *(image(f"{n}.jpg") for n in "abcde"))
    for name in "acde":
        (tmp_path / "images" / f"{name}.jpg").unlink()
    with pytest.raises(DatasetError, match=r"4 of 5 photos .* missing in .*images \(a\.jpg, c\.jpg, d\.jpg, \.\.\.\)"):
        read_karpathy(path, split="val")


def test_flickr8k(shared_data: Path) -> None:
    read = read_karpathy(shared_data / "flickr8k" / "dataset_flickr8k.json", split="val")
    assert (read.name, len(read), {len(s) for s in read.sentences}) == ("flickr8k", 1000, {5})
    assert len({i for ids in read.sent_ids for i in ids}) == 5000


def test_coco(shared_data: Path) -> None:
    folder = shared_data / "coco"
    read = read_karpathy(folder / "dataset_coco_val218.json", split="val")
    assert (read.name, len(read)) == ("coco", 218)
    assert (read.image_ids[0], read.sentences[0][0]) == (139, "A woman stands in the dining area at the table.")
    assert read.image_paths[0] == folder / "images" / "val2017" / "000000000139.jpg"
