"""Items with labels keep their parts together: in number, in order, and on the way to a label file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets.labelled import LabelledItems
from explorer.datasets.labels import read_labels, write_labels
from explorer.errors import DatasetError

NAMES = ("chien", "été", "sea lion")


def items(**changed: Any) -> LabelledItems:
    parts: dict[str, Any] = {
        "name": "toy",
        "filenames": ("b ü.jpg", "a.jpg", "c.jpg"),
        "label_names": NAMES,
        "labels": np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]], np.bool_),
        "image_paths": (Path("x/b ü.jpg"), Path("a.jpg"), Path("c.jpg")),
        "texts": (("one", "two"), (), ("three",)),
        "tags": np.arange(6, dtype=np.uint8).reshape(3, 2),
    }
    return LabelledItems(**parts | changed)


@given(st.lists(st.sampled_from(range(3)), unique=True, min_size=1))
def test_rows_go_together(rows: list[int]) -> None:
    whole, part = items(), items().at(rows)
    assert len(part) == len(rows)
    assert part.filenames == tuple(whole.filenames[row] for row in rows)
    assert part.image_paths == tuple(whole.image_paths[row] for row in rows)
    assert part.texts == tuple(whole.texts[row] for row in rows)
    np.testing.assert_array_equal(part.tags, whole.tags[rows])
    np.testing.assert_array_equal(part.labels, whole.labels[rows])
    np.testing.assert_array_equal(whole.to_label_file().matrix(part.filenames), part.labels)


def test_parts_that_are_not_there_stay_away() -> None:
    part = items(image_paths=None, texts=None, tags=None).at(np.array([2, 0]))
    assert (part.filenames, part.image_paths, part.texts, part.tags) == (("c.jpg", "b ü.jpg"), None, None, None)


def test_labels_travel_through_a_file(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    write_labels(path, items().to_label_file())
    read = read_labels(path)
    assert read.names == NAMES
    assert read.items == {"b ü.jpg": (0, 2), "a.jpg": (), "c.jpg": (1,)}


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"labels": np.zeros((2, 3), np.bool_)}, "3 file names, 2 labels"),
        ({"labels": np.zeros((3, 2), np.bool_)}, r"shape \(3, 2\), for 3 names"),
        ({"labels": np.zeros(3, np.bool_)}, "for 3 names"),
        ({"texts": ((),)}, "1 texts"),
        ({"tags": np.zeros((4, 2), np.uint8)}, "4 tags"),
        ({"image_paths": ()}, "0 photos"),
        ({"filenames": ("a.jpg", "b.jpg", "a.jpg")}, r"names a\.jpg 2 times"),
    ],
)
def test_parts_that_do_not_fit_are_one_sentence(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(DatasetError, match=says):
        items(**changed)


def test_the_labels_that_most_items_have() -> None:
    labels = np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]], np.bool_)
    whole = items(labels=labels)
    assert whole.with_most_frequent(3).filenames == whole.filenames
    kept = whole.with_most_frequent(2)  # chien and été are in one item each: the earlier stays
    assert (kept.label_names, kept.filenames) == (("chien", "sea lion"), ("b ü.jpg", "c.jpg"))
    np.testing.assert_array_equal(kept.labels, [[True, True], [False, True]])
    assert kept.texts == (("one", "two"), ("three",))


def test_nothing_is_no_data_set() -> None:
    with pytest.raises(DatasetError, match="holds no items"):
        items().at([])
