"""Who is in the gallery, too, and whose labels answer whom."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets.feature_folder import FeatureFolder, open_feature_folder
from explorer.datasets.karpathy import CaptionedImages
from explorer.datasets.labels import LabelFile
from explorer.errors import DatasetError
from explorer.evaluation.hashing import sharing_a_label
from explorer.evaluation.hashing_pairs import OwnRows, PairLabels, labels_from_file, own_rows, require_answers


def captioned(*photos: tuple[str, tuple[str, ...]], folder: Path = Path("photos")) -> CaptionedImages:
    return CaptionedImages(
        "toy",
        "val",
        tuple(folder / name for name, _ in photos),
        tuple(sentences for _, sentences in photos),
        tuple(range(len(photos))),
        tuple(tuple(range(len(sentences))) for _, sentences in photos),
    )


GALLERY = captioned(("a.jpg", ("a 0", "a 1")), ("b.jpg", ("b 0",)), ("c.jpg", ("c 0", "c 1", "c 2")))


def test_queries_are_found_by_file_and_sentences_by_place_and_words() -> None:
    queries = captioned(("c.jpg", ("c 0", "other", "c 2")), ("new.jpg", ("new",)), ("a.jpg", ("a 0", "a 1", "more")))
    own = own_rows(queries, GALLERY)
    assert own.images.tolist() == [2, -1, 0]
    assert own.sentences.tolist() == [3, -1, 5, -1, 0, 1, -1]
    assert own.n_there == 2
    itself = own_rows(GALLERY, GALLERY)
    assert itself.images.tolist() == [0, 1, 2]
    assert itself.sentences.tolist() == list(range(6))
    roundabout = captioned(("b.jpg", ("b 0",)), folder=Path("photos/../photos"))
    assert own_rows(roundabout, GALLERY).images.tolist() == [1]
    elsewhere = own_rows(captioned(("a.jpg", ("a 0",)), folder=Path("others")), GALLERY)
    assert elsewhere.n_there == 0


def folder_of_features(folder: Path, n: int = 3) -> FeatureFolder:
    folder.mkdir(exist_ok=True)
    for split in ("dev", "test"):
        np.save(folder / f"{split}_ims.npy", np.zeros((n, 2, 4), np.float32))
        (folder / f"{split}_caps.txt").write_text("a sentence\n" * 5 * n)
    return open_feature_folder(folder, split="test")


def test_rows_of_feature_files_are_the_same_only_within_a_split(tmp_path: Path) -> None:
    test = folder_of_features(tmp_path / "precomp")
    dev = open_feature_folder(tmp_path / "precomp", split="dev")
    assert own_rows(test, test).images.tolist() == [0, 1, 2]
    assert own_rows(test, dev).n_there == 0
    labels = LabelFile(("x", "y"), {"0": (0,), "1": (1,), "2": ()})
    assert labels_from_file("l", labels, test, dev).queries.tolist() == [[True, False], [False, True], [False, False]]


def test_labels_are_known_by_file_names() -> None:
    labels = LabelFile(("x",), {"a.jpg": (0,), "b.jpg": (), "c.jpg": (0,)})
    pair = labels_from_file("l", labels, captioned(("c.jpg", ("c",))), GALLERY)
    assert (pair.queries.tolist(), pair.gallery.tolist()) == ([[True]], [[True], [False], [True]])
    with pytest.raises(DatasetError, match=r"do not speak of 1 of 1 items \(d\.jpg\)"):
        labels_from_file("l", labels, captioned(("d.jpg", ("d",))), GALLERY)
    twice = captioned(("x/a.jpg", ("a",)), ("y/a.jpg", ("a",)))
    with pytest.raises(DatasetError, match=r"Two photos are called a\.jpg"):
        labels_from_file("l", labels, twice, GALLERY)


@given(st.integers(0, 2**32 - 1))
def test_refused_exactly_where_no_pair_of_different_photos_shares_a_label(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = PairLabels("l", rng.random((3, 4)) < 0.3, rng.random((5, 4)) < 0.2)
    own = OwnRows(rng.integers(-1, 5, 3), np.empty(0, np.int64))
    there = np.flatnonzero(own.images >= 0)
    labels.queries[there] = labels.gallery[own.images[there]]  # the same photo has the same labels
    relevant = sharing_a_label(labels.queries, labels.gallery)(slice(None)).copy()
    relevant[there, own.images[there]] = False
    if relevant.any():
        require_answers(labels, own)
    else:
        with pytest.raises(DatasetError, match="By the labels of l no query shares a label"):
            require_answers(labels, own)
