"""Lists of what fits equally well: who then answers whom, what chance gets, and lists that say something else."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.datasets.clips import CaptionedClips, Span
from explorer.datasets.karpathy import CaptionedImages
from explorer.errors import ConfigError, DatasetError
from explorer.evaluation.equivalents import Equivalents, read_equivalents
from explorer.evaluation.image_text import chance_recall, owners_of
from explorer.evaluation.judging import chance_of, chance_of_pairs, judge_recall
from explorer.evaluation.similarities import EncodedPairs, Similarities

NAMES = ("x/a.mp4", "x/b.mp4", "c.mp4", "d.mp4")
SENTENCES = (("a 1", "a 2"), ("b 1",), ("c 1", "rain"), ("d 1", "rain"))
REPOSITORY = Path(__file__).resolve().parents[2]


def clips() -> CaptionedClips:
    return CaptionedClips(
        "toy", "all", tuple(Path(name) for name in NAMES), SENTENCES, (0, 1, 2, 3), ((0, 1), (2,), (3, 4), (5, 6)),
        NAMES, (Span(),) * 4,
    )  # fmt: skip


def read(folder: Path, content: Any, source: CaptionedImages | None = None) -> Equivalents:
    path = folder / "list.json"
    path.write_text(json.dumps(content))
    return read_equivalents(path, source or clips())


def same(*items: str, because: str = "one film") -> dict[str, Any]:
    return {"items": list(items), "because": because}


def test_all_sentences_of_what_is_the_same_fit_each_other(tmp_path: Path) -> None:
    found = read(tmp_path, {"same": [same("x/a.mp4", "c.mp4", "not in this split.mp4")], "about": "x"})
    assert found.judgements.image_to_text == {0: (0, 1, 3, 4), 1: (2,), 2: (0, 1, 3, 4), 3: (5, 6)}
    assert found.judgements.text_to_image == {
        0: (0, 2), 1: (0, 2), 2: (1,), 3: (0, 2), 4: (0, 2), 5: (3,), 6: (3,),
    }  # fmt: skip
    assert found.n_changed == 4 + 2


def test_one_sentence_may_fit_other_clips(tmp_path: Path) -> None:
    also = {"sentence": "rain", "items": ["x/b.mp4"], "because": "it rains there, too"}
    found = read(tmp_path, {"also": [also]})
    assert found.judgements.image_to_text == {0: (0, 1), 1: (2, 4, 6), 2: (3, 4), 3: (5, 6)}
    assert found.judgements.text_to_image[4] == (1, 2)
    assert found.judgements.text_to_image[6] == (1, 3)
    assert found.n_changed == 2 + 1


def test_photos_go_by_their_file_names(tmp_path: Path) -> None:
    photos = CaptionedImages(
        "toy", "val", (Path("in/a.jpg"), Path("in/b.jpg")), (("a",), ("b",)), (7, 9), ((70,), (90,))
    )
    assert read(tmp_path, {"same": [same("a.jpg", "b.jpg")]}, photos).judgements.image_to_text == {0: (0, 1), 1: (0, 1)}


def test_recall_counts_the_first_right_answer(tmp_path: Path) -> None:
    found = read(tmp_path, {"same": [same("x/a.mp4", "x/b.mp4")]})
    scores = np.full((4, 7), 0.0, np.float32)
    scores[1, 0] = 1  # "a 1" finds b first, and a never
    scores[0, 0] = -1
    similarities = Similarities((EncodedPairs(scores, np.eye(7, dtype=np.float32), owners_of([2, 1, 2, 2])),))
    judged = judge_recall(similarities, found.ids, found.judgements, ties="pessimistic")
    assert judged.text_to_image.r1 == pytest.approx(100 / 7)
    assert judged.image_to_text.r1 == pytest.approx(100 / 4)  # b finds "a 1" first


@given(st.integers(1, 6), st.integers(1, 7), st.lists(st.integers(1, 6), min_size=1, max_size=4))
def test_chance_equals_counting_all_draws(n_items: int, k: int, n_right: list[int]) -> None:
    n_right = [min(n, n_items) for n in n_right]
    draws = list(combinations(range(n_items), min(k, n_items)))
    expected = np.mean([np.mean([min(draw) < n for draw in draws]) for n in n_right])
    assert chance_recall(np.array(n_right), n_items, k) == pytest.approx(100 * float(expected))


def test_chance_of_pairs_and_of_what_fits_equally(tmp_path: Path) -> None:
    plain = chance_of_pairs(owners_of([2, 1, 2, 2]))
    assert plain.text_to_image.r1 == 25
    assert plain.image_to_text.r1 == pytest.approx(100 * 7 / 4 / 7)
    assert (plain.text_to_image.r5, plain.image_to_text.r10) == (100, 100)
    found = read(tmp_path, {"same": [same("x/a.mp4", "c.mp4")]})
    easier = chance_of(found.judgements, found.ids)
    assert easier.text_to_image.r1 == pytest.approx((4 * 50 + 3 * 25) / 7)
    assert (easier.text_to_image.n_queries, easier.image_to_text.n_queries) == (7, 4)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ([], "does not say what it should"),
        ({"same": [{"items": ["x/a.mp4", "c.mp4"]}]}, "missing required field `because`"),
        ({"same": [same("x/a.mp4", "c.mp4", because=" ")]}, "has no reason, or too few items"),
        ({"same": [same("x/a.mp4")]}, r"too few items: x/a\.mp4"),
        ({"also": [{"sentence": "rain", "items": [], "because": "wet"}]}, "too few items: none"),
        ({}, "speaks of nothing in toy all"),
        ({"same": [same("x/a.mp4", "elsewhere.mp4")]}, "speaks of nothing"),
        ({"also": [{"sentence": "snow", "items": ["c.mp4"], "because": "cold"}]}, "speaks of nothing"),
        ({"same": [same("a.mp4", "b.mp4")]}, "speaks of nothing"),  # names are whole
    ],
)
def test_other_lists_are_refused_with_a_sentence(tmp_path: Path, content: Any, says: str) -> None:
    with pytest.raises(DatasetError, match=says) as caught:
        read(tmp_path, content)
    assert caught.value.remedy


def test_feature_files_have_no_names(tmp_path: Path) -> None:
    from explorer.datasets.feature_folder import open_feature_folder

    np.save(tmp_path / "test_ims.npy", np.zeros((1, 2, 4), np.float32))
    (tmp_path / "test_caps.txt").write_text("a sentence\n" * 5)
    with pytest.raises(ConfigError, match="have no names"):
        read_equivalents(tmp_path / "list.json", open_feature_folder(tmp_path, split="test"))


def test_the_committed_list_is_about_the_real_clips(shared_data: Path) -> None:
    from explorer.datasets.clips import read_clips

    source = read_clips(shared_data / "videos" / "captions.json")
    path = REPOSITORY / "resources" / "judgements" / "real-clips.json"
    found = read_equivalents(path, source)
    assert found.n_changed == 6  # two clips of one pool, and their four sentences
    for entries in json.loads(path.read_text())["same"]:
        for name in entries["items"]:
            assert (shared_data / "videos" / name).is_file()
