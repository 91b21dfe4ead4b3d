"""The best shot of each video, against the ranking of all shots."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.retrieval import best_segments, n_items_of, rank_scores
from explorer.segment_ids import item_of, segment_id


def segments(n_shots):
    """Segment ids, ascending; item n + 1 has ``n_shots[n]`` segments."""
    ids = [segment_id(item, position) for item, n in enumerate(n_shots, start=1) for position in range(n)]
    return np.array(sorted(ids), np.int64)


@given(st.lists(st.integers(1, 5), max_size=12), st.integers(0, 2**32 - 1), st.integers(0, 20))
def test_it_is_the_whole_ranking_without_what_comes_again(n_shots, seed, k):
    ids = segments(n_shots)
    scores = np.random.default_rng(seed).integers(0, 4, len(ids)).astype(np.float32) / 4  # many ties
    whole = rank_scores(scores, ids)
    _, first = np.unique(item_of(whole.item_ids[0]), return_index=True)
    first = np.sort(first)[: k or None]
    ranking = rank_scores(*best_segments(scores, ids), k)
    np.testing.assert_array_equal(ranking.item_ids[0], whole.item_ids[0][first])
    np.testing.assert_array_equal(ranking.scores[0], whole.scores[0][first])
    assert n_items_of(ids) == len(n_shots)


def test_photos_are_left_as_they_are():
    ids, scores = np.arange(1, 5, dtype=np.int64), np.arange(4, dtype=np.float32)
    assert best_segments(scores, ids) == (scores, ids)  # the very arrays


@pytest.mark.parametrize("best", [0, 1, 2])
def test_the_best_shot_wins_wherever_it_is(best):
    scores = np.array([0.5, 0.1, 0.1, 0.1], np.float32)  # a photo, then three shots
    scores[1 + best] = 0.7
    ids = np.array([1, 2, segment_id(2, 1), segment_id(2, 2)], np.int64)
    found, kept = best_segments(scores, ids)
    assert kept.tolist() == [1, segment_id(2, best)]
    assert found.tolist() == pytest.approx([0.5, 0.7])
