"""Label files: what is written is read, what is wrong is said, and nothing is guessed."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets.labels import LabelFile, check_label_target, item_names, read_labels, write_labels
from explorer.errors import DatasetError

PETS = LabelFile(("dog", "person", "cat"), {"b.jpg": (0, 1), "a.jpg": (), "c.jpg": (2,)})


@st.composite
def label_files(draw: st.DrawFn) -> LabelFile:
    names = tuple(draw(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=6, unique=True)))
    classes = st.frozensets(st.integers(0, len(names) - 1)).map(lambda numbers: tuple(sorted(numbers)))
    return LabelFile(names, draw(st.dictionaries(st.text(min_size=1, max_size=6), classes, max_size=6)))


@given(labels=label_files())
def test_what_is_written_is_read(labels: LabelFile, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("labels") / "labels.json"
    write_labels(path, labels)
    read = read_labels(path)
    assert read.names == labels.names
    assert dict(read.items) == dict(labels.items)
    assert [entry.name for entry in path.parent.iterdir()] == ["labels.json"]


def test_the_file_is_the_published_form(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    write_labels(path, PETS)
    assert path.read_text() == '{"names":["dog","person","cat"],"items":{"a.jpg":[],"b.jpg":[0,1],"c.jpg":[2]}}\n'


def test_classes_come_rising_and_once_however_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('{"names": ["x", "y"], "items": {"a": [1, 0, 1]}}')
    assert read_labels(path).items == {"a": (0, 1)}


def test_a_row_for_each_item_in_the_order_asked_for() -> None:
    asked = PETS.matrix(["c.jpg", "b.jpg", "a.jpg", "b.jpg"])
    assert asked.dtype == np.bool_
    assert asked.tolist() == [[False, False, True], [True, True, False], [False] * 3, [True, True, False]]
    assert PETS.matrix([]).shape == (0, 3)


def test_an_item_that_the_file_does_not_have_is_an_error() -> None:
    with pytest.raises(DatasetError, match=r"do not speak of 4 of 5 items \(d0.jpg, d1.jpg, d2.jpg, ...\)"):
        PETS.matrix(["a.jpg", *(f"d{n}.jpg" for n in range(4))])


def test_without_a_class_the_others_keep_their_items() -> None:
    left = PETS.without(["person"])
    assert left == LabelFile(("dog", "cat"), {"b.jpg": (0,), "a.jpg": (), "c.jpg": (1,)})
    assert PETS.without([]) == PETS


@given(labels=label_files(), data=st.data())
def test_without_takes_columns_out_of_the_matrix(labels: LabelFile, data: st.DataObject) -> None:
    dropped = data.draw(st.sets(st.sampled_from(labels.names)))
    kept = [number for number, name in enumerate(labels.names) if name not in dropped]
    names = list(labels.items)
    assert np.array_equal(labels.without(dropped).matrix(names), labels.matrix(names)[:, kept])


def test_a_class_that_is_not_there_cannot_be_left_out() -> None:
    with pytest.raises(DatasetError, match=r"no class 'horse'.*dog, person, cat"):
        PETS.without(["dog", "horse"])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no label file"),
        (b"{", "no label file"),
        (b"[" * 100_000, "no label file"),
        (b'{"names": ["x"]}', "missing required field `items`"),
        (b'{"names": ["x"], "items": {"a": ["x"]}}', "Expected `int`"),
        (b'{"names": ["x"], "items": {"a": [1]}}', r"gives a the classes \[1\], but names 1"),
        (b'{"names": ["x"], "items": {"a": [-1]}}', r"gives a the classes \[-1\]"),
        (b'{"names": ["\xff"], "items": {}}', "no label file"),
    ],
)
def test_what_is_no_label_file_is_said(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=says):
        read_labels(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: No such file"):
        read_labels(tmp_path / "none.json")


def test_items_are_called_by_their_file_names() -> None:
    assert item_names([Path("train2014/a.jpg"), Path("val2014/b.jpg")]) == ("a.jpg", "b.jpg")
    with pytest.raises(DatasetError, match=r"Two photos are called a\.jpg"):
        item_names([Path("x/a.jpg"), Path("y/a.jpg")])


def test_where_no_file_can_be_is_said_before_any_work(tmp_path: Path) -> None:
    check_label_target(tmp_path / "labels.json")
    with pytest.raises(DatasetError, match=r"no folder .*nowhere to write labels\.json"):
        check_label_target(tmp_path / "nowhere" / "labels.json")
    with pytest.raises(DatasetError, match="is a folder"):
        check_label_target(tmp_path)


def test_a_file_that_cannot_be_replaced_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "labels.json").mkdir()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_labels(tmp_path / "labels.json", PETS)
    assert [entry.name for entry in tmp_path.iterdir()] == ["labels.json"]


_FLICKR8K = Path(__file__).resolve().parents[2] / "resources" / "labels"


@pytest.mark.parametrize("name", ["flickr8k-yolox.json", "flickr8k-sentences.json"])
def test_the_labels_of_flickr8k_speak_of_all_photos_of_train_and_val(name: str, shared_data: Path) -> None:
    from explorer.datasets.karpathy import read_karpathy

    labels = read_labels(_FLICKR8K / name)
    photos = read_karpathy(shared_data / "flickr8k" / "dataset_flickr8k.json", split="train+val").image_paths
    assert labels.matrix(item_names(photos)).any(axis=0).sum() > 60
    assert len(labels.items) == len(photos) == 7000
    assert ("person" in labels.names) == (name == "flickr8k-sentences.json")


def test_the_shipped_label_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in _FLICKR8K.iterdir()) < 600_000
