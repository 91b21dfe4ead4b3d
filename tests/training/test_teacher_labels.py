"""Labels from a teacher: what it answers is kept by file name, and the command says what is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from explorer.datasets.coco_classes import COCO_THINGS
from explorer.datasets.labels import read_labels
from explorer.errors import DatasetError
from explorer.training import teacher_labels as room
from explorer.training.teacher_labels import main, teacher_labels
from explorer.training.teachers import YOLOX_SIDE_PX, Boxes

GREYS = {"a.png": 10, "b.png": 90, "c.png": 200}


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Grey photos of different greys, each with a sentence in a Karpathy json."""
    (tmp_path / "images").mkdir()
    for name, grey in GREYS.items():
        Image.fromarray(np.full((30, 50, 3), grey, np.uint8)).save(tmp_path / "images" / name)
    images = [{"filename": name, "split": "val" if name == "c.png" else "train", "sentences": [{"raw": "grey"}]}
              for name in GREYS]
    (tmp_path / "dataset_toy.json").write_text(json.dumps({"images": images}))
    return [tmp_path / "images" / name for name in GREYS]


def test_what_the_teacher_finds_is_kept_once_and_rising(photos: list[Path]) -> None:
    answers = {10: [5, 2, 5], 90: [], 200: [79]}
    done: list[int] = []

    def classes_of(square: np.ndarray) -> np.ndarray:
        assert square.shape == (YOLOX_SIDE_PX, YOLOX_SIDE_PX, 3)
        return np.array(answers[int(square[0, 0, 0])], np.int64)

    labels = teacher_labels(photos, classes_of, done.append)
    assert labels.names == COCO_THINGS
    assert labels.items == {"a.png": (2, 5), "b.png": (), "c.png": (79,)}
    assert done == [1, 2, 3]


def test_a_photo_that_cannot_be_read_is_named(photos: list[Path]) -> None:
    photos[1].write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"b\.png: The file is not an image"):
        teacher_labels(photos, lambda _: np.zeros(0, np.int64), lambda _: None)


class _GreyTeacher:
    """Finds one thing in every photo: a person for sure, and a dog in a bright one."""

    def __init__(self, folder: Path, *, min_score: float) -> None:
        self._min_score = min_score

    def boxes(self, square: np.ndarray) -> Boxes:
        scores = np.array([0.9, square.mean() / 255], np.float32)
        kept = scores >= self._min_score
        labels = np.array([COCO_THINGS.index("person"), COCO_THINGS.index("dog")])
        return Boxes(np.zeros((kept.sum(), 4), np.float32), scores[kept], labels[kept])


def test_the_command(
    photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(room, "YoloxTeacher", _GreyTeacher)
    written = tmp_path / "labels.json"
    options = ["--teachers", str(tmp_path), "--min-score", "0.3", "--without", "person", "-o", str(written)]
    assert main([str(tmp_path / "dataset_toy.json"), *options]) == 0
    labels = read_labels(written)
    assert "person" not in labels.names
    assert {name: [labels.names[n] for n in own] for name, own in labels.items.items()} == {
        "a.png": [], "b.png": ["dog"], "c.png": ["dog"],
    }  # fmt: skip
    said = capsys.readouterr()
    assert said.out == ""
    assert "3 of 3 photos" in said.err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--without", "unicorn", "-o", "labels.json"], "no class 'unicorn'"),
        (["-o", "nowhere/labels.json"], "no folder"),
        (["--split", "test", "-o", "labels.json"], "no split called 'test'"),
        (["-o", "labels.json"], "yolox_nano.onnx is not in"),
    ],
)
def test_what_is_wrong_is_a_sentence(
    options: list[str], says: str, photos: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["dataset_toy.json", "--teachers", str(tmp_path), *options]) == 1
    assert says in capsys.readouterr().err
    assert not (tmp_path / "labels.json").exists()


def test_the_committed_labels_are_what_the_teacher_finds(shared_data: Path) -> None:
    from explorer.training.teachers import YoloxTeacher

    committed = read_labels(Path(__file__).resolve().parents[2] / "resources" / "labels" / "flickr8k-yolox.json")
    teacher = YoloxTeacher(shared_data / "teachers", min_score=0.3)
    photos = [shared_data / "flickr8k" / "images" / name for name in list(committed.items)[::1000]]
    found = teacher_labels(photos, lambda square: teacher.boxes(square).labels, lambda _: None).without(["person"])
    assert found.names == committed.names
    assert found.items == {photo.name: committed.items[photo.name] for photo in photos}
