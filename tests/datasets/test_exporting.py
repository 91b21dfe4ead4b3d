"""What is exported is read again as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from explorer.datasets.exporting import write_as_karpathy
from explorer.datasets.karpathy import read_karpathy
from explorer.datasets.labelled import LabelledItems
from explorer.datasets.labels import read_labels
from explorer.errors import DatasetError


@pytest.fixture
def items(tmp_path: Path) -> LabelledItems:
    names = ("00/7 ü.jpg", "00/3.jpg", "41/5.jpg", "41/6.jpg")
    for name in names:
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).touch()
    return LabelledItems(
        name="iaprtc12",
        filenames=tuple(name.split("/")[1] for name in names),
        label_names=("sea", "sky blue"),
        labels=np.array([[1, 1], [0, 1], [0, 0], [1, 0]], np.bool_),
        image_paths=tuple(tmp_path / "photos" / name for name in names),
        texts=(("ein Café",), (), ("a", "b", "c", "d", "e", "f"), ("a boat",)),
    )


def test_the_way_there_and_back(items: LabelledItems, tmp_path: Path) -> None:
    path, labels_path = tmp_path / "dataset.json", tmp_path / "labels.json"
    written = write_as_karpathy(items, path, labels_path)
    assert (written.images_folder, written.n_items, written.n_without_text) == (tmp_path / "photos", 3, 1)
    read = read_karpathy(path, split="all", images_folder=written.images_folder)
    assert items.image_paths is not None
    assert (read.name, read.image_paths) == ("iaprtc12", tuple(items.image_paths[row] for row in (0, 2, 3)))
    assert read.sentences == (("ein Café",), ("a", "b", "c", "d", "e"), ("a boat",))
    assert len({number for own in read.sent_ids for number in own}) == 7
    labels = read_labels(labels_path)
    assert labels.names == items.label_names
    found = labels.matrix([photo.name for photo in read.image_paths])
    np.testing.assert_array_equal(found, items.labels[[0, 2, 3]])


def test_photos_of_one_folder(items: LabelledItems, tmp_path: Path) -> None:
    written = write_as_karpathy(items.at([2, 3]), tmp_path / "d.json", tmp_path / "l.json")
    assert written.images_folder == tmp_path / "photos" / "41"
    assert len(read_karpathy(tmp_path / "d.json", split="all", images_folder=written.images_folder)) == 2


def test_what_cannot_be_exported(items: LabelledItems, tmp_path: Path) -> None:
    path, labels_path = tmp_path / "dataset.json", tmp_path / "labels.json"
    assert items.image_paths is not None
    same = (items.image_paths[0], *items.image_paths[1:3], tmp_path / "photos" / "41" / "7 ü.jpg")
    for wrong, says in (
        (replace(items, image_paths=None), "comes without photos"),
        (replace(items, texts=None), "comes without sentences"),
        (items.at([1]), "No item of iaprtc12 has a sentence"),
        (replace(items, image_paths=same), "Two photos are called"),
    ):
        with pytest.raises(DatasetError, match=says):
            write_as_karpathy(wrong, path, labels_path)
        assert not path.exists()
    with pytest.raises(DatasetError, match="cannot be written"):
        write_as_karpathy(items, tmp_path, labels_path)
    with pytest.raises(DatasetError, match="cannot be written"):
        write_as_karpathy(items, path, tmp_path)
